"""Test clocks: customers whose time stands still until it is advanced.

Source: https://docs.stripe.com/api/test_clocks.
"""

from __future__ import annotations

from dataclasses import replace

from sandbox.stripe.billing import clocks, cycle, subscription_state
from sandbox.stripe.billing.calendar import DAY, shifted
from sandbox.stripe.calls import Call
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.objects import equals
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import Integer, Text, declare, declare_list
from sandbox.stripe.resources import customers
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject

LIFE = 30 * DAY
FURTHEST_INTERVALS = 2


def _create(call: Call) -> JsonObject:
    clock: JsonObject = {
        "id": new_id("clock_"),
        "object": clocks.KIND,
        "created": call.now,
        "deletes_after": call.now + LIFE,
        "frozen_time": call.params["frozen_time"],
        "livemode": False,
        "name": call.params.get("name"),
        "status": "ready",
        "status_details": {},
    }
    call.objects.insert(clock)
    emit(call, f"{clocks.KIND}.created", clock)
    return clock


def _retrieve(call: Call) -> JsonObject:
    return call.target(clocks.KIND, "test_clock")


def _advance(call: Call) -> JsonObject:
    """Do all that happens until the new time; the answer says `advancing`, as on Stripe, a later look `ready`."""
    clock = call.target(clocks.KIND, "test_clock")
    target = call.params["frozen_time"]
    if target <= clock["frozen_time"]:
        raise InvalidRequest(
            "A test clock can only be advanced to a time after its current frozen time.", param="frozen_time"
        )
    _check_reach(call, clock, target)
    advancing = clock | {
        "status": "advancing",
        "status_details": {"advancing": {"target_frozen_time": target}},
    }
    emit(call, f"{clocks.KIND}.advancing", advancing)
    cycle.run(replace(call, now=clock["frozen_time"]), until=target, clock=clock["id"])
    clock["frozen_time"] = target
    call.objects.replace(clock)
    emit(call, f"{clocks.KIND}.ready", clock)
    return advancing


def _check_reach(call: Call, clock: JsonObject, target: int) -> None:
    """Refuse to skip more than two intervals of the shortest subscription, as Stripe does."""
    reach: int | None = None
    for subscription in call.objects.select(subscription_state.KIND, [equals("test_clock", clock["id"])]):
        if subscription["status"] in subscription_state.ENDED:
            continue
        recurring = subscription_state.items_of(subscription)[0]["price"]["recurring"]
        steps = FURTHEST_INTERVALS * recurring["interval_count"]
        furthest = shifted(clock["frozen_time"], recurring["interval"], steps)
        reach = furthest if reach is None else min(reach, furthest)
    if reach is not None and target > reach:
        raise InvalidRequest(
            "You can advance a test clock by at most two intervals of the shortest subscription at a time.",
            param="frozen_time",
        )


def _delete(call: Call) -> JsonObject:
    """Remove the clock with its customers and their subscriptions."""
    clock = call.target(clocks.KIND, "test_clock")
    for customer in call.objects.select("customer", [equals("test_clock", clock["id"])], ascending=True):
        customers.delete(call, customer)
    call.objects.connection.execute(
        "UPDATE object SET hidden = json_remove(hidden, '$.due') WHERE json_extract(hidden, '$.clock') = ?",
        (clock["id"],),
    )
    call.objects.delete(clock["id"])
    emit(call, f"{clocks.KIND}.deleted", clock)
    return {"id": clock["id"], "object": clocks.KIND, "deleted": True}


def _list(call: Call) -> JsonObject:
    return list_page(call, clocks.KIND, url="/v1/test_helpers/test_clocks")


_ALL = "/v1/test_helpers/test_clocks"

ROUTES = (
    Route(
        "POST",
        _ALL,
        _create,
        declare(("frozen_time",), frozen_time=Integer(least=0, most=32_503_680_000), name=Text(longest=300)),
    ),
    Route("GET", _ALL, _list, declare_list()),
    Route("GET", f"{_ALL}/<test_clock>", _retrieve, declare()),
    Route("DELETE", f"{_ALL}/<test_clock>", _delete, declare()),
    Route(
        "POST",
        f"{_ALL}/<test_clock>/advance",
        _advance,
        declare(("frozen_time",), frozen_time=Integer(least=0, most=32_503_680_000)),
    ),
)
