"""Subscription items: changing one is changing its subscription.

Source: https://docs.stripe.com/api/subscription_items.
"""

from __future__ import annotations

from sandbox.stripe.billing import changes, clocks, subscription_state
from sandbox.stripe.calls import Call
from sandbox.stripe.objects import owned_by
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import Flag, Hash, Integer, Text, declare, declare_list
from sandbox.stripe.resources.subscription_parameters import (
    ITEM,
    PAYMENT_BEHAVIOR,
    PRORATION_BEHAVIOR,
    changed_items,
)
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject

KIND = subscription_state.ITEM
_OF_ITEM = ("metadata", "price", "price_data", "quantity", "tax_rates")
_OF_CHANGE = ("payment_behavior", "proration_behavior", "proration_date")


def _change(call: Call, subscription_id: str, item: JsonObject) -> JsonObject:
    subscription = call.require(subscription_state.KIND, subscription_id, param="subscription")
    work = clocks.at_time_of(call, subscription)
    given = {name: call.params[name] for name in _OF_CHANGE if name in call.params}
    entry = item | {name: call.params[name] for name in _OF_ITEM if name in call.params}
    return changes.change(work, subscription, given | {"items": changed_items(work, [entry])})


def _create(call: Call) -> JsonObject:
    earlier = {item["id"] for item in call.objects.select(KIND, [owned_by(call.params["subscription"])])}
    subscription = _change(call, call.params["subscription"], {})
    [added] = [item for item in subscription_state.items_of(subscription) if item["id"] not in earlier]
    return added


def _retrieve(call: Call) -> JsonObject:
    return call.target(KIND, "item")


def _update(call: Call) -> JsonObject:
    item = call.target(KIND, "item")
    _change(call, item["subscription"], {"id": item["id"]})
    return call.target(KIND, "item")


def _delete(call: Call) -> JsonObject:
    item = call.target(KIND, "item")
    _change(call, item["subscription"], {"id": item["id"], "deleted": True})
    return {"id": item["id"], "object": KIND, "deleted": True}


def _list(call: Call) -> JsonObject:
    subscription = call.require(subscription_state.KIND, call.params["subscription"], param="subscription")
    return list_page(call, KIND, [owned_by(subscription["id"])], url="/v1/subscription_items", oldest_first=True)


_ITEM = "/v1/subscription_items/<item>"
_LISTED = Hash(declare_list(subscription=Text()).members, required=frozenset({"subscription"}))
_CHANGE = {
    "payment_behavior": PAYMENT_BEHAVIOR,
    "proration_behavior": PRORATION_BEHAVIOR,
    "proration_date": Integer(),
}

ROUTES = (
    Route(
        "POST", "/v1/subscription_items", _create, declare(("subscription",), subscription=Text(), **ITEM, **_CHANGE)
    ),
    Route("GET", "/v1/subscription_items", _list, _LISTED),
    Route("GET", _ITEM, _retrieve, declare()),
    Route("POST", _ITEM, _update, declare(off_session=Flag(), **ITEM, **_CHANGE)),
    Route("DELETE", _ITEM, _delete, declare(**_CHANGE)),
)
