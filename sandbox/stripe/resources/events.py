"""Events: a list that others can catch up from.

Source: https://docs.stripe.com/api/events.
"""

from __future__ import annotations

from sandbox.stripe.calls import Call
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.objects import Filter
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import TIME_RANGE, Flag, ListOf, Text, declare, declare_list
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject

_UNDELIVERED = (
    "EXISTS (SELECT 1 FROM delivery WHERE delivery.event = object.id AND delivery.state IN ('pending', 'failed'))"
)


def _retrieve(call: Call) -> JsonObject:
    return call.target("event", "id")


def _list(call: Call) -> JsonObject:
    filters: list[Filter] = []
    if "type" in call.params and "types" in call.params:
        raise InvalidRequest("You may only specify one of these parameters: type, types.", param="types")
    patterns = call.params.get("types") or ([call.params["type"]] if "type" in call.params else [])
    if patterns:
        condition = " OR ".join("json_extract(body, '$.type') GLOB ?" for _ in patterns)
        filters.append((f"({condition})", patterns))
    if "delivery_success" in call.params:
        filters.append((f"{'NOT ' if call.params['delivery_success'] else ''}{_UNDELIVERED}", ()))
    return list_page(call, "event", filters, url="/v1/events")


_TYPE = Text(pattern=r"[a-z0-9_.]+(\.\*)?|\*")

ROUTES = (
    Route(
        "GET",
        "/v1/events",
        _list,
        declare_list(created=TIME_RANGE, delivery_success=Flag(), type=_TYPE, types=ListOf(_TYPE, most=20)),
    ),
    Route("GET", "/v1/events/<id>", _retrieve, declare()),
)
