"""The tiers of a price as they are given and kept.

Source: https://docs.stripe.com/api/prices/create.
"""

from __future__ import annotations

from decimal import Decimal

from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.forms import child_name
from sandbox.stripe.parameters import DecimalText, Hash, Integer, ListOf, Text
from sandbox.stripe.shapes import JsonObject

TIERS = ListOf(
    Hash(
        {
            "flat_amount": Integer(least=0),
            "flat_amount_decimal": DecimalText(),
            "unit_amount": Integer(least=0),
            "unit_amount_decimal": DecimalText(),
            "up_to": Text(pattern=r"inf|[1-9]\d{0,14}"),
        },
        required=frozenset({"up_to"}),
    ),
    most=100,
)


def parse_tiers(given: JsonObject, param: str) -> list[JsonObject] | None:
    """Return the tiers as Stripe shows them; null for a price per unit.

    Raises: InvalidRequest for tiers without a mode, in the wrong order, or mixed with a unit amount.
    """
    tiered = given.get("billing_scheme") == "tiered"
    for name in ("tiers", "tiers_mode"):
        if tiered and not given.get(name):
            raise InvalidRequest(
                f"Missing required param: {child_name(param, name)}.", code="parameter_missing", param=name
            )
        if not tiered and name in given:
            raise InvalidRequest(f"{name} needs billing_scheme=tiered.", param=child_name(param, name))
    if not tiered:
        return None
    for name in ("unit_amount", "unit_amount_decimal", "transform_quantity"):
        if name in given:
            raise InvalidRequest(f"{name} cannot be given with billing_scheme=tiered.", param=child_name(param, name))
    tiers = [_tier(tier, index) for index, tier in enumerate(given["tiers"])]
    limits = [tier["up_to"] for tier in tiers]
    bounded = limits[:-1]
    if limits[-1] is not None or None in bounded or bounded != sorted(set(bounded)):
        raise InvalidRequest("Tiers must rise, and only the last one must be up to `inf`.", param="tiers")
    return tiers


def _tier(given: JsonObject, index: int) -> JsonObject:
    tier: JsonObject = {"up_to": None if given["up_to"] == "inf" else int(given["up_to"])}
    for name in ("flat_amount", "unit_amount"):
        both = [key for key in (name, f"{name}_decimal") if key in given]
        if len(both) == 2:
            raise InvalidRequest(f"Give {name} or {name}_decimal, not both.", param=f"tiers[{index}][{name}]")
        exact = Decimal(given[both[0]]) if both else None
        tier[name] = int(exact) if exact is not None and exact == exact.to_integral_value() else None
        tier[f"{name}_decimal"] = None if exact is None else format(exact, "f")
    if tier["flat_amount_decimal"] is None and tier["unit_amount_decimal"] is None:
        raise InvalidRequest("A tier needs a flat_amount or a unit_amount.", param=f"tiers[{index}]")
    return tier
