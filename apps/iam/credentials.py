"""Checking e-mail and password so that neither answer nor time tells which of the two was wrong."""

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.actor import Actor, ActorKind, Origin
from apps.core.errors import FieldError, ValidationFailed
from apps.core.tenants import public_scope
from apps.iam.errors import AccountInactive, InvalidCredentials
from apps.iam.models import User, normal_email

MAX_PASSWORD = 128


def verify(*, email: str, password: str, origin: Origin) -> User:
    """The person with these credentials; a failure is audited and stays so whatever the caller rolls back to.

    Raises:
        InvalidCredentials: unknown address or wrong password.
        AccountInactive: right credentials of an account that is switched off.
    """
    email = normal_email(email)
    with public_scope(), transaction.atomic():
        user = User.objects.filter(email=email).first()
        if user is None:
            # As much work as a real check does.
            make_password(password[:MAX_PASSWORD])
        if user is not None and len(password) <= MAX_PASSWORD and user.check_password(password):
            if user.is_active:
                return user
            _record_refusal(user, email, "inactive", origin)
            error: InvalidCredentials | AccountInactive = AccountInactive()
        else:
            _record_refusal(user, email, "credentials", origin)
            error = InvalidCredentials("E-mail or password is wrong.")
    raise error


def check_new_password(password: str, user: User | None = None) -> None:
    """Apply the password policy.

    Raises:
        ValidationFailed: with one error for each rule that is broken.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationFailed(
            [FieldError("password", item.code or "invalid", " ".join(item.messages)) for item in error.error_list]
        ) from error


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
