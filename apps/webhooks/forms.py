"""What people fill in to make, change, rotate and replay webhook endpoints. The rules are the services' own."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError, ValidationFailed
from apps.webhooks.catalogue import EVERYTHING

_OVERLAPS = [
    ("0", _("Not at all")),
    ("1", _("One hour")),
    ("24", _("One day")),
    ("168", _("Seven days")),
]
_LOCAL = "%Y-%m-%dT%H:%M"


def show_refusal(form: forms.Form, error: DomainError) -> None:
    """Show a service's refusal beside the fields that it names, the rest above the form."""
    if not isinstance(error, ValidationFailed):
        form.add_error(None, error.detail)
        return
    for item in error.errors:
        form.add_error(item.field if item.field in form.fields else None, item.detail)


class EndpointForm(forms.Form):
    """An endpoint; its events are picked beside."""

    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        widget=forms.TextInput(attrs={"inputmode": "url", "dir": "ltr", "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("Where your program listens: https, on the public internet."),
    )
    description = forms.CharField(
        label=_("Description"),
        max_length=200,
        required=False,
        help_text=_("What listens there, such as “Bookkeeping”."),
    )


def picked(names: Collection[str]) -> list[str]:
    """The event types that ticked boxes mean: what a wider one covers is not said twice."""
    if EVERYTHING in names:
        return [EVERYTHING]
    return sorted(name for name in names if name.endswith(".*") or f"{name.partition('.')[0]}.*" not in names)


class RotateForm(forms.Form):
    """How long the present secret signs beside the new one, in hours."""

    overlap = forms.ChoiceField(label=_("The present secret signs along"), choices=_OVERLAPS, initial="24")

    def wanted(self) -> timedelta:
        """As `services.rotate_secret` takes it."""
        return timedelta(hours=int(self.cleaned_data["overlap"]))


class ReplayForm(forms.Form):
    """From when on an endpoint is told again."""

    since = forms.DateTimeField(
        label=_("Since"),
        input_formats=[_LOCAL, "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(format=_LOCAL, attrs={"type": "datetime-local"}),
    )
    also_arrived = forms.BooleanField(label=_("Also what has arrived"), required=False)

    def wanted(self) -> dict[str, Any]:
        """As `services.replay_since` takes it."""
        return {"since": self.cleaned_data["since"], "only_dead": not self.cleaned_data["also_arrived"]}


def replay_form() -> ReplayForm:
    """As it is opened: since yesterday at this time."""
    return ReplayForm(initial={"since": timezone.localtime() - timedelta(days=1)})
