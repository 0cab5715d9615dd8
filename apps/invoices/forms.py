"""What people type into clients and invoices, turned into the services' input."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.core.errors import FieldError
from apps.core.money import is_currency, to_decimal
from apps.core.typed_numbers import NumberField, minor_of
from apps.invoices.draft_rules import LineInput
from apps.invoices.drafting import DraftInput
from apps.invoices.models import NEGATIVE_ITEM_TYPES, ItemType
from apps.invoices.projections import ClientView, InvoiceView
from apps.tenancy.brands import BrandView

CURRENCIES = ("EUR", "USD", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "JPY", "KWD", "AED", "SAR")
MAX_FORM_LINES = 500
MANUAL_METHODS = [
    ("BANK_TRANSFER", _("Bank transfer")),
    ("CASH", _("Cash")),
    ("CHEQUE", _("Cheque")),
    ("CARD", _("Card")),
    ("OTHER", _("Other")),
]


def attach(form: forms.Form, errors: Sequence[FieldError], names: dict[str, str] | None = None) -> None:
    """Show a service's refusals beside the fields that they name, the others above the form."""
    for error in errors:
        name = (names or {}).get(error.field, error.field)
        form.add_error(name if name in form.fields else None, error.detail)


class ClientForm(forms.Form):
    """A client."""

    name = forms.CharField(label=_("Name"), max_length=200)
    email = forms.EmailField(label=_("E-mail"), required=False, help_text=_("Invoices and receipts are sent here."))
    phone = forms.CharField(label=_("Phone"), max_length=30, required=False)
    tax_id = forms.CharField(label=_("Tax number"), max_length=50, required=False)
    address = forms.CharField(
        label=_("Address"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    currency = forms.ChoiceField(label=_("Currency"), choices=[(code, code) for code in CURRENCIES])
    locale = forms.ChoiceField(label=_("Language"), choices=[("en", "English"), ("de", "Deutsch"), ("ar", "العربية")])
    notes = forms.CharField(
        label=_("Notes"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Only your team sees these."),
    )  # fmt: skip


class InvoiceForm(forms.Form):
    """The head of an invoice; its lines are a form set beside it."""

    client = forms.ChoiceField(label=_("Client"))
    currency = forms.ChoiceField(label=_("Currency"), choices=[(code, code) for code in CURRENCIES])
    issue_date = forms.DateField(
        label=_("Issued"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    due_date = forms.DateField(label=_("Due"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    discount = NumberField(label=_("Discount"), required=False, help_text=_("Off the whole invoice, before tax."))
    notes = forms.CharField(
        label=_("Notes"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Printed on the invoice."),
    )  # fmt: skip
    brand = forms.ChoiceField(label=_("Brand"), required=False)

    def __init__(
        self, *args: Any, clients: Sequence[ClientView], brands: Sequence[BrandView] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        of_brand, of_client = (cast(forms.ChoiceField, self.fields[name]) for name in ("brand", "client"))
        of_brand.choices = [("", _("Default brand")), *((str(brand.id), brand.name) for brand in brands)]
        of_client.choices = [("", _("Choose a client")), *((str(client.id), client.name) for client in clients)]

    def clean(self) -> dict[str, Any]:
        """The discount in minor units of the currency that was chosen."""
        values = super().clean() or {}
        if is_currency(values.get("currency", "")) and "discount" in values:
            try:
                values["discount_minor"] = minor_of(values["discount"], values["currency"])
            except forms.ValidationError as error:
                self.add_error("discount", error)
        return values


class LineForm(forms.Form):
    """One line."""

    description = forms.CharField(label=_("Description"), max_length=500)
    quantity = NumberField(label=_("Quantity"))
    unit_price = NumberField(label=_("Unit price"))
    tax_rate = NumberField(label=_("Tax %"), required=False)
    discount = NumberField(label=_("Discount"), required=False)
    item_type = forms.CharField(required=False, widget=forms.HiddenInput)

    def read(self, currency: str) -> LineInput | None:
        """The service's line; refusals are noted on the form."""
        amounts: dict[str, int] = {}
        for name in ("unit_price", "discount"):
            try:
                amounts[name] = minor_of(self.cleaned_data[name], currency)
            except forms.ValidationError as error:
                self.add_error(name, error)
        if self.errors:
            return None
        return LineInput(
            description=self.cleaned_data["description"],
            quantity=self.cleaned_data["quantity"],
            unit_price_minor=amounts["unit_price"],
            tax_rate=self.cleaned_data["tax_rate"],
            discount_minor=amounts["discount"],
            item_type=_item_type(self.cleaned_data["item_type"], amounts["unit_price"]),
        )


def _item_type(typed: str, unit_price_minor: int) -> str:
    # A price below zero makes a line a credit, and the other way round.
    if unit_price_minor < 0:
        return typed if typed in NEGATIVE_ITEM_TYPES else ItemType.CREDIT
    return ItemType.PRODUCT if not typed or typed in NEGATIVE_ITEM_TYPES else typed


LineForms = forms.formset_factory(
    LineForm, extra=0, min_num=1, validate_min=True, can_delete=True, max_num=MAX_FORM_LINES, validate_max=True,
    absolute_max=MAX_FORM_LINES,
)  # fmt: skip


def kept_lines(lines: Any) -> list[LineForm]:
    """The lines that count: neither removed nor added and left empty."""
    return [line for line in lines.forms if line.cleaned_data and not line.cleaned_data.get("DELETE")]


def draft_of(form: InvoiceForm, lines: Any) -> DraftInput | None:
    """The draft that was typed, or nothing when a field is wrong; the forms then say which."""
    if not (form.is_valid() & lines.is_valid()):
        return None
    values = form.cleaned_data
    read = [line.read(values["currency"]) for line in kept_lines(lines)]
    if any(line is None for line in read):
        return None
    return DraftInput(
        client_id=UUID(values["client"]),
        currency=values["currency"],
        issue_date=values["issue_date"],
        due_date=values["due_date"],
        discount_minor=values["discount_minor"],
        notes=values["notes"],
        brand_id=UUID(values["brand"]) if values["brand"] else None,
        lines=tuple(line for line in read if line is not None),
    )


def initial_of(invoice: InvoiceView) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What the editor shows of a draft: the head's values and the lines'."""
    currency = invoice.currency
    head = {
        "client": str(invoice.client.id),
        "currency": currency,
        "issue_date": invoice.issue_date,
        "due_date": invoice.due_date,
        "discount": shown(invoice.discount_minor, currency) if invoice.discount_minor else "",
        "notes": invoice.notes,
        "brand": str(invoice.brand_id or ""),
    }
    lines = [
        {
            "description": line.description,
            "quantity": plain(line.quantity),
            "unit_price": shown(line.unit_price_minor, currency),
            "tax_rate": plain(line.tax_rate),
            "discount": shown(line.discount_minor, currency) if line.discount_minor else "",
            "item_type": line.item_type,
        }
        for line in invoice.lines
    ]
    return head, lines


def shown(amount_minor: int, currency: str) -> str:
    """Major units as the inputs show them."""
    return _with_local_point(f"{to_decimal(amount_minor, currency):f}")


def plain(number: Decimal) -> str:
    """A number without idle zeros."""
    text = f"{number:f}"
    return _with_local_point(text.rstrip("0").rstrip(".") if "." in text else text)


def _with_local_point(text: str) -> str:
    return text.replace(".", ",") if (get_language() or "en").startswith("de") else text


class PaymentForm(forms.Form):
    """Money that came in another way than by the hosted page."""

    amount = NumberField(label=_("Amount"))
    method = forms.ChoiceField(label=_("Method"), choices=MANUAL_METHODS)
    reference = forms.CharField(label=_("Reference"), max_length=100, required=False)

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency

    def clean_amount(self) -> int:
        """In minor units."""
        return minor_of(self.cleaned_data["amount"], self.currency)
