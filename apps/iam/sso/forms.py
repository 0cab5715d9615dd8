"""What administrators fill in to set up their identity provider."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core.errors import ValidationFailed
from apps.iam.sso.connections import ConnectionView

_CHECKS = ("is_enabled", "is_required", "admits_new", "trusts_email")


class ConnectionForm(forms.Form):
    """The provider, whom it lets in, and as what."""

    name = forms.CharField(
        label=_("Name on the button"), max_length=60, widget=forms.TextInput(attrs={"placeholder": "Acme ID"})
    )
    issuer = forms.CharField(
        label=_("Issuer"),
        max_length=500,
        help_text=_("The address of the provider, exactly as it names itself."),
        widget=forms.URLInput(attrs={"dir": "ltr", "placeholder": "https://login.example.com"}),
    )
    client_id = forms.CharField(label=_("Client ID"), max_length=255, widget=forms.TextInput(attrs={"dir": "ltr"}))
    client_secret = forms.CharField(
        label=_("Client secret"),
        max_length=1000,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "dir": "ltr"}),
    )
    default_role = forms.ChoiceField(label=_("Role of new members"))
    group_claim = forms.CharField(
        label=_("Claim with groups"),
        max_length=100,
        required=False,
        help_text=_("For example groups. Leave it empty to give roles here."),
        widget=forms.TextInput(attrs={"dir": "ltr"}),
    )
    group_roles = forms.CharField(
        label=_("Roles of groups"),
        max_length=20_000,
        required=False,
        help_text=_("One group in a line, an equals sign, and the role: accounting = ACCOUNTANT"),
        widget=forms.Textarea(attrs={"rows": 3, "dir": "ltr"}),
    )
    is_enabled = forms.BooleanField(label=_("Offer it on the sign-in page"), required=False)
    admits_new = forms.BooleanField(label=_("Let new people join by signing in"), required=False)
    is_required = forms.BooleanField(label=_("Require it of people with our mail domains"), required=False)
    trusts_email = forms.BooleanField(
        label=_("Trust addresses that the provider does not call verified"), required=False
    )

    def __init__(self, *args: Any, roles: list[tuple[str, Any]], present: ConnectionView | None, **kwargs: Any) -> None:
        if present is not None:
            lines = (f"{group} = {role}" for group, role in present.group_roles.items())
            kwargs["initial"] = {name: getattr(present, name) for name in self.base_fields if hasattr(present, name)}
            kwargs["initial"]["group_roles"] = "\n".join(lines)
        else:
            kwargs["initial"] = {"admits_new": True}
        super().__init__(*args, **kwargs)
        field = self.fields["default_role"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = roles
        if present is not None:
            self.fields["client_secret"].help_text = _("Stored. Fill it in only to replace it.")

    @property
    def picks(self) -> list[forms.BoundField]:
        """The switches."""
        return [self[name] for name in _CHECKS]

    def wanted(self) -> dict[str, Any]:
        """The values as the service takes them.

        Raises:
            ValidationFailed: a line of the groups is no group and role.
        """
        return {**self.cleaned_data, "group_roles": _groups(self.cleaned_data["group_roles"])}


class MailDomainForm(forms.Form):
    """A domain whose addresses are the organisation's."""

    domain = forms.CharField(
        label=_("Domain"), max_length=253, widget=forms.TextInput(attrs={"dir": "ltr", "placeholder": "example.com"})
    )


def _groups(text: str) -> dict[str, str]:
    found = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        group, sign, role = line.rpartition("=")
        if not sign or not group.strip() or not role.strip():
            raise ValidationFailed.one("group_roles", "invalid", str(_("Write each line as: group = ROLE")))
        found[group.strip()] = role.strip()
    return found
