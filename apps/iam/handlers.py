"""Reactions to Django's signals about operators' sessions, and hints to the queue."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.events import subscribe
from apps.core.jobs import wake
from apps.iam import api_keys, avatars, selectors, signins, tasks
from apps.iam.events import AccountTokenIssued, MemberRemoved
from apps.iam.origins import origin_of
from apps.tenancy.events import TenantStatusChanged
from apps.tenancy.selectors import TenantStatus


@subscribe(AccountTokenIssued)
def mail_the_token(event: AccountTokenIssued) -> None:
    """Whether there is anybody to mail it to is found out after the answer, so that its time tells nothing."""
    wake(tasks.mail_token, event.token_id)


@subscribe(TenantStatusChanged)
def end_sessions_of_a_deleted_tenant(event: TenantStatusChanged) -> None:
    """Whoever comes back after it was restored signs in again."""
    if event.after == TenantStatus.DELETED:
        signins.revoke_all_of(event.tenant_id, "tenant_deleted")


@subscribe(MemberRemoved)
def end_what_belonged_to_who_left(event: MemberRemoved) -> None:
    """His keys are dead while he is no member; coming back does not revive them. So with his picture."""
    api_keys.revoke_keys_of(tenant_id=event.tenant_id, user_id=event.user_id, reason="member_removed")
    avatars.end_those_of(tenant_id=event.tenant_id, user_id=event.user_id)


@receiver(user_logged_in)
def record_operator_sign_in(request: HttpRequest, user: Any, **_: Any) -> None:
    """Django's own sign-in is the operators' alone."""
    _record(request, user, "iam.session.start", Severity.MEDIUM)


@receiver(user_logged_out)
def record_operator_sign_out(request: HttpRequest, user: Any, **_: Any) -> None:
    """An operator left the admin."""
    _record(request, user, "iam.session.end", Severity.INFO)


def _record(request: HttpRequest, user: Any, action: str, severity: Severity) -> None:
    actor = selectors.operator_of(user, origin_of(request, "WEB"))
    if actor is None or actor.user_id is None:
        return
    audit.record(
        actor=actor,
        action=action,
        entity_type="user",
        entity_id=actor.user_id,
        entity_label=actor.email,
        after={"channel": "ADMIN"},
        severity=severity,
    )
