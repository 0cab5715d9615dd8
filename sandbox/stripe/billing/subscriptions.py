"""Subscriptions begin, are canceled and resumed; renewals are told in `cycle`, changes in `changes`.

Source: https://docs.stripe.com/billing/subscriptions/overview.
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.stripe.billing import collection, discounts, invoices, lines, periods, subscription_state
from sandbox.stripe.billing.calendar import period_at
from sandbox.stripe.billing.pricing import amount_of
from sandbox.stripe.billing.prorating import prorate_item
from sandbox.stripe.billing.proration import Period
from sandbox.stripe.billing.subscription_body import check_price, new_subscription, trial_end_of
from sandbox.stripe.billing.subscription_state import KIND, copy_of, items_of, save_change
from sandbox.stripe.calls import Work
from sandbox.stripe.errors import CardError, InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.objects import Filter, equals
from sandbox.stripe.parameters import merge_metadata
from sandbox.stripe.shapes import JsonObject


def create(work: Work, customer: JsonObject, given: JsonObject) -> JsonObject:
    """Begin a subscription and bill its first period; return it as it then stands.

    `given` has the checked parameters, with `items` as pairs of price and parameters, `default_tax_rates` as objects.

    Raises: InvalidRequest; CardError for `error_if_incomplete`, which takes everything back.
    """
    _check_items(work, customer, given)
    trial_end = trial_end_of(work, given)
    subscription = new_subscription(work, customer, given, trial_end)
    subscription_state.insert(work, subscription)
    _redeem_all(work, subscription, given)
    for price, wanted in given.get("add_invoice_items", []):
        add_one_off(work, customer, subscription, price, wanted)
    partial = subscription["billing_cycle_anchor"] > work.now and trial_end is None
    free = trial_end is not None or (partial and given.get("proration_behavior") == "none")
    invoice = periods.draft(
        work,
        customer,
        subscription,
        reason="subscription_create",
        drafts=periods.period_lines(work, subscription, free=free),
    )
    subscription_state.store(work, subscription)
    emit(work, "customer.subscription.created", subscription)
    emit(work, "invoice.created", invoice)
    if subscription["collection_method"] == "charge_automatically":
        _collect_first(work, subscription, invoice, given.get("payment_behavior", "allow_incomplete"))
    return work.require(KIND, subscription["id"], param="subscription")


def _check_items(work: Work, customer: JsonObject, given: JsonObject) -> None:
    prices = [price for price, _ in given["items"]]
    for index, price in enumerate(prices):
        check_price(price, prices[0], param=f"items[{index}][price]")
    if len({price["id"] for price in prices}) < len(prices):
        raise InvalidRequest("Cannot add multiple subscription items with the same price.", param="items")
    for other in work.objects.select(KIND, [equals("customer", customer["id"])]):
        if other["status"] not in subscription_state.ENDED and other["currency"] != prices[0]["currency"]:
            raise InvalidRequest(
                "You cannot combine currencies on a single customer. This customer has an active subscription with"
                f" currency {other['currency']}.",
                param="customer",
            )


def _redeem_all(work: Work, subscription: JsonObject, given: JsonObject) -> None:
    amount = sum(amount_of(work, item["price"], item["quantity"]) for item in items_of(subscription))
    for index, wanted in enumerate(given.get("discounts") or []):
        discount = discounts.redeem(
            work,
            wanted,
            customer=subscription["customer"],
            param=f"discounts[{index}]",
            amount=amount,
            subscription=subscription["id"],
        )
        subscription["discounts"].append(discount["id"])


def add_one_off(
    work: Work, customer: JsonObject, subscription: JsonObject, price: JsonObject, given: JsonObject
) -> None:
    """Put a one-off price on the subscription's next invoice."""
    quantity = given.get("quantity", 1)
    lines.new_item(
        work,
        customer,
        amount=amount_of(work, price, quantity),
        currency=price["currency"],
        description=periods.name_of(work, price),
        period=Period(work.now, work.now),
        price=price,
        quantity=quantity,
        subscription=subscription["id"],
        tax_rates=given.get("tax_rates"),
        metadata=merge_metadata({}, given.get("metadata") or {}),
    )


def _collect_first(work: Work, subscription: JsonObject, invoice: JsonObject, behavior: str) -> None:
    collection.finalize(work, invoice)
    if invoice["status"] == "paid" or behavior == "default_incomplete":
        return
    method = collection.method_for(work, invoice)
    if method is None:
        raise InvalidRequest(
            "This customer has no attached payment source or default payment method. Please consider adding a default"
            " payment method.",
            code="resource_missing",
        )
    if behavior != "error_if_incomplete":
        collection.attempt(work, invoice, method=method, off_session=False)
        return
    try:
        paid = collection.pay(work, invoice, method, off_session=False)
    except CardError as error:
        error.keeps_changes = False
        raise
    if not paid:
        refused = CardError(
            "Your card was declined. This transaction requires authentication.", code="authentication_required"
        )
        refused.keeps_changes = False
        raise refused


def cancel(
    work: Work,
    subscription: JsonObject,
    *,
    reason: str | None = "cancellation_requested",
    prorate: bool = False,
    invoice_now: bool = False,
) -> None:
    """End the subscription now; with `prorate` the unused time is credited, with `invoice_now` billed at once."""
    customer = work.require("customer", subscription["customer"], param="customer")
    if prorate and subscription["status"] in ("active", "past_due"):
        for item in items_of(subscription):
            prorate_item(work, customer, subscription, item, at=work.now, sign=-1)
    stop_collecting(work, [equals("parent.subscription_details.subscription", subscription["id"])])
    status = "incomplete_expired" if subscription["status"] == "incomplete" else "canceled"
    if invoice_now and invoices.pending_items(work, customer["id"], subscription["currency"], subscription["id"]):
        invoice = periods.draft(work, customer, subscription, reason="subscription_update", drafts=[])
        subscription_state.store(work, subscription)
        emit(work, "invoice.created", invoice)
        collection.finalize(work, invoice)
        if invoice["status"] == "open":
            collection.attempt(work, invoice)
        subscription |= work.require(KIND, subscription["id"], param="subscription")
    if subscription["status"] not in subscription_state.ENDED:
        subscription_state.end(work, subscription, reason=reason, status=status)
    if status == "incomplete_expired":
        _void_latest(work, subscription)


def _void_latest(work: Work, subscription: JsonObject) -> None:
    latest = subscription["latest_invoice"]
    invoice = work.objects.get(invoices.KIND, latest) if latest else None
    if invoice is not None and invoice["status"] == "open":
        collection.void(work, invoice)


def expire_incomplete(work: Work, subscription: JsonObject) -> None:
    """End a subscription whose first payment did not come in time."""
    subscription_state.end(work, subscription, reason="payment_failed", status="incomplete_expired")
    _void_latest(work, subscription)


def stop_collecting(work: Work, filters: Sequence[Filter]) -> None:
    """Leave the unpaid ones of the invoices that pass the filters alone from now on."""
    for invoice in work.objects.select(invoices.KIND, filters):
        if invoice["status"] in ("draft", "open") and invoice["auto_advance"]:
            before = dict(invoice)
            invoice |= {"auto_advance": False, "automatically_finalizes_at": None, "next_payment_attempt": None}
            invoices.store(work, invoice)
            emit(work, "invoice.updated", invoice, before=before)


def resume_paused(work: Work, subscription: JsonObject, *, behavior: str = "allow_incomplete") -> None:
    """Begin a new period of a paused subscription; it is active once the period's invoice is paid."""
    before = copy_of(subscription)
    customer = work.require("customer", subscription["customer"], param="customer")
    restart(work, subscription)
    invoice = periods.draft(
        work,
        customer,
        subscription,
        reason="subscription_update",
        drafts=periods.period_lines(work, subscription),
    )
    save_change(work, subscription, before)
    emit(work, "invoice.created", invoice)
    collection.finalize(work, invoice)
    if invoice["status"] == "open":
        collection.attempt(work, invoice, off_session=False)
    subscription |= work.require(KIND, subscription["id"], param="subscription")


def restart(work: Work, subscription: JsonObject) -> None:
    """Let a period begin now and be the anchor of those after it; the subscription is not yet stored."""
    recurring = items_of(subscription)[0]["price"]["recurring"]
    start, end = period_at(work.now, recurring["interval"], recurring["interval_count"], work.now)
    subscription["billing_cycle_anchor"] = start
    set_period(subscription, start, end)


def set_period(subscription: JsonObject, start: int, end: int) -> None:
    """Give all items the period; a cancellation at its end moves along."""
    for item in items_of(subscription):
        item |= {"current_period_start": start, "current_period_end": end}
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = end
