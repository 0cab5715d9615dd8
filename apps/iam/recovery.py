"""Passwords that are forgotten or changed, and e-mail addresses that are confirmed (PRODUCT, iam)."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.actor import Actor, ActorKind, Origin
from apps.core.clock import utcnow
from apps.core.errors import NotFound, ValidationFailed
from apps.core.events import publish
from apps.core.tenants import public_scope
from apps.iam import account_tokens, credentials, lockout, signins
from apps.iam.errors import InvalidCredentials
from apps.iam.events import PasswordChanged
from apps.iam.models import TokenPurpose, User, normal_email
from apps.iam.sso import claiming, enforcing


def request_password_reset(*, email: str, origin: Origin, now: datetime | None = None) -> None:
    """Send a reset link to this address if it has an account; the caller's answer is always the same."""
    _request(TokenPurpose.RESET, email, "iam.password.request_reset", origin, now)


def request_verification(*, email: str, origin: Origin, now: datetime | None = None) -> None:
    """Send the link that confirms this address again, if that is still to be done; always answered the same."""
    _request(TokenPurpose.VERIFY, email, "iam.email.request_verification", origin, now)


def reset_password(*, token: str, password: str, origin: Origin, now: datetime | None = None) -> UUID:
    """Set a new password by a mailed token; every session and sign-in ends, a lock opens. Returns the person's id.

    The first proof that the address is read takes away what somebody set up before it: second factors and API keys.

    Raises:
        InvalidLink: the token does not hold (any more).
        ValidationFailed: the password breaks the policy; the token stays good.
    """
    moment = now or utcnow()
    with public_scope(), transaction.atomic():
        user = account_tokens.redeem(TokenPurpose.RESET, token, now=moment)
        credentials.check_new_password(password, user)
        # Whoever reads the address's mail has shown that it is his, the first one to show it also whose the account is.
        claiming.claim_unproved(user, _person(user, origin))
        _set_password(user, password, moment)
        user.email_verified_at = user.email_verified_at or moment
        user.save(
            update_fields=["password", "password_changed_at", "must_change_password", "email_verified_at", "updated_at"]
        )
        signins.end_all(user, "password_reset", now=moment)
        lockout.clear(user.email)
        _record(_person(user, origin), user, "iam.password.reset", Severity.HIGH)
        _tell_of_change(user)
        return user.id


def change_password(*, actor: Actor, family_id: UUID | None, current_password: str, new_password: str) -> None:
    """Set a new password, knowing the present one; every sign-in but `family_id` ends.

    Runs outside any transaction of the caller's, so that a wrong guess is counted.

    Raises:
        ValidationFailed: the present one is wrong, the new one is the same or breaks the policy.
        InvalidToken: the sign-in `family_id` has ended since the request was let in.
        AccountLocked: too many wrong guesses.
        FederatedSession: his workspace's provider vouched for him, who may not end what is elsewhere.
    """
    if actor.user_id is None:
        raise NotFound
    enforcing.require_own_sign_in(actor)
    try:
        known = credentials.verify(email=actor.email, password=current_password, origin=actor.origin)
    except InvalidCredentials as error:
        raise ValidationFailed.one("current_password", "wrong", _("This is not your present password.")) from error
    now = utcnow()
    with public_scope(), transaction.atomic():
        user = signins.locked_person_of(family_id, actor.user_id)
        if user.password != known.password:
            # Replaced while the present one was checked: by its owner, perhaps because this one is known to somebody.
            raise ValidationFailed.one("current_password", "wrong", _("This is not your present password."))
        if new_password == current_password:
            raise ValidationFailed.one(
                "new_password", "password_unchanged", _("The new password is the same as the present one.")
            )
        credentials.check_new_password(new_password, user, field="new_password")
        _set_password(user, new_password, now)
        user.save(update_fields=["password", "password_changed_at", "must_change_password", "updated_at"])
        signins.end_others(user, keep=family_id, reason="password_change")
        _record(actor, user, "iam.password.change", Severity.HIGH)
        _tell_of_change(user)


def verify_email(*, token: str, origin: Origin, now: datetime | None = None) -> UUID:
    """Confirm an address by its mailed token; returns the person's id.

    Raises:
        InvalidLink: the token does not hold (any more).
    """
    moment = now or utcnow()
    with public_scope(), transaction.atomic():
        user = account_tokens.redeem(TokenPurpose.VERIFY, token, now=moment)
        if user.email_verified_at is None:
            user.email_verified_at = moment
            user.save(update_fields=["email_verified_at", "updated_at"])
            _record(_person(user, origin), user, "iam.email.verify", Severity.INFO)
        return user.id


def mark_verified(*, actor: Actor, user_id: UUID) -> None:
    """Confirm somebody's address as an operator.

    Raises:
        PermissionRefused: the actor lacks ``platform:write``.
        NotFound: there is no such person.
    """
    actor.require("platform:write")
    with public_scope(), transaction.atomic():
        user = User.objects.locked(user_id)
        if user.email_verified_at is None:
            user.email_verified_at = utcnow()
            user.save(update_fields=["email_verified_at", "updated_at"])
            _record(actor, user, "iam.email.verify", Severity.MEDIUM)


def _request(purpose: TokenPurpose, email: str, action: str, origin: Origin, now: datetime | None) -> None:
    email = normal_email(email)
    with public_scope(), transaction.atomic():
        if account_tokens.issue(purpose, email, now=now or utcnow()) is None:
            return
        # No look at the accounts here: the entry costs the same for every address.
        audit.record(
            actor=Actor(ActorKind.USER, email=email, origin=origin),
            action=action,
            entity_type="user",
            entity_id="unknown",
            entity_label=email,
            severity=Severity.MEDIUM,
        )


def _set_password(user: User, password: str, now: datetime) -> None:
    user.password = make_password(password)
    user.password_changed_at, user.must_change_password = now, False


def _person(user: User, origin: Origin) -> Actor:
    return Actor(ActorKind.USER, user_id=user.id, name=user.name, email=user.email, origin=origin)


def _tell_of_change(user: User) -> None:
    publish(PasswordChanged(user_id=user.id, email=user.email, name=user.name, locale=user.locale))


def _record(actor: Actor, user: User, action: str, severity: Severity) -> None:
    audit.record(
        actor=actor,
        action=action,
        entity_type="user",
        entity_id=user.id,
        entity_label=user.email,
        severity=severity,
    )
