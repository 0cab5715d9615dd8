"""Reactions to Django's signals about operators' sessions."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.iam import selectors
from apps.iam.origins import origin_of


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
