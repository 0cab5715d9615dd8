"""Tax on a line: rates on top of the amount or contained in it.

Source: https://docs.stripe.com/billing/taxes/tax-rates.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from sandbox.stripe.billing.rounding import half_up
from sandbox.stripe.shapes import JsonObject

_UNTAXED = {"exempt": "customer_exempt", "reverse": "reverse_charge"}


def taxes_on(net: int, rates: Sequence[JsonObject], exemption: str) -> list[JsonObject]:
    """Return the taxes on `net` minor units (after discounts, before exclusive tax), rounded half up on the line.

    `exemption` is the customer's `tax_exempt`: `exempt` and `reverse` make every tax nothing and say why.
    """
    contained = sum((_share(rate) for rate in rates if rate["inclusive"]), Fraction(0))
    base = net / (1 + contained)
    found = []
    for rate in rates:
        reason = _UNTAXED.get(exemption)
        amount = 0 if reason else half_up(base * _share(rate))
        found.append(
            {
                "amount": amount,
                "tax_behavior": "inclusive" if rate["inclusive"] else "exclusive",
                "tax_rate_details": {"tax_rate": rate["id"]},
                "taxability_reason": reason or ("zero_rated" if _share(rate) == 0 else "standard_rated"),
                "taxable_amount": 0 if reason else half_up(base),
                "type": "tax_rate_details",
            }
        )
    return found


def added(taxes: Sequence[JsonObject], behavior: str) -> int:
    """Return the sum of the taxes of one behavior, `exclusive` or `inclusive`."""
    return sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == behavior)


def merged(taxes: Sequence[JsonObject]) -> list[JsonObject]:
    """Return the taxes of many lines as one entry for every rate, behavior and reason."""
    totals: dict[tuple[str, str, str], JsonObject] = {}
    for tax in taxes:
        key = (tax["tax_rate_details"]["tax_rate"], tax["tax_behavior"], tax["taxability_reason"])
        if key in totals:
            totals[key]["amount"] += tax["amount"]
            totals[key]["taxable_amount"] += tax["taxable_amount"]
        else:
            totals[key] = dict(tax)
    return list(totals.values())


def _share(rate: JsonObject) -> Fraction:
    return Fraction(str(rate["percentage"])) / 100
