"""The invoice for one period of a subscription: its lines, what waited for it, and its discounts.

Source: https://docs.stripe.com/billing/invoices/subscription.
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.stripe.billing import discounts, invoices, lines
from sandbox.stripe.billing.calendar import period_at
from sandbox.stripe.billing.pricing import amount_of
from sandbox.stripe.billing.proration import Period, remaining
from sandbox.stripe.billing.subscription_state import copy_of, items_of, period_end, period_start, save_change
from sandbox.stripe.calls import Work
from sandbox.stripe.currencies import written
from sandbox.stripe.shapes import JsonObject


def full_period(subscription: JsonObject, item: JsonObject) -> Period:
    """Return the whole interval around the item's current period, which a first period may be a part of."""
    recurring = item["price"]["recurring"]
    anchor, start = subscription["billing_cycle_anchor"], item["current_period_start"]
    return Period(*period_at(anchor, recurring["interval"], recurring["interval_count"], start))


def period_lines(work: Work, subscription: JsonObject, *, free: bool = False) -> list[JsonObject]:
    """Return a line for every item's current period; `free` for trials and for first periods without proration.

    A first period that is shorter than the interval, because the anchor lies ahead, costs its share.
    """
    found = []
    for item in items_of(subscription):
        period = Period(item["current_period_start"], item["current_period_end"])
        amount, unit = 0, "0"
        if not free:
            amount = remaining(
                amount_of(work, item["price"], item["quantity"]), full_period(subscription, item), period.start
            )
            unit = item["price"]["unit_amount_decimal"]
        found.append(
            lines.line_of_subscription_item(
                subscription,
                item,
                amount=amount,
                description=_described(work, item, trial=subscription["status"] == "trialing" and free),
                period=period,
                unit=unit,
            )
        )
    return found


def _described(work: Work, item: JsonObject, *, trial: bool) -> str:
    price = item["price"]
    name = name_of(work, price)
    if trial:
        return f"Trial period for {name}"
    every, count = price["recurring"]["interval"], price["recurring"]["interval_count"]
    often = every if count == 1 else f"{count} {every}s"
    if price["unit_amount"] is None:
        return f"{item['quantity']} × {name} (per {often})"
    return f"{item['quantity']} × {name} (at {written(price['unit_amount'], price['currency'])} / {often})"


def name_of(work: Work, price: JsonObject) -> str:
    """Return the product's name."""
    product = work.objects.get("product", price["product"])
    return str(product["name"]) if product else "Deleted product"


def draft(
    work: Work,
    customer: JsonObject,
    subscription: JsonObject,
    *,
    reason: str,
    drafts: Sequence[JsonObject],
    auto_advance: bool = True,
    given: JsonObject | None = None,
) -> JsonObject:
    """Store a draft invoice of the lines and whatever waits for it, not yet told; it becomes the latest one."""
    invoice = invoices.new_invoice(
        work,
        customer,
        currency=subscription["currency"],
        reason=reason,
        given={
            "collection_method": subscription["collection_method"],
            "default_tax_rates": subscription["default_tax_rates"],
            "description": subscription["invoice_settings"]["description"],
            **(given or {}),
        },
        subscription=subscription,
        period=(period_start(subscription), period_end(subscription)),
        auto_advance=auto_advance,
    )
    applied = applicable(work, customer, subscription)
    invoice["discounts"] = [discount["id"] for discount in applied]
    work.objects.insert(invoice, {"days_until_due": subscription["days_until_due"] or 0})
    items = invoices.pending_items(work, customer["id"], subscription["currency"], subscription["id"])
    invoices.insert_lines(work, invoice, drafts, items)
    invoices.refresh(work, invoice)
    for discount in applied:
        discounts.use(work, discount)
    subscription["latest_invoice"] = invoice["id"]
    return invoice


def applicable(work: Work, customer: JsonObject, subscription: JsonObject) -> list[JsonObject]:
    """Return the discounts for an invoice begun now: the subscription's, or else the customer's."""
    own = discounts.running(work, subscription["discounts"], at=work.now)
    if subscription["discounts"] or customer["discount"] is None:
        return own
    return discounts.running(work, [customer["discount"]["id"]], at=work.now)


def drop_ended_discounts(work: Work, customer: JsonObject, subscription: JsonObject) -> None:
    """Remove from subscription and customer the discounts whose time is over, or that were for once and are used."""
    before = copy_of(subscription)
    live = {discount["id"] for discount in discounts.running(work, subscription["discounts"], at=work.now)}
    for identifier in list(subscription["discounts"]):
        if identifier not in live:
            subscription["discounts"].remove(identifier)
            if work.objects.get("discount", identifier) is not None:
                discounts.remove(work, identifier)
    save_change(work, subscription, before)
    own = customer["discount"]
    if own is not None and not discounts.running(work, [own["id"]], at=work.now):
        customer["discount"] = None
        work.objects.replace(customer)
        if work.objects.get("discount", own["id"]) is not None:
            discounts.remove(work, own["id"])
