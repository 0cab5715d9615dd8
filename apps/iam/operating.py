"""What operators do to people from the admin: each verb with its question, its form and its service."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor
from apps.iam import services
from apps.iam.models import User


@dataclass(frozen=True, slots=True)
class Verb:
    """One action on a person. `act` may return what the operator is told."""

    title: str | Promise
    consequence: str | Promise
    act: Callable[[Actor, User, dict[str, Any]], str | Promise | None]
    form: type[forms.Form] = forms.Form


def _unlock(actor: Actor, person: User, _values: dict[str, Any]) -> str | Promise | None:
    if services.unlock(actor=actor, email=person.email):
        return None
    return _("This account was not locked.")


def _verify(actor: Actor, person: User, _values: dict[str, Any]) -> None:
    services.mark_verified(actor=actor, user_id=person.id)


VERBS: dict[str, Verb] = {
    "unlock": Verb(
        _("Unlock"), _("The person may try to sign in again at once; earlier failures are forgotten."), _unlock
    ),
    "verify": Verb(
        _("Confirm the address"),
        _("The person counts as the owner of this e-mail address, without following the link that we sent."),
        _verify,
    ),
}
