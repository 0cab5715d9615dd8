"""Events: what happened, to whom it is owed."""

from __future__ import annotations

import time

from sandbox.stripe.calls import Work
from sandbox.stripe.configuration import API_VERSION
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.objects import Objects
from sandbox.stripe.shapes import JsonObject


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
    work.objects.insert(event)
    for endpoint in work.objects.select("webhook_endpoint", ascending=True):
        if endpoint["status"] == "enabled" and wants(endpoint, event_type):
            owe(work.objects, event["id"], endpoint["id"], origin="event")
    return event


def wants(endpoint: JsonObject, event_type: str) -> bool:
    """Return whether the endpoint is subscribed to the type."""
    return "*" in endpoint["enabled_events"] or event_type in endpoint["enabled_events"]


def owe(objects: Objects, event_id: str, endpoint_id: str, *, origin: str) -> int:
    """Store one delivery, due at once; return its number."""
    now = time.time()
    cursor = objects.connection.execute(
        "INSERT INTO delivery (event, endpoint, origin, state, position, due, created)"
        " VALUES (?, ?, ?, 'pending', (SELECT coalesce(max(position), 0) + 1 FROM delivery), ?, ?)",
        (event_id, endpoint_id, origin, now, now),
    )
    return int(cursor.lastrowid or 0)


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
