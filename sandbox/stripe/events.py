"""Events: what happened, to whom it is owed."""

from __future__ import annotations

from sandbox.stripe.calls import Work
from sandbox.stripe.configuration import ACCOUNT_ID, API_VERSION
from sandbox.stripe.disturbances import disturb, store_delivery
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.objects import Objects, equals
from sandbox.stripe.shapes import JsonObject

_ENABLED = (equals("status", "enabled"),)


def emit(work: Work, event_type: str, body: JsonObject, *, before: JsonObject | None = None) -> JsonObject:
    """Store an event about `body` and a delivery for every endpoint that wants it; return the event.

    With `before`, the event carries the previous values of what changed.
    """
    data: JsonObject = {"object": body}
    if before is not None:
        data["previous_attributes"] = changed(before, body)
    event: JsonObject = {
        "id": new_id("evt_"),
        "object": "event",
        "api_version": API_VERSION,
        "created": work.now,
        "data": data,
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": work.request_id, "idempotency_key": work.idempotency_key},
        "type": event_type,
    }
    if work.account != ACCOUNT_ID:
        event["account"] = work.account
    work.objects.insert(event)
    for endpoint in endpoints_for(work.objects, event):
        if wants(endpoint, event_type):
            owe(work.objects, event, endpoint["id"], origin="event")
    return event


def endpoints_for(objects: Objects, event: JsonObject) -> list[JsonObject]:
    """Return the enabled endpoints that may hear of the event, oldest first.

    Endpoints made with `connect` hear of connected accounts only, the others of their own account only.
    """
    account = event.get("account", ACCOUNT_ID)
    own = objects.of(account).select("webhook_endpoint", [*_ENABLED, ("NOT coalesce(hidden->>'$.connect', 0)", ())])
    if account != ACCOUNT_ID:
        own += objects.of(ACCOUNT_ID).select("webhook_endpoint", [*_ENABLED, ("hidden->>'$.connect'", ())])
    return own[::-1]


def wants(endpoint: JsonObject, event_type: str) -> bool:
    """Return whether the endpoint is subscribed to the type."""
    return "*" in endpoint["enabled_events"] or event_type in endpoint["enabled_events"]


def owe(objects: Objects, event: JsonObject, endpoint_id: str, *, origin: str) -> int:
    """Store one delivery, due at once unless a disturbance says otherwise; return its number."""
    number = store_delivery(objects.connection, event["id"], endpoint_id, origin=origin)
    disturb(objects.connection, number, event["type"])
    return number


def with_pending(objects: Objects, event: JsonObject) -> JsonObject:
    """Return the event with the number of endpoints that have not yet taken it."""
    row = objects.connection.execute(
        "SELECT count(DISTINCT endpoint) FROM delivery WHERE event = ? AND state = 'pending'", (event["id"],)
    ).fetchone()
    return event | {"pending_webhooks": row[0]}


def changed(before: JsonObject, after: JsonObject) -> JsonObject:
    """Return the previous values of the members that differ; of nested hashes only what differs in them."""
    previous: JsonObject = {}
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict) and "object" not in old:
            previous[name] = changed(old, new)
        else:
            previous[name] = old
    return previous
