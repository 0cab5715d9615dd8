"""A subscription as it is kept: its body, its items, when it is due, and the changes that are told.

Source: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses.
"""

from __future__ import annotations

from copy import deepcopy

from sandbox.stripe.billing import agenda
from sandbox.stripe.billing.calendar import DAY, HOUR
from sandbox.stripe.calls import Work
from sandbox.stripe.events import emit
from sandbox.stripe.shapes import JsonObject

KIND = "subscription"
ITEM = "subscription_item"

ENDED = ("canceled", "incomplete_expired")
FIRST_PAYMENT_WITHIN = 23 * HOUR
TRIAL_NOTICE = 3 * DAY
RENEWAL_NOTICE = 7 * DAY


def items_of(subscription: JsonObject) -> list[JsonObject]:
    """Return the items."""
    items: list[JsonObject] = subscription["items"]["data"]
    return items


def period_end(subscription: JsonObject) -> int:
    """Return when the current period ends; all items share it here."""
    ends: int = max(item["current_period_end"] for item in items_of(subscription))
    return ends


def period_start(subscription: JsonObject) -> int:
    """Return when the current period began."""
    start: int = min(item["current_period_start"] for item in items_of(subscription))
    return start


def insert(work: Work, subscription: JsonObject) -> None:
    """Store a new subscription, not yet told."""
    work.objects.insert(subscription)
    store(work, subscription)


def store(work: Work, subscription: JsonObject) -> None:
    """Store the subscription, its items as objects of their own, and when it is due."""
    kept = {item["id"] for item in items_of(subscription)}
    for item in items_of(subscription):
        if work.objects.get(ITEM, item["id"]) is None:
            work.objects.insert_part(item, owner=subscription["id"], created=item["created"])
        else:
            work.objects.replace(item)
    for known in work.objects.hidden(subscription["id"]).get("items", []):
        if known not in kept:
            work.objects.delete(known)
    work.objects.hide(subscription["id"], items=sorted(kept))
    agenda.keep(work, subscription, _due(work, subscription))


def _due(work: Work, subscription: JsonObject) -> int | None:
    status = subscription["status"]
    if status in ENDED:
        return None
    if status == "incomplete":
        return int(subscription["created"]) + FIRST_PAYMENT_WITHIN
    hidden = work.objects.hidden(subscription["id"])
    known = [subscription["cancel_at"]]
    if status != "paused":
        end = period_end(subscription)
        known.append(end)
        if status == "trialing" and hidden.get("told_trial_end") != end:
            known.append(max(end - TRIAL_NOTICE, subscription["created"]))
        if (
            status != "trialing"
            and hidden.get("told_renewal") != end
            and end - RENEWAL_NOTICE > subscription["created"]
        ):
            known.append(max(end - RENEWAL_NOTICE, period_start(subscription)))
        paused = subscription["pause_collection"]
        known.append(paused and paused["resumes_at"])
    return min((instant for instant in known if instant is not None), default=None)


def copy_of(subscription: JsonObject) -> JsonObject:
    """Return the subscription as it is, to be compared with what it becomes."""
    return deepcopy(subscription)


def save_change(work: Work, subscription: JsonObject, before: JsonObject) -> None:
    """Store the subscription and tell what changed; nothing is told when nothing did."""
    store(work, subscription)
    if subscription != before:
        emit(work, "customer.subscription.updated", subscription, before=before)


def set_status(work: Work, subscription: JsonObject, status: str) -> None:
    """Give the subscription another status and tell it."""
    before = copy_of(subscription)
    subscription["status"] = status
    save_change(work, subscription, before)


def end(work: Work, subscription: JsonObject, *, reason: str | None, status: str = "canceled") -> None:
    """End the subscription for good and tell it."""
    subscription |= {
        "canceled_at": subscription["canceled_at"] or work.now,
        "cancellation_details": subscription["cancellation_details"] | {"reason": reason},
        "ended_at": work.now,
        "pause_collection": None,
        "status": status,
    }
    store(work, subscription)
    told = "customer.subscription.updated" if status == "incomplete_expired" else "customer.subscription.deleted"
    emit(work, told, subscription)
