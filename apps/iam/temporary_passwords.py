"""A password that an operator gives to somebody who cannot get at his mail; good until the person has another."""

import secrets
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import PermissionRefused
from apps.core.events import publish
from apps.core.tenants import public_scope
from apps.iam import api_keys, lockout, signins
from apps.iam.events import PasswordChanged
from apps.iam.models import User

# Without letters and digits that are taken for each other when somebody reads it out.
_LETTERS, _CAPITALS, _DIGITS = "abcdefghjkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789"
_GROUPS, _GROUP = 4, 4


def set_temporary_password(*, actor: Actor, user_id: UUID, with_keys: bool = False) -> str:
    """Give somebody a random password, which is returned this once; he must change it, and every sign-in of his ends.

    His API keys are his programs', and who has lost his mailbox has not lost these: they end only with `with_keys`.

    Raises:
        PermissionRefused: the actor lacks ``platform:write``, or the other is an operator, who resets his own by mail.
        NotFound: there is no such person.
    """
    actor.require("platform:write")
    password = _random()
    hashed = make_password(password)
    with public_scope(), transaction.atomic():
        user = User.objects.locked(user_id)
        if user.platform_role:
            raise PermissionRefused(_("Operators reset their passwords by mail."))
        now = utcnow()
        user.password, user.password_changed_at, user.must_change_password = hashed, now, True
        user.save(update_fields=["password", "password_changed_at", "must_change_password", "updated_at"])
        signins.end_all(user, "temporary_password", now=now)
        ended = api_keys.revoke_everywhere(user_id=user.id, reason="temporary_password") if with_keys else 0
        lockout.clear(user.email)
        audit.record(
            actor=actor,
            action="iam.password.set_temporary",
            entity_type="user",
            entity_id=user.id,
            entity_label=user.email,
            after={"revoked_api_keys": ended},
            severity=Severity.CRITICAL,
        )
        publish(PasswordChanged(user_id=user.id, email=user.email, name=user.name, locale=user.locale))
    return password


def _random() -> str:
    """About 72 bits, in groups, with what the policy asks for."""
    while True:
        every = _LETTERS + _CAPITALS + _DIGITS
        groups = ("".join(secrets.choice(every) for _place in range(_GROUP)) for _group in range(_GROUPS))
        password = "-".join(groups)
        if all(set(password) & set(kind) for kind in (_LETTERS, _CAPITALS, _DIGITS)):
            return password
