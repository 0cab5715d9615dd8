"""An invoice's totals out of its lines: discounts first, then tax, then the customer's balance.

Source: https://docs.stripe.com/api/invoices/object.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction

from sandbox.stripe.billing.reductions import Reducible, Reduction, reduce_lines
from sandbox.stripe.billing.rounding import half_up
from sandbox.stripe.billing.settlement import settle
from sandbox.stripe.billing.taxation import added, merged, taxes_on
from sandbox.stripe.shapes import JsonObject


def total_up(
    invoice: JsonObject,
    lines: Sequence[JsonObject],
    *,
    reductions: Sequence[Reduction],
    rates: Mapping[str, Sequence[JsonObject]],
    balance: int,
) -> None:
    """Set the discounts and taxes of the lines and the totals of the invoice.

    `rates` are the tax rates of every line by its id; `balance` is the customer's, in minor units.
    """
    taken = reduce_lines([_reducible(line) for line in lines], reductions)
    for line, off in zip(lines, taken, strict=True):
        line["discount_amounts"] = [{"amount": amount, "discount": discount} for discount, amount in off.items()]
        net = line["amount"] - sum(off.values())
        line["taxes"] = taxes_on(net, rates[line["id"]], invoice["customer_tax_exempt"])
        line["subtotal"] = line["amount"]
    discounted: dict[str, int] = defaultdict(int)
    for reduction in reductions:
        discounted[reduction.discount] += sum(off.get(reduction.discount, 0) for off in taken)
    taxes = [tax for line in lines for tax in line["taxes"]]
    subtotal = sum(line["amount"] for line in lines)
    contained = added(taxes, "inclusive")
    total = subtotal - sum(discounted.values()) + added(taxes, "exclusive")
    settlement = settle(total, balance, invoice["currency"])
    invoice |= {
        "amount_due": settlement.amount_due,
        "amount_remaining": settlement.amount_due - invoice["amount_paid"],
        "starting_balance": balance,
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - sum(_contained_before_discount(line) for line in lines),
        "total": total,
        "total_discount_amounts": [{"amount": amount, "discount": discount} for discount, amount in discounted.items()],
        "total_excluding_tax": total - contained - added(taxes, "exclusive"),
        "total_taxes": merged(taxes),
    }


def _reducible(line: JsonObject) -> Reducible:
    pricing = line["pricing"]
    return Reducible(
        amount=line["amount"],
        product=pricing["price_details"]["product"] if pricing else None,
        discountable=line["discountable"],
    )


def _contained_before_discount(line: JsonObject) -> int:
    net = line["amount"] - sum(off["amount"] for off in line["discount_amounts"])
    inside = added(line["taxes"], "inclusive")
    return inside if net in (line["amount"], 0) else half_up(Fraction(inside * line["amount"], net))
