"""Numbers and amounts as people type them, each in the way of his country."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core.money import MAX_MINOR, exponent

MAX_NUMBER_LENGTH = 30


def decimal_of(text: str) -> Decimal:
    """A number as people write it: point or comma before the decimals, spaces between thousands.

    Raises:
        forms.ValidationError: not a number.
    """
    compact = text.replace(" ", "").replace("\u00a0", "").replace("\u202f", "")
    if "," in compact and "." in compact:
        # The sign that comes last is the decimal one, the other separates thousands.
        thousands = "," if compact.rfind(".") > compact.rfind(",") else "."
        compact = compact.replace(thousands, "")
    try:
        number = Decimal(compact.replace(",", "."))
    except InvalidOperation as error:
        raise forms.ValidationError(_("Enter a number.")) from error
    if not number.is_finite():
        raise forms.ValidationError(_("Enter a number."))
    return number


class NumberField(forms.Field):
    """A decimal number in the reader's way of writing."""

    def __init__(self, **options: Any) -> None:
        attributes = {"inputmode": "decimal", "autocomplete": "off", "maxlength": MAX_NUMBER_LENGTH}
        options.setdefault("widget", forms.TextInput(attrs=attributes))
        super().__init__(**options)

    def to_python(self, value: Any) -> Decimal | None:
        """The exact number; empty is zero when the field is not required."""
        text = str(value or "").strip()
        if not text:
            return None if self.required else Decimal(0)
        if len(text) > MAX_NUMBER_LENGTH:
            raise forms.ValidationError(_("Enter a shorter number."))
        return decimal_of(text)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """By what is typed: an empty field is not a zero."""
        return str(initial or "").strip() != str(data or "").strip()


def minor_of(amount: Decimal, currency: str) -> int:
    """An amount in minor units.

    Raises:
        forms.ValidationError: more than anybody owes, or more decimals than the currency has.
    """
    if abs(amount) > MAX_MINOR:
        raise forms.ValidationError(_("Enter a shorter number."))
    scaled = amount.scaleb(exponent(currency))
    if scaled != scaled.to_integral_value():
        raise forms.ValidationError(_("This currency has fewer decimals."))
    return int(scaled)
