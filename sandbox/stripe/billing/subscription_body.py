"""The body of a new subscription out of what was asked for.

Source: https://docs.stripe.com/api/subscriptions/object.
"""

from __future__ import annotations

from sandbox.stripe.billing import subscription_state
from sandbox.stripe.billing.calendar import DAY, period_at
from sandbox.stripe.billing.subscription_state import KIND
from sandbox.stripe.calls import Work
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.parameters import merge_metadata
from sandbox.stripe.shapes import JsonObject

LONGEST_TRIAL = 730


def new_item(
    work: Work, subscription_id: str, price: JsonObject, given: JsonObject, period: tuple[int, int]
) -> JsonObject:
    """Return an item of a subscription, not yet stored; tax rates are objects already."""
    return {
        "id": new_id("si_"),
        "object": subscription_state.ITEM,
        "billing_thresholds": None,
        "created": work.now,
        "current_period_end": period[1],
        "current_period_start": period[0],
        "discounts": [],
        "metadata": merge_metadata({}, given.get("metadata") or {}),
        "price": price,
        "quantity": given.get("quantity", 1),
        "subscription": subscription_id,
        "tax_rates": given.get("tax_rates") or [],
    }


def check_price(price: JsonObject, first: JsonObject, *, param: str) -> None:
    """Refuse a price that cannot stand in a subscription beside `first`.

    Raises: InvalidRequest for one-off and inactive prices, another currency or another interval.
    """
    if price["type"] != "recurring":
        raise InvalidRequest(
            f"The price specified is set to `type=one_time` but this field only accepts prices with"
            f" `type=recurring`: {price['id']}.",
            param=param,
        )
    if price["currency"] != first["currency"]:
        raise InvalidRequest("All prices of a subscription must have the same currency.", param=param)
    ours, theirs = ((one["recurring"]["interval"], one["recurring"]["interval_count"]) for one in (price, first))
    if ours != theirs:
        raise InvalidRequest("All prices of a subscription must have the same interval.", param=param)


def trial_end_of(work: Work, given: JsonObject) -> int | None:
    """Return when the trial that is asked for ends; null without one.

    Raises: InvalidRequest for two answers, or an instant that cannot be.
    """
    end = given.get("trial_end")
    days = given.get("trial_period_days")
    if end is not None and days is not None:
        raise InvalidRequest(
            "You may only specify one of these parameters: trial_end, trial_period_days.", param="trial_end"
        )
    instant: int
    if days:
        instant = work.now + days * DAY
    elif end is None or end == "now":
        return None
    else:
        instant = int(end)
    check_trial_end(work, instant)
    return instant


def check_trial_end(work: Work, instant: int) -> None:
    """Refuse trial ends in the past or more than two years away."""
    if instant <= work.now:
        raise InvalidRequest("Invalid timestamp: must be an integer Unix timestamp in the future.", param="trial_end")
    if instant > work.now + LONGEST_TRIAL * DAY:
        raise InvalidRequest("The maximum number of trial period days is 730 (2 years).", param="trial_end")


def new_subscription(work: Work, customer: JsonObject, given: JsonObject, trial_end: int | None) -> JsonObject:
    """Return a subscription as it begins, not yet stored.

    Raises: InvalidRequest for an anchor or a due date that cannot be.
    """
    identifier = new_id("sub_")
    price = given["items"][0][0]
    recurring = price["recurring"]
    anchor, period = _first_period(work, given, trial_end, recurring)
    sent = given.get("collection_method") == "send_invoice"
    if sent and "days_until_due" not in given:
        raise InvalidRequest(
            "You must pass `days_until_due` when collection_method is send_invoice.",
            code="parameter_missing",
            param="days_until_due",
        )
    status = "trialing" if trial_end else "active" if sent else "incomplete"
    settings = given.get("payment_settings", {})
    items = [new_item(work, identifier, item_price, wanted, period) for item_price, wanted in given["items"]]
    missing = given.get("trial_settings", {}).get("end_behavior", {}).get("missing_payment_method", "create_invoice")
    at_end = given.get("cancel_at_period_end", False)
    cancel_at = period[1] if at_end else given.get("cancel_at")
    return {
        "id": identifier,
        "object": KIND,
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": anchor,
        "billing_cycle_anchor_config": None,
        "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": cancel_at,
        "cancel_at_period_end": at_end,
        "canceled_at": work.now if cancel_at else None,
        "cancellation_details": {"comment": None, "feedback": None, "feedback_option": None, "reason": None},
        "collection_method": given.get("collection_method", "charge_automatically"),
        "created": work.now,
        "currency": price["currency"],
        "customer": customer["id"],
        "customer_account": None,
        "days_until_due": given.get("days_until_due") if sent else None,
        "default_payment_method": given.get("default_payment_method"),
        "default_source": None,
        "default_tax_rates": given.get("default_tax_rates") or [],
        "description": given.get("description"),
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": None,
            "footer": None,
            "issuer": {"type": "self"},
        },
        "items": {
            "object": "list",
            "data": items,
            "has_more": False,
            "url": f"/v1/subscription_items?subscription={identifier}",
        },
        "latest_invoice": None,
        "livemode": False,
        "managed_payments": None,
        "metadata": merge_metadata({}, given.get("metadata") or {}),
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": settings.get("payment_method_types"),
            "save_default_payment_method": settings.get("save_default_payment_method", "off"),
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": work.now,
        "status": status,
        "test_clock": customer["test_clock"],
        "transfer_data": None,
        "trial_end": trial_end,
        "trial_settings": {"end_behavior": {"missing_payment_method": missing}},
        "trial_start": work.now if trial_end else None,
    }


def _first_period(
    work: Work, given: JsonObject, trial_end: int | None, recurring: JsonObject
) -> tuple[int, tuple[int, int]]:
    """Return the anchor and the first period: the trial, up to a chosen anchor, or a whole interval."""
    if trial_end is not None:
        return trial_end, (work.now, trial_end)
    interval, count = recurring["interval"], recurring["interval_count"]
    anchor = given.get("billing_cycle_anchor")
    if anchor is None:
        return work.now, period_at(work.now, interval, count, work.now)
    furthest = period_at(work.now, interval, count, work.now)[1]
    if not work.now < anchor <= furthest:
        raise InvalidRequest(
            "billing_cycle_anchor must be in the future and not later than the next natural billing date.",
            param="billing_cycle_anchor",
        )
    return anchor, (work.now, anchor)
