"""Subscriptions.

Source: https://docs.stripe.com/api/subscriptions.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.stripe.billing import changes, clocks, subscription_state
from sandbox.stripe.billing.subscriptions import cancel, create, resume_paused
from sandbox.stripe.calls import Call
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.forms import Raw
from sandbox.stripe.objects import Filter, equals
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import (
    TIME_RANGE,
    Choice,
    Either,
    Flag,
    Hash,
    Integer,
    Kind,
    ListOf,
    Metadata,
    Text,
    declare,
    declare_list,
)
from sandbox.stripe.resources.subscription_parameters import (
    CANCELLATION_DETAILS,
    CHANGED_ITEM,
    COLLECTION_METHOD,
    DISCOUNTS,
    ITEM,
    ONE_OFF_ITEM,
    PAYMENT_BEHAVIOR,
    PAYMENT_SETTINGS,
    PRORATION_BEHAVIOR,
    TAX_RATES,
    TRIAL_SETTINGS,
    changed_items,
    prepared,
    priced_items,
)
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject

KIND = subscription_state.KIND
_STATUSES = (
    "active",
    "canceled",
    "incomplete",
    "incomplete_expired",
    "past_due",
    "paused",
    "trialing",
    "unpaid",
)


@dataclass(frozen=True)
class InstantOr(Kind):
    """A time in seconds, or one of some words; where it may be cleared, null for an empty string."""

    words: tuple[str, ...]
    clearable: bool = False

    def parse(self, raw: Raw, name: str) -> int | str | None:
        """Return the number, the word or null.

        Raises: InvalidParameters for anything else.
        """
        text = Text(clearable=self.clearable, pattern=rf"{'|'.join(self.words)}|\d{{1,11}}").parse(raw, name)
        return int(text) if text is not None and text.isdecimal() else text


TRIAL_END = InstantOr(("now",))
CANCEL_AT = InstantOr(("max_period_end", "min_period_end"), clearable=True)


def _create(call: Call) -> JsonObject:
    params = call.params
    if "customer" not in params:
        raise InvalidRequest("Missing required param: customer.", code="parameter_missing", param="customer")
    if not params.get("items"):
        raise InvalidRequest("Missing required param: items.", code="parameter_missing", param="items")
    customer = call.require("customer", params["customer"], param="customer")
    work = clocks.at_time_of(call, customer)
    given = prepared(work, customer["id"], params) | {"items": priced_items(work, params["items"])}
    return create(work, customer, given)


def _retrieve(call: Call) -> JsonObject:
    return call.target(KIND, "subscription")


def _update(call: Call) -> JsonObject:
    subscription = call.target(KIND, "subscription")
    work = clocks.at_time_of(call, subscription)
    given = prepared(work, subscription["customer"], call.params)
    if "items" in call.params:
        given["items"] = changed_items(work, call.params["items"])
    if not given["add_invoice_items"]:
        del given["add_invoice_items"]
    return changes.change(work, subscription, given)


def _cancel(call: Call) -> JsonObject:
    subscription = call.target(KIND, "subscription")
    if subscription["status"] in subscription_state.ENDED:
        raise InvalidRequest(
            f"No such subscription: '{subscription['id']}'", code="resource_missing", param="subscription"
        )
    work = clocks.at_time_of(call, subscription)
    subscription["cancellation_details"] |= call.params.get("cancellation_details", {})
    cancel(
        work,
        subscription,
        prorate=call.params.get("prorate", False),
        invoice_now=call.params.get("invoice_now", False),
    )
    return work.require(KIND, subscription["id"], param="subscription")


def _resume(call: Call) -> JsonObject:
    subscription = call.target(KIND, "subscription")
    if subscription["status"] != "paused":
        raise InvalidRequest(
            f"Only paused subscriptions can be resumed; this one is {subscription['status']}.", param="subscription"
        )
    resume_paused(clocks.at_time_of(call, subscription), subscription)
    return call.target(KIND, "subscription")


def _list(call: Call) -> JsonObject:
    params = call.params
    filters: list[Filter] = [
        equals(name, params[name]) for name in ("collection_method", "customer", "test_clock") if name in params
    ]
    status = params.get("status")
    if status == "ended":
        filters.append(("json_extract(body, '$.status') IN ('canceled', 'incomplete_expired')", ()))
    elif status is None:
        filters.append(("json_extract(body, '$.status') NOT IN ('canceled', 'incomplete_expired')", ()))
    elif status != "all":
        filters.append(equals("status", status))
    if "price" in params:
        items = "SELECT 1 FROM json_each(body, '$.items.data') WHERE json_extract(value, '$.price.id') = ?"
        filters.append((f"EXISTS ({items})", (params["price"],)))
    return list_page(call, KIND, filters, url="/v1/subscriptions")


_ITEM = "/v1/subscriptions/<subscription>"
_SHARED = {
    "add_invoice_items": ListOf(ONE_OFF_ITEM, most=20),
    "cancel_at_period_end": Flag(),
    "collection_method": COLLECTION_METHOD,
    "days_until_due": Integer(least=0, most=365),
    "default_payment_method": Text(),
    "default_tax_rates": TAX_RATES,
    "description": Text(longest=500),
    "discounts": DISCOUNTS,
    "metadata": Metadata(),
    "off_session": Flag(),
    "payment_behavior": PAYMENT_BEHAVIOR,
    "payment_settings": PAYMENT_SETTINGS,
    "proration_behavior": PRORATION_BEHAVIOR,
    "trial_end": TRIAL_END,
    "trial_settings": TRIAL_SETTINGS,
}

ROUTES = (
    Route(
        "POST",
        "/v1/subscriptions",
        _create,
        declare(
            **_SHARED,
            billing_cycle_anchor=Integer(),
            cancel_at=Integer(),
            customer=Text(),
            items=ListOf(Hash(ITEM), most=20),
            trial_period_days=Integer(least=0),
        ),
    ),
    Route(
        "GET",
        "/v1/subscriptions",
        _list,
        declare_list(
            collection_method=COLLECTION_METHOD,
            created=TIME_RANGE,
            customer=Text(),
            price=Text(),
            status=Choice(("all", "ended", *_STATUSES)),
            test_clock=Text(),
        ),
    ),
    Route("GET", _ITEM, _retrieve, declare()),
    Route(
        "POST",
        _ITEM,
        _update,
        declare(
            **_SHARED,
            billing_cycle_anchor=Choice(("now", "unchanged")),
            cancel_at=CANCEL_AT,
            cancellation_details=CANCELLATION_DETAILS,
            items=ListOf(CHANGED_ITEM, most=20),
            pause_collection=Either(
                hash=Hash(
                    {
                        "behavior": Choice(("keep_as_draft", "mark_uncollectible", "void")),
                        "resumes_at": Integer(),
                    },
                    required=frozenset({"behavior"}),
                ),
                plain=Hash({}, clearable=True),
            ),
            proration_date=Integer(),
        ),
    ),
    Route(
        "DELETE",
        _ITEM,
        _cancel,
        declare(cancellation_details=CANCELLATION_DETAILS, invoice_now=Flag(), prorate=Flag()),
    ),
    Route(
        "POST",
        f"{_ITEM}/resume",
        _resume,
        declare(billing_cycle_anchor=Choice(("now",)), proration_behavior=PRORATION_BEHAVIOR),
    ),
)
