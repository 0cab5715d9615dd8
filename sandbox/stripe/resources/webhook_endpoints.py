"""Webhook endpoints: who is told, of what, with which secret.

Source: https://docs.stripe.com/api/webhook_endpoints.
"""

from __future__ import annotations

from sandbox.stripe.calls import Call, Work
from sandbox.stripe.configuration import API_VERSION
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import (
    Choice,
    Flag,
    ListOf,
    Metadata,
    Text,
    Url,
    declare,
    declare_list,
    merge_metadata,
)
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject

_KIND = "webhook_endpoint"
_EVENTS = ListOf(Text(pattern=r"\*|[a-z0-9_]+(\.[a-z0-9_]+)+"))


def new_endpoint(work: Work, given: JsonObject, *, secret: str | None = None) -> JsonObject:
    """Store an endpoint; return it with its secret, which no later answer shows."""
    secret = secret or new_id("whsec_")
    endpoint: JsonObject = {
        "id": new_id("we_"),
        "object": _KIND,
        "api_version": given.get("api_version"),
        "application": None,
        "created": work.now,
        "description": given.get("description"),
        "enabled_events": given["enabled_events"],
        "livemode": False,
        "metadata": merge_metadata({}, given.get("metadata") or {}),
        "status": "enabled",
        "url": given["url"],
    }
    work.objects.insert(endpoint, {"secret": secret, "connect": given.get("connect", False)})
    return endpoint | {"secret": secret}


def _create(call: Call) -> JsonObject:
    return new_endpoint(call, call.params)


def _retrieve(call: Call) -> JsonObject:
    return call.target(_KIND, "webhook_endpoint")


def _update(call: Call) -> JsonObject:
    endpoint = call.target(_KIND, "webhook_endpoint")
    for name in ("description", "enabled_events", "url"):
        if name in call.params:
            endpoint[name] = call.params[name]
    if "disabled" in call.params:
        endpoint["status"] = "disabled" if call.params["disabled"] else "enabled"
    if "metadata" in call.params:
        endpoint["metadata"] = merge_metadata(endpoint["metadata"], call.params["metadata"])
    call.objects.replace(endpoint)
    return endpoint


def _delete(call: Call) -> JsonObject:
    endpoint = call.target(_KIND, "webhook_endpoint")
    call.objects.delete(endpoint["id"])
    return {"id": endpoint["id"], "object": _KIND, "deleted": True}


def _list(call: Call) -> JsonObject:
    return list_page(call, _KIND, url="/v1/webhook_endpoints")


_ITEM = "/v1/webhook_endpoints/<webhook_endpoint>"

ROUTES = (
    Route(
        "POST",
        "/v1/webhook_endpoints",
        _create,
        declare(
            ("enabled_events", "url"),
            api_version=Choice((API_VERSION,)),
            connect=Flag(),
            description=Text(clearable=True),
            enabled_events=_EVENTS,
            metadata=Metadata(),
            url=Url(),
        ),
    ),
    Route("GET", "/v1/webhook_endpoints", _list, declare_list()),
    Route("GET", _ITEM, _retrieve, declare()),
    Route(
        "POST",
        _ITEM,
        _update,
        declare(
            description=Text(clearable=True),
            disabled=Flag(),
            enabled_events=_EVENTS,
            metadata=Metadata(),
            url=Url(),
        ),
    ),
    Route("DELETE", _ITEM, _delete, declare()),
)
