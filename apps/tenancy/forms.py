"""What people type into the organisation's settings. The services' own rules are checked there."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError, ValidationFailed
from apps.tenancy import brands, tax_ids
from apps.tenancy.hosts import readable
from apps.tenancy.profile import TIME_ZONES


def show_refusal(form: forms.Form, error: DomainError, names: dict[str, str] | None = None) -> None:
    """Show a service's refusal beside the fields that it names, the rest above the form."""
    if not isinstance(error, ValidationFailed):
        form.add_error(None, error.detail)
        return
    for item in error.errors:
        name = (names or {}).get(item.field, item.field)
        form.add_error(name if name in form.fields else None, item.detail)


class OrganisationForm(forms.Form):
    """Who the organisation is."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("What your team and the sign-in page call it."))
    legal_name = forms.CharField(
        label=_("Legal name"), max_length=200, required=False, help_text=_("Printed on invoices instead of the name.")
    )
    email = forms.EmailField(label=_("E-mail"), required=False, help_text=_("Your clients' answers go here."))
    address = forms.CharField(
        label=_("Address"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )


class RegionForm(forms.Form):
    """How dates and amounts are shown."""

    currency = forms.CharField(
        label=_("Currency"), min_length=3, max_length=3, help_text=_("For new clients, such as EUR.")
    )
    locale = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=[(name, name.replace("_", " ")) for name in sorted(TIME_ZONES)],
        help_text=_("Decides which day it is on invoices."),
    )

    def clean_currency(self) -> str:
        """Upper case."""
        return str(self.cleaned_data["currency"]).upper()


class TaxIdForm(forms.Form):
    """One tax number."""

    kind = forms.ChoiceField(label=_("Kind"), choices=[(key, kind.label) for key, kind in tax_ids.KINDS.items()])
    value = forms.CharField(label=_("Number"), max_length=tax_ids.LONGEST)


class SlugForm(forms.Form):
    """The sub-domain."""

    slug = forms.CharField(
        label=_("Address"),
        max_length=50,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )


class DomainForm(forms.Form):
    """A custom domain."""

    domain = forms.CharField(
        label=_("Domain"),
        max_length=253,
        widget=forms.TextInput(
            attrs={"placeholder": "billing.example.com", "autocapitalize": "none", "spellcheck": "false", "dir": "ltr"}
        ),
    )


class BrandForm(forms.Form):
    """A brand; its logo is uploaded beside it."""

    name = forms.CharField(label=_("Name"), max_length=brands.LONGEST_NAME)
    accent = forms.CharField(
        label=_("Accent colour"), max_length=7, widget=forms.TextInput(attrs={"type": "color", "list": "accents"})
    )
    logo = forms.FileField(
        label=_("Logo"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text=_("PNG, JPEG or WebP, at most 2 MB."),
    )
    remove_logo = forms.BooleanField(label=_("Remove the logo"), required=False)
    sender_name = forms.CharField(
        label=_("Sender's name"), max_length=brands.LONGEST_SENDER, required=False,
        help_text=_("Who your e-mails are from; the organisation's name when empty."),
    )  # fmt: skip
    reply_to = forms.EmailField(
        label=_("Answers go to"),
        max_length=brands.LONGEST_REPLY_TO,
        required=False,
        help_text=_("The organisation's e-mail address when empty."),
    )
    locale = forms.ChoiceField(label=_("Language"), required=False)
    domain_id = forms.ChoiceField(label=_("Domain"), required=False, help_text=_("Invoices of this brand are there."))
    invoice_intro = forms.CharField(
        label=_("Introduction"), max_length=brands.LONGEST_TEXT, required=False,
        widget=forms.Textarea(attrs={"rows": 2}), help_text=_("Stands above the lines of an invoice."),
    )  # fmt: skip
    payment_terms = forms.CharField(
        label=_("Payment terms"), max_length=brands.LONGEST_TEXT, required=False,
        widget=forms.Textarea(attrs={"rows": 2}), help_text=_("Stands below the total."),
    )  # fmt: skip
    invoice_footer = forms.CharField(
        label=_("Footer"), max_length=brands.LONGEST_TEXT, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, domains: Sequence[tuple[Any, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        languages: Iterable[tuple[str, Any]] = settings.LANGUAGES
        locale = cast(forms.ChoiceField, self.fields["locale"])
        locale.choices = [("", _("As each client prefers")), *languages]
        hosts = [(str(domain_id), readable(name)) for domain_id, name in domains]
        domain = cast(forms.ChoiceField, self.fields["domain_id"])
        domain.choices = [("", _("The organisation's address")), *hosts]

    def values(self) -> brands.BrandChanges:
        """What the service takes; a field that was refused is left out."""
        names = ("name", "accent", "sender_name", "reply_to", "locale", *brands.TEXTS)
        values = {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}
        for name in brands.TEXTS:
            if name in values:
                values[name] = values[name].replace("\r\n", "\n")
        if "domain_id" in self.cleaned_data:
            values["domain_id"] = self.cleaned_data["domain_id"] or None
        return cast(brands.BrandChanges, values)
