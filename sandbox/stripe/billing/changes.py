"""Changing a running subscription: items, quantities, trial, anchor, discounts, cancellation, pause.

Source: https://docs.stripe.com/billing/subscriptions/change.
"""

from __future__ import annotations

from sandbox.stripe.billing import collection, discounts, invoices, periods, subscription_state, subscriptions
from sandbox.stripe.billing.prorating import prorate_item
from sandbox.stripe.billing.subscription_body import check_price, check_trial_end, new_item
from sandbox.stripe.billing.subscription_state import copy_of, items_of, period_end, save_change
from sandbox.stripe.calls import Work
from sandbox.stripe.errors import CardError, InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.parameters import merge_metadata
from sandbox.stripe.shapes import JsonObject

_PLAIN = ("collection_method", "days_until_due", "default_payment_method", "default_tax_rates", "description")
_AFTER_THE_END = {"cancellation_details", "expand", "metadata"}
_BILLED = ("active", "past_due", "unpaid")


def change(work: Work, subscription: JsonObject, given: JsonObject) -> JsonObject:
    """Carry out what `given` asks for and bill what follows from it; return the subscription as it then stands.

    Items are given as parameters with `price` an object already.

    Raises: InvalidRequest; CardError for `error_if_incomplete`, which takes everything back.
    """
    if subscription["status"] in subscription_state.ENDED and given.keys() - _AFTER_THE_END:
        raise InvalidRequest("A canceled subscription can only update its cancellation_details and metadata.")
    before = copy_of(subscription)
    customer = work.require("customer", subscription["customer"], param="customer")
    _set_members(work, subscription, given)
    _set_discounts(work, subscription, given)
    old = [dict(item) for item in items_of(subscription)]
    new = _new_items(work, subscription, given.get("items") or [])
    resets = _resets(subscription, given, old, new)
    _prorate(work, customer, subscription, given, old=old, new=new, resets=resets)
    subscription["items"]["data"] = new
    _set_trial(work, subscription, given)
    if resets:
        subscriptions.restart(work, subscription)
    _set_cancellation(work, subscription, given)
    invoice = _bill(work, customer, subscription, given, resets=resets)
    save_change(work, subscription, before)
    if invoice is not None:
        emit(work, "invoice.created", invoice)
        _collect(work, subscription, invoice, given.get("payment_behavior", "allow_incomplete"))
    return work.require(subscription_state.KIND, subscription["id"], param="subscription")


def _set_members(work: Work, subscription: JsonObject, given: JsonObject) -> None:
    for name in _PLAIN:
        if name in given:
            subscription[name] = given[name]
    if subscription["collection_method"] == "charge_automatically":
        subscription["days_until_due"] = None
    subscription["default_tax_rates"] = subscription["default_tax_rates"] or []
    if "metadata" in given:
        subscription["metadata"] = merge_metadata(subscription["metadata"], given["metadata"])
    if "cancellation_details" in given:
        subscription["cancellation_details"] |= given["cancellation_details"]
    if "trial_settings" in given:
        subscription["trial_settings"] = given["trial_settings"]
    for name in ("payment_method_types", "save_default_payment_method"):
        if name in given.get("payment_settings", {}):
            subscription["payment_settings"][name] = given["payment_settings"][name]
    if "pause_collection" in given:
        pause = given["pause_collection"]
        subscription["pause_collection"] = pause and {
            "behavior": pause["behavior"],
            "resumes_at": pause.get("resumes_at"),
        }


def _set_discounts(work: Work, subscription: JsonObject, given: JsonObject) -> None:
    if "discounts" not in given:
        return
    earlier = subscription["discounts"]
    subscription["discounts"] = [
        discounts.redeem(
            work,
            wanted,
            customer=subscription["customer"],
            param=f"discounts[{index}]",
            subscription=subscription["id"],
        )["id"]
        for index, wanted in enumerate(given["discounts"] or [])
    ]
    for identifier in earlier:
        if identifier not in subscription["discounts"]:
            discounts.remove(work, identifier)


def _new_items(work: Work, subscription: JsonObject, wanted: list[JsonObject]) -> list[JsonObject]:
    items = {item["id"]: dict(item) for item in items_of(subscription)}
    period = (subscription_state.period_start(subscription), period_end(subscription))
    for index, entry in enumerate(wanted):
        identifier = entry.get("id")
        if identifier is None:
            if "price" not in entry:
                raise InvalidRequest(
                    f"Missing required param: items[{index}][price].",
                    code="parameter_missing",
                    param=f"items[{index}][price]",
                )
            added = new_item(work, subscription["id"], entry["price"], entry, period)
            items[added["id"]] = added
            continue
        if identifier not in items:
            raise InvalidRequest(
                f"No such subscription item: '{identifier}'", code="resource_missing", param=f"items[{index}][id]"
            )
        if entry.get("deleted"):
            del items[identifier]
            continue
        item = items[identifier]
        if "price" in entry and entry["price"]["id"] != item["price"]["id"]:
            item |= {"price": entry["price"], "quantity": entry.get("quantity", 1)}
        item["quantity"] = entry.get("quantity", item["quantity"])
        if "tax_rates" in entry:
            item["tax_rates"] = entry["tax_rates"] or []
        if "metadata" in entry:
            item["metadata"] = merge_metadata(item["metadata"], entry["metadata"])
    found = list(items.values())
    _check(found)
    return found


def _check(items: list[JsonObject]) -> None:
    if not items:
        raise InvalidRequest("A subscription must have at least one active price; cancel it instead.", param="items")
    for item in items:
        check_price(item["price"], items[0]["price"], param="items")
    if len({item["price"]["id"] for item in items}) < len(items):
        raise InvalidRequest("Cannot add multiple subscription items with the same price.", param="items")


def _resets(subscription: JsonObject, given: JsonObject, old: list[JsonObject], new: list[JsonObject]) -> bool:
    """Return whether a new period begins now: another interval, an asked-for anchor, the end of a trial."""
    if given.get("trial_end") == "now" and subscription["status"] == "trialing":
        return True
    if subscription["status"] not in _BILLED:
        return False
    intervals = [
        (items[0]["price"]["recurring"]["interval"], items[0]["price"]["recurring"]["interval_count"])
        for items in (old, new)
    ]
    return intervals[0] != intervals[1] or given.get("billing_cycle_anchor") == "now"


def _prorate(
    work: Work,
    customer: JsonObject,
    subscription: JsonObject,
    given: JsonObject,
    *,
    old: list[JsonObject],
    new: list[JsonObject],
    resets: bool,
) -> None:
    begins_trial = isinstance(given.get("trial_end"), int)
    if given.get("proration_behavior") == "none" or subscription["status"] not in ("active", "past_due"):
        return
    at = given.get("proration_date", work.now)
    if not subscription_state.period_start(subscription) <= at <= period_end(subscription):
        raise InvalidRequest(
            "The proration_date must be within the subscription's current period.", param="proration_date"
        )
    after = {item["id"]: item for item in new}
    known = {item["id"] for item in old}
    for item in old:
        if resets or begins_trial or _differs(item, after.get(item["id"])):
            prorate_item(work, customer, subscription, item, at=at, sign=-1)
            changed = after.get(item["id"])
            if changed is not None and not resets and not begins_trial:
                prorate_item(work, customer, subscription, changed, at=at, sign=1)
    for item in new:
        if item["id"] not in known and not resets and not begins_trial:
            prorate_item(work, customer, subscription, item, at=at, sign=1)


def _differs(item: JsonObject, other: JsonObject | None) -> bool:
    if other is None:
        return True
    return bool(item["price"]["id"] != other["price"]["id"] or item["quantity"] != other["quantity"])


def _set_trial(work: Work, subscription: JsonObject, given: JsonObject) -> None:
    end = given.get("trial_end")
    if end is None:
        return
    if end == "now":
        if subscription["status"] == "trialing":
            subscription |= {"status": "active", "trial_end": work.now}
        return
    check_trial_end(work, end)
    subscription |= {
        "billing_cycle_anchor": end,
        "status": "trialing",
        "trial_end": end,
        "trial_start": subscription["trial_start"] or work.now,
    }
    start = subscription["trial_start"] if subscription["trial_start"] < work.now else work.now
    subscriptions.set_period(subscription, start, end)


def _set_cancellation(work: Work, subscription: JsonObject, given: JsonObject) -> None:
    if "cancel_at_period_end" in given and given.get("cancel_at") is not None:
        raise InvalidRequest(
            "You may only specify one of these parameters: cancel_at, cancel_at_period_end.", param="cancel_at"
        )
    if "cancel_at_period_end" in given:
        asked = given["cancel_at_period_end"]
        if asked == subscription["cancel_at_period_end"]:
            return
        _cancel_at(work, subscription, period_end(subscription) if asked else None, at_period_end=asked)
    elif "cancel_at" in given:
        instant = given["cancel_at"]
        if instant in ("max_period_end", "min_period_end"):
            instant = period_end(subscription)
        if instant is not None and instant <= work.now:
            raise InvalidRequest("cancel_at must be in the future.", param="cancel_at")
        _cancel_at(work, subscription, instant, at_period_end=False)


def _cancel_at(work: Work, subscription: JsonObject, instant: int | None, *, at_period_end: bool) -> None:
    subscription |= {
        "cancel_at": instant,
        "cancel_at_period_end": at_period_end,
        "canceled_at": None if instant is None else work.now,
    }
    reason = None if instant is None else "cancellation_requested"
    subscription["cancellation_details"] = subscription["cancellation_details"] | {"reason": reason}


def _bill(
    work: Work, customer: JsonObject, subscription: JsonObject, given: JsonObject, *, resets: bool
) -> JsonObject | None:
    for price, wanted in given.get("add_invoice_items", []):
        subscriptions.add_one_off(work, customer, subscription, price, wanted)
    if resets:
        drafts = periods.period_lines(work, subscription)
    elif given.get("proration_behavior") == "always_invoice" and invoices.pending_items(
        work, customer["id"], subscription["currency"], subscription["id"]
    ):
        drafts = []
    else:
        return None
    return periods.draft(work, customer, subscription, reason="subscription_update", drafts=drafts)


def _collect(work: Work, subscription: JsonObject, invoice: JsonObject, behavior: str) -> None:
    if invoice["collection_method"] == "send_invoice":
        return
    collection.finalize(work, invoice)
    if invoice["status"] != "open" or behavior == "default_incomplete":
        return
    if behavior != "error_if_incomplete":
        collection.attempt(work, invoice, off_session=False)
        return
    try:
        paid = collection.pay(work, invoice, collection.method_for(work, invoice), off_session=False)
    except CardError as error:
        error.keeps_changes = False
        raise
    if not paid:
        refused = CardError("Your card was declined.", code="subscription_payment_intent_requires_action")
        refused.keeps_changes = False
        raise refused
