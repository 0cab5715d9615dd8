"""Keeping people out of the whole platform, by operators."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import IllegalState, PermissionRefused, ValidationFailed
from apps.core.events import publish
from apps.core.tenants import public_scope
from apps.iam import signins
from apps.iam.events import PersonBanned
from apps.iam.models import User


def ban_person(*, actor: Actor, user_id: UUID, reason: str, until: datetime | None = None) -> None:
    """Keep somebody out everywhere, for good or until a moment; everything that he is signed in to ends.

    A new ban replaces the old one.

    Raises:
        PermissionRefused: the actor lacks ``platform:write``, or the person is an operator or himself.
        ValidationFailed: the ban would end in the past.
        NotFound: there is no such person.
    """
    actor.require("platform:write")
    now = utcnow()
    if until is not None and until <= now:
        raise ValidationFailed.one("until", "in_the_past", _("A ban ends in the future."))
    with public_scope(), transaction.atomic():
        user = User.objects.locked(user_id)
        if user.platform_role or user.id == actor.user_id:
            raise PermissionRefused(_("Operators are not banned: take their role away first."))
        user.banned_at, user.banned_until, user.ban_reason = now, until, reason[:300]
        user.save(update_fields=["banned_at", "banned_until", "ban_reason", "updated_at"])
        signins.end_all(user, "ban", now=now)
        after = {"reason": user.ban_reason, "until": until.isoformat() if until else None}
        _record(actor, user, "iam.user.ban", after, Severity.CRITICAL)
        publish(PersonBanned(user_id=user.id, reason=user.ban_reason, until=until))


def unban_person(*, actor: Actor, user_id: UUID) -> None:
    """Let somebody in again; he signs in anew.

    Raises:
        PermissionRefused: the actor lacks ``platform:write``.
        NotFound: there is no such person.
        IllegalState: he is not banned.
    """
    actor.require("platform:write")
    with public_scope(), transaction.atomic():
        user = User.objects.locked(user_id)
        if user.banned_at is None:
            raise IllegalState(_("This person is not banned."), allowed_actions=["ban"])
        user.banned_at, user.banned_until, user.ban_reason = None, None, ""
        user.save(update_fields=["banned_at", "banned_until", "ban_reason", "updated_at"])
        _record(actor, user, "iam.user.unban", None, Severity.MEDIUM)


def sign_out_person(*, actor: Actor, user_id: UUID) -> None:
    """End everything that somebody is signed in to, as an operator.

    Raises:
        PermissionRefused: the actor lacks ``platform:write``.
        NotFound: there is no such person.
    """
    actor.require("platform:write")
    with public_scope(), transaction.atomic():
        user = User.objects.locked(user_id)
        signins.end_all(user, "signout_all", now=utcnow())
        _record(actor, user, "iam.session.end_all", None, Severity.MEDIUM)


def _record(actor: Actor, user: User, action: str, after: Mapping[str, object] | None, severity: Severity) -> None:
    audit.record(
        actor=actor,
        action=action,
        entity_type="user",
        entity_id=user.id,
        entity_label=user.email,
        after=dict(after) if after else None,
        severity=severity,
    )
