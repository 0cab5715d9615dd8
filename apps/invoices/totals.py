"""What an invoice adds up to: pure and exact, tax rounded once per rate (EN 16931, BR-CO-17)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from apps.core.errors import FieldError, ValidationFailed
from apps.core.money import MAX_MINOR, allocate, round_half_up

PERCENT = Decimal(100)


@dataclass(frozen=True, slots=True)
class PricedLine:
    """What counts of a line. `unit_price_minor` is negative for credits; `tax_rate` is a percentage."""

    quantity: Decimal
    unit_price_minor: int
    tax_rate: Decimal
    discount_minor: int = 0


@dataclass(frozen=True, slots=True)
class TaxGroup:
    """All lines of one rate: what is left of them after the document's discount, and the tax on that."""

    rate: Decimal
    base_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class Totals:
    """The result. ``total = subtotal − discount + tax``; `nets` has one amount per line, in their order."""

    nets: tuple[int, ...]
    subtotal_minor: int
    discount_minor: int
    tax_minor: int
    total_minor: int
    tax_groups: tuple[TaxGroup, ...]


def line_gross(line: PricedLine) -> int:
    """Quantity times unit price, rounded half-up to whole minor units; before the line's discount."""
    return round_half_up(line.quantity * line.unit_price_minor)


def line_net(line: PricedLine) -> int:
    """The line's amount without tax, less its own discount."""
    return line_gross(line) - line.discount_minor


def compute(lines: Sequence[PricedLine], *, discount_minor: int = 0) -> Totals:
    """Add up an invoice. The document's discount is split over the rates by what each contributes.

    Raises:
        ValidationFailed: a discount exceeds what it is taken from, an amount exceeds `MAX_MINOR`, or credits
            outweigh what is charged.
    """
    errors = [error for index, line in enumerate(lines) for error in _line_errors(index, line)]
    if errors:
        raise ValidationFailed(errors)
    nets = tuple(line_net(line) for line in lines)
    subtotal = sum(nets)
    _check_document(subtotal, discount_minor)
    groups = _tax_groups(lines, nets, discount_minor)
    tax = sum(group.tax_minor for group in groups)
    total = subtotal - discount_minor + tax
    if tax < 0 or total < 0:
        raise ValidationFailed.one("lines", "negative_total", _("The credits are more than what is charged."))
    if total > MAX_MINOR:
        raise _too_large("lines")
    return Totals(nets, subtotal, discount_minor, tax, total, groups)


def _line_errors(index: int, line: PricedLine) -> list[FieldError]:
    gross = line_gross(line)
    if abs(gross) > MAX_MINOR:
        return [FieldError(f"lines.{index}.unit_price_minor", "too_large", _("This line's amount is too large."))]
    if not 0 <= line.discount_minor <= max(0, gross):
        detail = _("A line's discount is between nothing and the line's amount.")
        return [FieldError(f"lines.{index}.discount_minor", "out_of_range", detail)]
    return []


def _check_document(subtotal: int, discount_minor: int) -> None:
    if subtotal < 0:
        raise ValidationFailed.one("lines", "negative_total", _("The credits are more than what is charged."))
    if subtotal > MAX_MINOR:
        raise _too_large("lines")
    if not 0 <= discount_minor <= subtotal:
        detail = _("The discount is between nothing and the sum of the lines.")
        raise ValidationFailed.one("discount_minor", "out_of_range", detail)


def _tax_groups(lines: Sequence[PricedLine], nets: Sequence[int], discount_minor: int) -> tuple[TaxGroup, ...]:
    bases: dict[Decimal, int] = {}
    for line, net in zip(lines, nets, strict=True):
        bases[line.tax_rate] = bases.get(line.tax_rate, 0) + net
    # By rate, so that the order of the lines never decides which group gets an odd cent.
    rates = sorted(bases)
    if not rates:
        return ()
    shares = allocate(discount_minor, [max(0, bases[rate]) for rate in rates])
    left = [bases[rate] - share for rate, share in zip(rates, shares, strict=True)]
    return tuple(
        TaxGroup(rate, base, round_half_up(base * rate / PERCENT)) for rate, base in zip(rates, left, strict=True)
    )


def _too_large(field: str) -> ValidationFailed:
    return ValidationFailed.one(field, "too_large", _("The invoice's total is too large."))
