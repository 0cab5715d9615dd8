"""Checking e-mail and password so that neither answer nor time tells which of the two was wrong."""

from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.actor import Actor, ActorKind, Origin
from apps.core.clock import utcnow
from apps.core.errors import DomainError, FieldError, ValidationFailed
from apps.core.tenants import public_scope
from apps.iam import factors, lockout
from apps.iam.attempt_models import AttemptOutcome
from apps.iam.errors import AccountBanned, AccountInactive, InvalidCredentials, PasswordChangeRequired
from apps.iam.models import User, normal_email

MAX_PASSWORD = 128


def verify(*, email: str, password: str, origin: Origin, now: datetime | None = None) -> User:
    """The person with these credentials; a failure is counted and stays so whatever the caller rolls back to.

    Raises:
        InvalidCredentials: unknown address or wrong password.
        AccountLocked: too many failures; the password was not looked at.
        AccountBanned: right credentials of somebody whom operators keep out.
        AccountInactive: right credentials of an account that is switched off.
    """
    email, now = normal_email(email), now or utcnow()
    error: DomainError
    with public_scope(), transaction.atomic():
        remaining = lockout.enter(email, now=now)
        user = User.objects.filter(email=email).first()
        if remaining is not None:
            lockout.note(email, user, AttemptOutcome.LOCKED, origin, now=now)
            error = lockout.refusal(remaining)
        elif user is None or not _is_right(user, password):
            if user is None:
                # As much work as a real check does.
                make_password(password[:MAX_PASSWORD])
            _record_refusal(user, email, "credentials", origin)
            lockout.note(email, user, AttemptOutcome.WRONG, origin, now=now)
            error = InvalidCredentials(_("E-mail or password is wrong."))
        elif not user.may_sign_in:
            _record_refusal(user, email, "banned" if user.is_active else "inactive", origin)
            lockout.note(email, user, AttemptOutcome.INACTIVE, origin, now=now)
            error = AccountBanned() if user.is_active else AccountInactive()
        else:
            # Who has a second factor has not succeeded yet, or its codes could be guessed between two right passwords.
            outcome = AttemptOutcome.HALF if factors.has_any(user.id) else AttemptOutcome.SUCCESS
            lockout.note(email, user, outcome, origin, now=now)
            return user
    raise error


def require_own(user: User) -> User:
    """The person, if his password is one of his own: what an operator gave opens the page to change it, and no more.

    Raises:
        PasswordChangeRequired: it is not.
    """
    if user.must_change_password:
        raise PasswordChangeRequired(_("Choose a password of your own first."))
    return user


def check_new_password(password: str, user: User | None = None, *, field: str = "password") -> None:
    """Apply the password policy; `field` names the input in the refusal.

    Raises:
        ValidationFailed: with one error for each rule that is broken.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationFailed(
            [FieldError(field, item.code or "invalid", " ".join(item.messages)) for item in error.error_list]
        ) from error


def _is_right(user: User, password: str) -> bool:
    # A password that is too long costs as much as any other, so that its time tells nothing of the address.
    tried, present = password[:MAX_PASSWORD], user.password

    def hash_anew(raw: str) -> None:
        # Whoever changes the person at this moment is not waited for, as he may wait for this address's turn, and what
        # he set is not undone: the next sign-in hashes anew.
        hashed = make_password(raw)
        same = User.objects.select_for_update(skip_locked=True).filter(pk=user.pk, password=present).first()
        if same is not None:
            user.password = same.password = hashed
            same.save(update_fields=["password"])

    return check_password(tried, present, hash_anew) and len(password) <= MAX_PASSWORD


def _record_refusal(user: User | None, email: str, reason: str, origin: Origin) -> None:
    audit.record(
        actor=Actor(ActorKind.USER, user_id=user.id if user else None, email=email, origin=origin),
        action="iam.session.refuse",
        entity_type="user",
        entity_id=user.id if user else "unknown",
        entity_label=email,
        after={"reason": reason},
        severity=Severity.MEDIUM,
    )
