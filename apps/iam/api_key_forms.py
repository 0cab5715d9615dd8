"""What people fill in to make and rotate API keys."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core.clock import utcnow
from apps.iam.api_key_models import SignatureAlgorithm

_LIVES = [
    ("30", _("30 days")),
    ("90", _("90 days")),
    ("365", _("One year")),
    ("0", _("Until it is revoked")),
]
_OVERLAPS = [
    ("0", _("Not at all")),
    ("1", _("One hour")),
    ("24", _("One day")),
    ("168", _("Seven days")),
]


class ApiKeyForm(forms.Form):
    """A new key; its permissions are picked beside."""

    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("What uses it, such as “Shop” or “Accounting”.")
    )
    lives = forms.ChoiceField(label=_("Good for"), choices=_LIVES, initial="90")
    algorithm = forms.ChoiceField(
        label=_("Signed requests"),
        choices=SignatureAlgorithm.choices,
        required=False,
        help_text=_("The key then works only with signed requests, so that a secret that leaks is worth nothing."),
    )
    public_key = forms.CharField(
        label=_("Public key"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "dir": "ltr"}),
        help_text=_("Only for signatures by public key: PEM, as your program has it."),
    )

    def wanted(self) -> dict[str, Any]:
        """As `api_keys.create_api_key` takes it."""
        days = int(self.cleaned_data["lives"])
        return {
            "name": self.cleaned_data["name"],
            "expires_at": utcnow() + timedelta(days=days) if days else None,
            "algorithm": self.cleaned_data["algorithm"],
            "public_key": self.cleaned_data["public_key"],
        }


class RotateForm(forms.Form):
    """How long the present secret stays good beside the new one, in hours."""

    overlap = forms.ChoiceField(label=_("The present secret stays good"), choices=_OVERLAPS, initial="24")
