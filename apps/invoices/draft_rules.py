"""What a draft may say: the limits of its values, each refusal with the path of the field."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from django.utils.translation import gettext as _

from apps.core.errors import FieldError, ValidationFailed
from apps.core.money import MAX_MINOR, is_currency
from apps.invoices.models import NEGATIVE_ITEM_TYPES, ItemType

MAX_LINES = 500
MAX_DESCRIPTION, MAX_NOTES = 500, 2000
MAX_QUANTITY, QUANTITY_DECIMALS = Decimal(10**9), 6
MAX_RATE, RATE_DECIMALS = Decimal(100), 4
MAX_METADATA_KEYS, MAX_METADATA_KEY, MAX_METADATA_VALUE = 50, 40, 500
EARLIEST, LATEST = date(1970, 1, 1), date(2999, 12, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineInput:
    """One line to write; `tax_rate` in percent, amounts in minor units of the invoice's currency."""

    description: str
    quantity: Decimal
    unit_price_minor: int
    tax_rate: Decimal
    item_type: str = ItemType.PRODUCT
    discount_minor: int = 0


class Draft(Protocol):
    """What is checked of a draft."""

    @property
    def currency(self) -> str: ...
    @property
    def issue_date(self) -> date | None: ...
    @property
    def due_date(self) -> date: ...
    @property
    def discount_minor(self) -> int: ...
    @property
    def notes(self) -> str: ...
    @property
    def metadata(self) -> dict[str, Any]: ...
    @property
    def lines(self) -> tuple[LineInput, ...]: ...


def check(draft: Draft) -> None:
    """Refuse a draft that breaks a limit; what the amounts add up to is checked by `totals.compute`.

    Raises:
        ValidationFailed: with every fault found.
    """
    errors = [*_document_errors(draft), *_line_errors(draft.lines), *_metadata_errors(draft.metadata)]
    if errors:
        raise ValidationFailed(errors)


def _document_errors(draft: Draft) -> Iterator[FieldError]:
    if not is_currency(draft.currency):
        yield FieldError("currency", "unknown_currency", _("This is not a currency we know."))
    for field, day in (("issue_date", draft.issue_date), ("due_date", draft.due_date)):
        if day and not EARLIEST <= day <= LATEST:
            yield FieldError(
                field, "out_of_range", _("A day from %(first)s to %(last)s.") % {"first": EARLIEST, "last": LATEST}
            )
    if draft.issue_date and draft.due_date < draft.issue_date:
        yield FieldError("due_date", "before_issue_date", _("The due date lies before the issue date."))
    if not 0 <= draft.discount_minor <= MAX_MINOR:
        yield FieldError("discount_minor", "out_of_range", _("From 0 to %(most)s.") % {"most": MAX_MINOR})
    if len(draft.notes.strip()) > MAX_NOTES:
        yield FieldError("notes", "max_length", _("At most %(most)s characters.") % {"most": MAX_NOTES})


def _line_errors(lines: Sequence[LineInput]) -> Iterator[FieldError]:
    if not lines:
        yield FieldError("lines", "required", _("An invoice needs at least one line."))
    if len(lines) > MAX_LINES:
        yield FieldError("lines", "too_many", _("At most %(most)s lines.") % {"most": MAX_LINES})
        return
    for index, line in enumerate(lines):
        for field, code, detail in _one_line(line):
            yield FieldError(f"lines.{index}.{field}", code, detail)


def _one_line(line: LineInput) -> Iterator[tuple[str, str, str]]:
    if not line.description.strip():
        yield "description", "required", _("Say what this line is for.")
    if len(line.description.strip()) > MAX_DESCRIPTION:
        yield "description", "max_length", _("At most %(most)s characters.") % {"most": MAX_DESCRIPTION}
    if line.item_type not in ItemType.values:
        yield "item_type", "invalid_choice", f"One of {', '.join(ItemType.values).lower()}."
    if not line.quantity.is_finite() or not 0 < line.quantity <= MAX_QUANTITY:
        yield "quantity", "out_of_range", _("More than 0, at most %(most)s.") % {"most": MAX_QUANTITY}
    elif _decimals(line.quantity) > QUANTITY_DECIMALS:
        yield "quantity", "max_decimal_places", _("At most %(most)s decimals.") % {"most": QUANTITY_DECIMALS}
    if not line.tax_rate.is_finite() or not 0 <= line.tax_rate <= MAX_RATE:
        yield "tax_rate", "out_of_range", _("A percentage from 0 to 100.")
    elif _decimals(line.tax_rate) > RATE_DECIMALS:
        yield "tax_rate", "max_decimal_places", _("At most %(most)s decimals.") % {"most": RATE_DECIMALS}
    if abs(line.unit_price_minor) > MAX_MINOR:
        yield "unit_price_minor", "out_of_range", _("At most %(most)s.") % {"most": MAX_MINOR}
    elif line.unit_price_minor < 0 and line.item_type not in NEGATIVE_ITEM_TYPES:
        yield "unit_price_minor", "negative", _("Only a credit or a discount has a negative price.")
    if not 0 <= line.discount_minor <= MAX_MINOR:
        yield "discount_minor", "out_of_range", _("From 0 to %(most)s.") % {"most": MAX_MINOR}


def _metadata_errors(metadata: dict[str, Any]) -> Iterator[FieldError]:
    if len(metadata) > MAX_METADATA_KEYS:
        yield FieldError("metadata", "too_many", f"At most {MAX_METADATA_KEYS} keys.")
        return
    for key, value in metadata.items():
        if not isinstance(key, str) or not 0 < len(key) <= MAX_METADATA_KEY or not _storable(key):
            yield FieldError("metadata", "invalid_key", f"A key has 1 to {MAX_METADATA_KEY} characters.")
        elif isinstance(value, str):
            if len(value) > MAX_METADATA_VALUE or not _storable(value):
                yield FieldError(f"metadata.{key}", "max_length", f"At most {MAX_METADATA_VALUE} characters of text.")
        elif not (value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**53)):
            yield FieldError(f"metadata.{key}", "invalid", "Text, a whole number, true, false or null.")


def _decimals(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _storable(text: str) -> bool:
    # PostgreSQL holds neither NUL nor half of a surrogate pair.
    return not any(sign == "\x00" or "\ud800" <= sign <= "\udfff" for sign in text)
