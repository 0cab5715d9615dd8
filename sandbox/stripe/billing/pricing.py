"""What a quantity of a price costs: per unit, in packages, graduated or by volume.

Source: https://docs.stripe.com/products-prices/pricing-models.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from sandbox.stripe.billing.rounding import half_up
from sandbox.stripe.calls import Work
from sandbox.stripe.shapes import JsonObject


def amount_of(work: Work, price: JsonObject, quantity: int) -> int:
    """Return what the quantity costs, in minor units, rounded half up once."""
    if price["billing_scheme"] == "tiered":
        return tiered_amount(work.objects.hidden(price["id"])["tiers"], price["tiers_mode"], quantity)
    return half_up(Fraction(price["unit_amount_decimal"]) * packages(price["transform_quantity"], quantity))


def packages(transform: JsonObject | None, quantity: int) -> int:
    """Return the quantity that is charged after dividing it into packages."""
    if transform is None:
        return quantity
    size: int = transform["divide_by"]
    whole, rest = divmod(quantity, size)
    return whole + (1 if rest and transform["round"] == "up" else 0)


def tiered_amount(tiers: Sequence[JsonObject], mode: str, quantity: int) -> int:
    """Return what the quantity costs, in minor units.

    `graduated` charges every unit in its own tier, and the flat amount of every tier that is reached; `volume`
    charges all units in the tier of the last one. Nothing at all costs what the first tier's flat amount says.
    """
    if mode == "volume":
        tier = next(tier for tier in tiers if tier["up_to"] is None or quantity <= tier["up_to"])
        return half_up(_flat(tier) + _unit(tier) * quantity)
    total, below = Fraction(0), 0
    for tier in tiers:
        top = quantity if tier["up_to"] is None else min(quantity, tier["up_to"])
        total += _flat(tier) + _unit(tier) * (top - below)
        below = top
        if below >= quantity:
            break
    return half_up(total)


def _flat(tier: JsonObject) -> Fraction:
    return Fraction(tier["flat_amount_decimal"] or 0)


def _unit(tier: JsonObject) -> Fraction:
    return Fraction(tier["unit_amount_decimal"] or 0)
