"""Forms over what others may change meanwhile: the version rides along, and whoever comes second loses nothing.

A page gives its form `opened`; the form sends the version back, which `seen` hands to the service. After a
`VersionConflict` the page shows the same form again with all that was typed, and `stale` says who changed what; its
version is the present one, so that saving again is a decision and not an accident.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Any, Protocol, cast

from django import forms
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.core.versions import Expected

FIELD = "version"


class Change(Protocol):
    """Who made a change, and when."""

    @property
    def actor_name(self) -> str:
        """The person, or nobody's name for the system."""

    @property
    def occurred_at(self) -> datetime:
        """The moment."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field in which what was typed is not what stands there: `stored` stands there."""

    label: str
    stored: str


@dataclass(frozen=True, slots=True)
class Edit:
    """What a form carries of the state that it was opened on, and what to tell when that is not the present one."""

    version: str
    is_stale: bool = False
    by: str = ""
    at: datetime | None = None
    differences: tuple[Difference, ...] = ()


def opened(version: str) -> Edit:
    """A form on the present state."""
    return Edit(version)


def seen(request: HttpRequest) -> Expected:
    """The version that the sent form was opened on; None of a form that names none."""
    version = request.POST.get(FIELD, "")
    return frozenset({version}) if version else None


def stale(version: str, differences: Iterable[Difference], change: Change | None) -> Edit:
    """A form that somebody overtook: `version` is the present one, `change` the last that was made."""
    by, at = (change.actor_name, change.occurred_at) if change else ("", None)
    return Edit(version, True, by, at, tuple(differences))


def status_of(edit: Edit | None, *, is_refused: bool) -> int:
    """409 for a stale form (412 is for conditions that a program states in a header), 400 for a refused one."""
    if edit is not None and edit.is_stale:
        return HTTPStatus.CONFLICT
    return HTTPStatus.BAD_REQUEST if is_refused else HTTPStatus.OK


def differences(form: forms.Form) -> Iterator[Difference]:
    """Where a sent form differs from its ``initial``, which is what stands there now."""
    for name, field in form.fields.items():
        bound = form[name]
        if bound.is_hidden or isinstance(field, forms.FileField) or name not in form.initial:
            continue
        if field.has_changed(bound.initial, bound.data) and _lines(bound.initial) != _lines(bound.data):
            yield Difference(str(bound.label), _shown(field, bound.initial))


def _lines(value: Any) -> list[str]:
    # Browsers send other line ends than are stored, and a space at the end is none of anybody's.
    return str("" if value is None else value).strip().splitlines()


def _shown(field: forms.Field, value: Any) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if value in (None, ""):
        return _("empty")
    if isinstance(field, forms.ChoiceField):
        return next((str(label) for key, label in cast(Any, field.choices) if str(key) == str(value)), str(value))
    return date_format(value) if isinstance(value, date) else str(value)
