"""What people type to give money back."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core.typed_numbers import NumberField, minor_of
from apps.payments.choices import RefundReason

REASONS = [
    (RefundReason.REQUESTED_BY_CUSTOMER, _("Asked for by the customer")),
    (RefundReason.DUPLICATE, _("Paid twice")),
    (RefundReason.FRAUDULENT, _("Fraud")),
    (RefundReason.OTHER, _("Another reason")),
]


class RefundForm(forms.Form):
    """An amount in major units, and why."""

    amount = NumberField(label=_("Amount"), localize=True)
    reason = forms.ChoiceField(label=_("Reason"), choices=REASONS)

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency

    def clean_amount(self) -> int:
        """In minor units."""
        return minor_of(self.cleaned_data["amount"], self.currency)
