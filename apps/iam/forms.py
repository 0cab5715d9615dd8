"""What people fill in: to sign up and in, of themselves, and of members whom they invite, give roles or ban."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm

from apps.core.clock import utcnow
from apps.core.errors import DomainError, ValidationFailed
from apps.iam import credentials, factors
from apps.iam.credentials import MAX_PASSWORD
from apps.iam.models import Role
from apps.iam.origins import origin_of
from apps.iam.roles import RoleOption
from apps.tenancy import rollout


def _email(autocomplete: str, **attrs: Any) -> forms.EmailField:
    widget = forms.EmailInput(attrs={"autocomplete": autocomplete, **attrs})
    return forms.EmailField(label=_("E-mail"), max_length=254, widget=widget)


def _name(label: Any, autocomplete: str, **attrs: Any) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": autocomplete, **attrs})
    return forms.CharField(label=label, max_length=100, widget=widget)


def _present_password(label: Any, **attrs: Any) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": "current-password", **attrs})
    return forms.CharField(label=label, max_length=MAX_PASSWORD, strip=False, widget=widget)


def _new_password(label: Any, **attrs: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=MAX_PASSWORD,
        strip=False,
        help_text=_("At least 8 characters with a lower-case letter, an upper-case letter and a digit."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", **attrs}),
    )


class SignUpForm(forms.Form):
    """A person and the organisation that he opens."""

    tenant_name = forms.CharField(
        label=_("Organisation"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "organization", "autofocus": True}),
    )
    first_name = _name(_("First name"), "given-name")
    last_name = _name(_("Last name"), "family-name")
    email = _email("email")
    password = _new_password(_("Password"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if rollout.is_single():
            # Everybody joins the one workspace that there is.
            del self.fields["tenant_name"]


class SignInForm(forms.Form):
    """E-mail and password."""

    email = _email("username", autofocus=True)
    password = _present_password(_("Password"))


class EmailForm(forms.Form):
    """An address alone."""

    email = _email("username", autofocus=True)


class TokenForm(forms.Form):
    """A token of a mail, which the person does not see."""

    token = forms.CharField(max_length=100, widget=forms.HiddenInput)


class NewPasswordForm(TokenForm):
    """A new password by a token of a mail."""

    password = _new_password(_("New password"), autofocus=True)


class JoinForm(forms.Form):
    """The password of the invited person's account, and a code if he has a second factor."""

    password = _present_password(_("Password"), autofocus=True)
    otp = forms.CharField(
        label=_("Code"),
        max_length=40,
        required=False,
        help_text=_("Of your authenticator app, or a recovery code; empty if you use neither."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
    )


class NewcomerForm(forms.Form):
    """An invited person who has no account yet."""

    first_name = _name(_("First name"), "given-name", autofocus=True)
    last_name = _name(_("Last name"), "family-name")
    password = _new_password(_("Password"))


class ProfileForm(forms.Form):
    """One's own names and language."""

    first_name = _name(_("First name"), "given-name")
    last_name = _name(_("Last name"), "family-name")
    locale = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)


class PasswordChangeForm(forms.Form):
    """The present password and the new one."""

    current_password = _present_password(_("Present password"))
    new_password = _new_password(_("New password"))


class _RoleSelect(forms.Select):
    """Roles that the viewer may not give are shown, disabled, with the reason."""

    refused: frozenset[str] = frozenset()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """One entry of the list."""
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        if str(value) in self.refused:
            option["attrs"]["disabled"] = True
        return option


class InviteForm(forms.Form):
    """Whom to invite, and as what."""

    email = _email("off")
    role = forms.ChoiceField(label=_("Role"), initial=Role.MEMBER.value)

    def __init__(self, *args: Any, options: list[RoleOption], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field, select = self.fields["role"], _RoleSelect()
        select.refused = frozenset(option.role.id for option in options if option.refusal)
        assert isinstance(field, forms.ChoiceField)
        field.widget = select
        field.choices = [
            (option.role.id, f"{option.role.label} ({option.refusal})" if option.refusal else option.role.label)
            for option in options
        ]


class CustomRoleForm(forms.Form):
    """A role's name; what it allows is read from the checkboxes themselves, which show reasons, too."""

    name = forms.CharField(label=_("Name"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"}))


class BanForm(forms.Form):
    """Why a member is kept out, and for how long."""

    reason = forms.CharField(label=_("Reason"), max_length=300, required=False)
    days = forms.IntegerField(
        label=_("Days"), min_value=1, max_value=3650, required=False, help_text=_("Empty: until you lift the ban.")
    )

    def until(self) -> datetime | None:
        """When the ban ends by itself."""
        days = self.cleaned_data["days"]
        return utcnow() + timedelta(days=days) if days else None


def show_refusal(form: forms.Form, error: DomainError) -> None:
    """Put a refusal beside the fields that it is about, or above the form."""
    if not isinstance(error, ValidationFailed):
        form.add_error(None, error.detail)
        return
    for item in error.errors:
        form.add_error(item.field if item.field in form.fields else None, item.detail)


# Where the form leaves a person on the request whose password is right, and who owes more than that.
OPERATOR_VERIFIED = "operator_verified"


class OperatorSignInForm(AuthenticationForm):
    """The admin's own sign-in, with the same check and the same audit trail as every other."""

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["password"].max_length = MAX_PASSWORD

    def clean(self) -> dict[str, Any]:
        """Check the credentials.

        Raises:
            ValidationError: they are wrong, the person is no operator, or the password is not all that he has to show.
        """
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if email and password and self.request is not None:
            try:
                user = credentials.verify(email=email, password=password, origin=origin_of(self.request, "WEB"))
                credentials.require_own(user)
            except DomainError as error:
                raise forms.ValidationError(error.detail, code=error.code) from error
            self.confirm_login_allowed(user)
            if settings.OPERATORS_MUST_USE_MFA or factors.has_any(user.id):
                setattr(self.request, OPERATOR_VERIFIED, user)
                raise forms.ValidationError(_("A second factor is needed."), code="mfa_required")
            self.user_cache = user
        return dict(self.cleaned_data)
