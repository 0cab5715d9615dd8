"""What people type into the organisation's settings."""

from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.core.money import is_currency


class SettingsForm(forms.Form):
    """What stands on invoices, and how dates and amounts are shown."""

    legal_name = forms.CharField(label=_("Legal name"), max_length=200, required=False)
    email = forms.EmailField(label=_("E-mail"), required=False, help_text=_("Your clients' answers go here."))
    tax_id = forms.CharField(label=_("Tax number"), max_length=50, required=False)
    address = forms.CharField(
        label=_("Address"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    currency = forms.CharField(label=_("Currency"), min_length=3, max_length=3)
    locale = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=[(name, name.replace("_", " ")) for name in sorted(available_timezones())]
    )

    def clean_currency(self) -> str:
        """An ISO 4217 code, upper case."""
        code = str(self.cleaned_data["currency"]).upper()
        if not is_currency(code):
            raise forms.ValidationError(_("This is not a currency we know."))
        return code
