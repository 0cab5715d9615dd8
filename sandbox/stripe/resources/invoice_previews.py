"""Previews of invoices.

Source: https://docs.stripe.com/api/invoices/create_preview.
"""

from __future__ import annotations

from sandbox.stripe.billing import changes, preview, subscription_state
from sandbox.stripe.billing.clocks import at_time_of
from sandbox.stripe.billing.subscriptions import create
from sandbox.stripe.calls import Call, Work
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.parameters import Choice, Flag, Hash, Integer, ListOf, Text, declare
from sandbox.stripe.resources.subscription_parameters import (
    CHANGED_ITEM,
    DISCOUNTS,
    PRORATION_BEHAVIOR,
    TAX_RATES,
    changed_items,
    prepared,
    priced_items,
)
from sandbox.stripe.resources.subscriptions import CANCEL_AT, TRIAL_END
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject

_UNPAID = {"payment_behavior": "default_incomplete"}


def _preview(call: Call) -> JsonObject:
    if "subscription" in call.params:
        subscription = call.require(subscription_state.KIND, call.params["subscription"], param="subscription")
        if call.params.get("customer", subscription["customer"]) != subscription["customer"]:
            raise InvalidRequest("The subscription belongs to another customer.", param="customer")
        work = at_time_of(call, subscription)
        return preview.after(work, lambda: _changed(work, call, subscription))
    if "customer" not in call.params:
        raise InvalidRequest("Missing required param: customer.", code="parameter_missing", param="customer")
    customer = call.require("customer", call.params["customer"], param="customer")
    details = call.params.get("subscription_details", {})
    if not details.get("items"):
        raise InvalidRequest(
            "Missing required param: subscription_details[items].",
            code="parameter_missing",
            param="subscription_details[items]",
        )
    work = at_time_of(call, customer)
    return preview.after(work, lambda: _begun(work, call, customer, details))


def _changed(work: Work, call: Call, subscription: JsonObject) -> JsonObject:
    """Return the subscription after the change, or the invoice that the change itself makes."""
    details = dict(call.params.get("subscription_details", {}))
    if "items" in details:
        details["items"] = changed_items(work, details["items"])
    if "discounts" in call.params:
        details["discounts"] = call.params["discounts"]
    if not details:
        return subscription
    latest = subscription["latest_invoice"]
    given = prepared(work, subscription["customer"], details) | _UNPAID
    after = changes.change(work, subscription, given)
    if after["latest_invoice"] == latest:
        return after
    return work.require("invoice", after["latest_invoice"], param="subscription")


def _begun(work: Work, call: Call, customer: JsonObject, details: JsonObject) -> JsonObject:
    """Return the first invoice of a subscription that would begin now."""
    given = prepared(work, customer["id"], details) | _UNPAID | {"items": priced_items(work, details["items"])}
    if "discounts" in call.params:
        given["discounts"] = call.params["discounts"]
    subscription = create(work, customer, given)
    return work.require("invoice", subscription["latest_invoice"], param="subscription_details")


_DETAILS = Hash(
    {
        "billing_cycle_anchor": Choice(("now", "unchanged")),
        "cancel_at": CANCEL_AT,
        "cancel_at_period_end": Flag(),
        "default_tax_rates": TAX_RATES,
        "items": ListOf(CHANGED_ITEM, most=20),
        "proration_behavior": PRORATION_BEHAVIOR,
        "proration_date": Integer(),
        "trial_end": TRIAL_END,
    }
)

ROUTES = (
    Route(
        "POST",
        "/v1/invoices/create_preview",
        _preview,
        declare(
            customer=Text(),
            discounts=DISCOUNTS,
            preview_mode=Choice(("next",)),
            subscription=Text(),
            subscription_details=_DETAILS,
        ),
    ),
)
