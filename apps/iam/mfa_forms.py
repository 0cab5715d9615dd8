"""What people fill in about second factors."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.iam.credentials import MAX_PASSWORD
from apps.iam.mfa_policy import GRACE_DAYS, MAX_GRACE_DAYS

_CODE = {"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false", "autocapitalize": "none"}


class CodeForm(forms.Form):
    """A code of the app, or a recovery code."""

    code = forms.CharField(
        label=_("Code"), max_length=40, widget=forms.TextInput(attrs=_CODE | {"inputmode": "numeric"})
    )

    def __init__(self, *args: Any, is_recovery: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_recovery:
            self.fields["code"].label = _("Recovery code")
            self.fields["code"].widget.attrs |= {"inputmode": "text", "autocomplete": "off"}


class ConfirmForm(forms.Form):
    """The password, and a code of who has a second factor."""

    password = forms.CharField(
        label=_("Your password"),
        max_length=MAX_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        help_text=_("Of your authenticator app, or a recovery code."),
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "spellcheck": "false", "autocapitalize": "none"}
        ),
    )

    def __init__(self, *args: Any, has_password: bool, has_code: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_password:
            del self.fields["password"]
        if not has_code:
            del self.fields["code"]


class PasskeyAnswerForm(forms.Form):
    """What the browser's passkey answered, filled in by a script."""

    ceremony = forms.UUIDField(widget=forms.HiddenInput)
    credential = forms.JSONField(widget=forms.HiddenInput)

    def clean_credential(self) -> dict[str, Any]:
        """An object, whatever is in it.

        Raises:
            ValidationError: something else.
        """
        found = self.cleaned_data["credential"]
        if not isinstance(found, dict) or not isinstance(found.get("response"), dict):
            raise forms.ValidationError(_("The passkey did not answer."))
        return found


class NameForm(forms.Form):
    """What a passkey is called."""

    name = forms.CharField(label=_("Name"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"}))


class PolicyForm(forms.Form):
    """What a workspace demands of its members."""

    required = forms.BooleanField(label=_("Every member signs in with a second factor"), required=False)
    grace_days = forms.IntegerField(
        label=_("Days to set it up"),
        min_value=0,
        max_value=MAX_GRACE_DAYS,
        initial=GRACE_DAYS,
        help_text=_("Counted from now for present members, from joining for later ones. 0: at once."),
    )
