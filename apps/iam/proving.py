"""Checking second factors: the codes count into the lockout of their person's e-mail, as passwords do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.actor import Actor, ActorKind, Origin
from apps.core.clock import utcnow
from apps.core.errors import DomainError, ValidationFailed
from apps.core.tenants import public_scope
from apps.iam import authenticators, factors, lockout, passkeys, recovery_codes, totp
from apps.iam.attempt_models import AttemptOutcome
from apps.iam.errors import MfaRequired, WrongCode
from apps.iam.events import MfaChange
from apps.iam.factor_models import CeremonyPurpose
from apps.iam.models import User
from apps.iam.proofs import CODE, PASSKEY, PASSWORD, STRONG, SYNCED_PASSKEY


@dataclass(frozen=True, slots=True)
class Shown:
    """Whose passkey answered, and the ``amr`` words for it."""

    user_id: UUID
    methods: tuple[str, ...]


def check_code(*, user: User, code: str, origin: Origin, now: datetime | None = None) -> str:
    """Take a code of the person's app, or one of his recovery codes; returns the ``amr`` word for it.

    Runs outside any transaction of the caller's: a wrong code is counted whatever the caller rolls back to, and a right
    one is spent.

    Raises:
        WrongCode: wrong, used before, or of another time.
        AccountLocked: too many failures; the code was not looked at.
    """
    moment = now or utcnow()
    error: DomainError
    with public_scope(), transaction.atomic():
        remaining = lockout.enter(user.email, now=moment)
        if remaining is not None:
            lockout.note(user.email, user, AttemptOutcome.LOCKED, origin, now=moment)
            error = lockout.refusal(remaining)
        elif _spend(user, code, origin, moment):
            lockout.note(user.email, user, AttemptOutcome.SUCCESS, origin, now=moment)
            return CODE
        else:
            _record_refusal(user, "code", origin)
            lockout.note(user.email, user, AttemptOutcome.WRONG_CODE, origin, now=moment)
            error = WrongCode(_("This code is not valid. Take the newest one of your app, or a recovery code."))
    raise error


def check_code_field(*, user: User, code: str, origin: Origin, now: datetime | None = None) -> str:
    """`check_code` for a form with the field ``code``.

    Raises:
        ValidationFailed: it is missing or wrong.
        AccountLocked: as `check_code`.
    """
    if not code.strip():
        raise ValidationFailed.one("code", "required", _("Enter the code of your authenticator app."))
    try:
        return check_code(user=user, code=code, origin=origin, now=now)
    except WrongCode as error:
        raise ValidationFailed.one("code", "wrong", error.detail) from error


def methods_for_program(*, user: User, otp: str, origin: Origin, now: datetime | None = None) -> tuple[str, ...]:
    """The ``amr`` words of a program's sign-in whose password was right.

    Raises:
        MfaRequired: the person has a second factor and `otp` is empty.
        WrongCode, AccountLocked: as `check_code`.
    """
    found = factors.of(user.id)
    if not found.has_any:
        return (PASSWORD,)
    if not otp:
        raise MfaRequired(_("Send a code of your authenticator app, or a recovery code."), methods=list(found.methods))
    return (PASSWORD, check_code(user=user, code=otp, origin=origin, now=now), STRONG)


def check_passkey(
    *,
    ceremony: UUID,
    bound_to: str,
    credential: dict[str, Any],
    origin: Origin,
    user_id: UUID | None = None,
) -> Shown:
    """Take a passkey's answer; without `user_id` whoever it belongs to, for signing in without a password.

    A passkey that verified its person is more than one factor. It cannot be guessed, so no lockout keeps it out.

    Raises:
        PasskeyRefused: unknown, another person's, late, or its answer does not hold.
    """
    purpose = CeremonyPurpose.PROVE if user_id else CeremonyPurpose.SIGN_IN
    row = passkeys.finish_proof(
        ceremony=ceremony, bound_to=bound_to, purpose=purpose, credential=credential, user_id=user_id
    )
    with public_scope(), transaction.atomic():
        user = User.objects.get(pk=row.user_id)
        if user.may_sign_in:
            lockout.enter(user.email, now=utcnow())
            lockout.note(user.email, user, AttemptOutcome.SUCCESS, origin, now=utcnow())
        return Shown(user.id, (SYNCED_PASSKEY if row.is_synced else PASSKEY, STRONG))


def _spend(user: User, code: str, origin: Origin, now: datetime) -> bool:
    if totp.is_code(code):
        return authenticators.spend(user.id, code, now=now)
    # Codes are nobody's who has no factor they stand in for.
    if not factors.has_any(user.id) or not recovery_codes.spend(user.id, code, now=now):
        return False
    actor = Actor(ActorKind.USER, user_id=user.id, name=user.name, email=user.email, origin=origin)
    factors.told(actor, user, MfaChange.CODE_USED)
    return True


def _record_refusal(user: User, reason: str, origin: Origin) -> None:
    audit.record(
        actor=Actor(ActorKind.USER, user_id=user.id, email=user.email, origin=origin),
        action="iam.session.refuse",
        entity_type="user",
        entity_id=user.id,
        entity_label=user.email,
        after={"reason": reason},
        severity=Severity.MEDIUM,
    )
