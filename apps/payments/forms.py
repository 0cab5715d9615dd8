"""What people type to give money back."""

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.payments.choices import RefundReason

REASONS = [
    (RefundReason.REQUESTED_BY_CUSTOMER, _("Asked for by the customer")),
    (RefundReason.DUPLICATE, _("Paid twice")),
    (RefundReason.FRAUDULENT, _("Fraud")),
    (RefundReason.OTHER, _("Another reason")),
]


class RefundForm(forms.Form):
    """An amount in major units, and why."""

    amount = forms.DecimalField(label=_("Amount"), max_digits=20, decimal_places=3, localize=True)
    reason = forms.ChoiceField(label=_("Reason"), choices=REASONS)
