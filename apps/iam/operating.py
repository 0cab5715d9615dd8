"""What operators do to people from the admin: each verb with its question, its form and its service."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor
from apps.iam import renewing, services
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


class BanForm(forms.Form):
    """Why, and until when."""

    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))
    until = forms.DateTimeField(
        label=_("Until (UTC)"),
        required=False,
        help_text=_("Empty: for good."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )


def _ban(actor: Actor, person: User, values: dict[str, Any]) -> None:
    services.ban_person(actor=actor, user_id=person.id, **values)


def _unban(actor: Actor, person: User, _values: dict[str, Any]) -> None:
    services.unban_person(actor=actor, user_id=person.id)


def _sign_out(actor: Actor, person: User, _values: dict[str, Any]) -> None:
    services.sign_out_person(actor=actor, user_id=person.id)


def _verify(actor: Actor, person: User, _values: dict[str, Any]) -> None:
    services.mark_verified(actor=actor, user_id=person.id)


def _reset_factors(actor: Actor, person: User, _values: dict[str, Any]) -> str | Promise | None:
    if renewing.reset_factors(actor=actor, user_id=person.id):
        return None
    return _("This person has no second factor.")


VERBS: dict[str, Verb] = {
    "reset-mfa": Verb(
        _("Reset second factors"),
        _(
            "The person's authenticator app, passkeys and recovery codes are removed, and every device is signed out. "
            "Make sure first that it is the person who asks."
        ),
        _reset_factors,
    ),
    "unlock": Verb(
        _("Unlock"), _("The person may try to sign in again at once; earlier failures are forgotten."), _unlock
    ),
    "verify": Verb(
        _("Confirm the address"),
        _("The person counts as the owner of this e-mail address, without following the link that we sent."),
        _verify,
    ),
    "ban": Verb(
        _("Ban"),
        _("The person is signed out everywhere and cannot sign in to any workspace until the ban ends."),
        _ban,
        BanForm,
    ),
    "unban": Verb(_("Unban"), _("The person may sign in again at once."), _unban),
    "sign-out": Verb(
        _("Sign out everywhere"), _("Every device and program of this person has to sign in again."), _sign_out
    ),
}
