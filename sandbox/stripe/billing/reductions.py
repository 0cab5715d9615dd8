"""What coupons take off the lines of an invoice.

Source: https://docs.stripe.com/billing/subscriptions/coupons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from sandbox.stripe.billing.rounding import half_up, shares


@dataclass(frozen=True)
class Reduction:
    """One discount: a percentage or an amount in minor units, on all products or on some."""

    discount: str
    percent_off: Fraction | None = None
    amount_off: int | None = None
    products: frozenset[str] | None = None


@dataclass(frozen=True)
class Reducible:
    """A line as far as discounts see it; credits (negative amounts) are never discounted."""

    amount: int
    product: str | None = None
    discountable: bool = True


def reduce_lines(lines: Sequence[Reducible], reductions: Sequence[Reduction]) -> list[dict[str, int]]:
    """Return, for every line, the amount that each discount takes off it, one discount after another.

    Percentages are rounded half up on every line; an amount is split over the lines in proportion to what is left of
    them and takes at most that.
    """
    taken: list[dict[str, int]] = [{} for _ in lines]
    left = [max(line.amount, 0) if line.discountable else 0 for line in lines]
    for reduction in reductions:
        reached = [
            rest if reduction.products is None or line.product in reduction.products else 0
            for line, rest in zip(lines, left, strict=True)
        ]
        for place, off in enumerate(_off(reduction, reached)):
            left[place] -= off
            if reached[place] or off:
                taken[place][reduction.discount] = off
    return taken


def _off(reduction: Reduction, reached: Sequence[int]) -> list[int]:
    if reduction.percent_off is not None:
        return [half_up(rest * reduction.percent_off / 100) for rest in reached]
    return shares(min(reduction.amount_off or 0, sum(reached)), reached)
