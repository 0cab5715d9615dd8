"""Credits and charges for the rest of a period when what is subscribed changes.

Source: https://docs.stripe.com/billing/subscriptions/prorations.
"""

from __future__ import annotations

from sandbox.stripe.billing import discounts, lines, periods
from sandbox.stripe.billing.pricing import amount_of
from sandbox.stripe.billing.proration import Period, remaining
from sandbox.stripe.calls import Work
from sandbox.stripe.shapes import JsonObject


def prorate_item(
    work: Work, customer: JsonObject, subscription: JsonObject, item: JsonObject, *, at: int, sign: int
) -> None:
    """Store a credit (`sign` −1) or a charge (+1) for what is left of the item's period."""
    amount = sign * remaining(
        net_amount(work, customer, subscription, item), periods.full_period(subscription, item), at
    )
    verb = "Unused time on" if sign < 0 else "Remaining time on"
    lines.new_item(
        work,
        customer,
        amount=amount,
        currency=subscription["currency"],
        description=f"{verb} {item['quantity']} × {periods.name_of(work, item['price'])}",
        period=Period(at, item["current_period_end"]),
        price=item["price"],
        quantity=item["quantity"],
        discountable=False,
        subscription=subscription["id"],
        subscription_item=item["id"],
        proration=True,
        tax_rates=item["tax_rates"] or subscription["default_tax_rates"],
    )


def net_amount(work: Work, customer: JsonObject, subscription: JsonObject, item: JsonObject) -> int:
    """Return what a whole period of the item costs after the percentages that now apply to it."""
    gross = amount_of(work, item["price"], item["quantity"])
    applied = periods.applicable(work, customer, subscription)
    reductions = [
        reduction
        for reduction in discounts.reductions_of(work, [one["id"] for one in applied], subscription["currency"])
        if reduction.percent_off is not None
    ]
    taken = discounts.taken_off(gross, item["price"]["product"], reductions)
    return gross - taken
