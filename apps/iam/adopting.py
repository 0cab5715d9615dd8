"""Finding the people of an imported workspace here, or making them: by e-mail, without a password."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.core import ids
from apps.core.errors import FieldError, ValidationFailed
from apps.iam.models import User, normal_email

_BROUGHT = {"email", "first_name", "last_name", "locale"}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as another installation knows him."""

    id: UUID
    email: str
    first_name: str
    last_name: str
    locale: str
    created_at: datetime


def adopt_people(people: Iterable[Person]) -> dict[UUID, UUID]:
    """From each person's id elsewhere to his id here; run in the caller's transaction, outside any tenant.

    Whoever has the e-mail here is that person and stays as he is. Others are made with the id that they bring, if it
    is free, no password, and an unverified e-mail: they set a password by the link that proves the address.

    Raises:
        ValidationFailed: an e-mail or a name is none, or an id or e-mail stands there twice.
    """
    brought = list(people)
    emails = [normal_email(person.email) for person in brought]
    if len(set(emails)) != len(emails) or len({person.id for person in brought}) != len(brought):
        raise _refusal("duplicate", "Somebody stands there twice.")
    known = dict(User.objects.filter(email__in=emails).values_list("email", "id"))
    taken = set(User.objects.filter(pk__in=[person.id for person in brought]).values_list("pk", flat=True))
    found: dict[UUID, UUID] = {}
    made = []
    for person, email in zip(brought, emails, strict=True):
        if email in known:
            found[person.id] = known[email]
            continue
        user = User(
            id=ids.uuid7() if person.id in taken else person.id,
            email=email,
            first_name=person.first_name,
            last_name=person.last_name,
            locale=person.locale,
            password=make_password(None),
        )
        _check(user)
        made.append((user, person.created_at))
        found[person.id] = user.id
    User.objects.bulk_create([user for user, _ in made])
    for user, created_at in made:
        User.objects.filter(pk=user.pk).update(created_at=created_at)
    return found


def _check(user: User) -> None:
    try:
        validate_email(user.email)
        user.clean_fields(exclude={field.name for field in User._meta.concrete_fields} - _BROUGHT)
    except ValidationError as error:
        raise _refusal("invalid", f"{user.email!r:.80} cannot be a person here.") from error


def _refusal(code: str, detail: str) -> ValidationFailed:
    return ValidationFailed([FieldError("people", code, detail)], detail)
