"""Control over deliveries: held, released, sent again, and disturbed one by one or as they come."""

from __future__ import annotations

import json
import random
import sqlite3
import time

from sandbox.stripe import disturbances
from sandbox.stripe.delivery import HELD, held
from sandbox.stripe.errors import InvalidRequest, NotFound, no_such
from sandbox.stripe.events import endpoints_for, owe, wants
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.objects import Objects
from sandbox.stripe.shapes import JsonObject
from sandbox.stripe.signing import rolled
from sandbox.stripe.storage import Storage

LONGEST_DELAY = 86_400.0
_SHOWN = 500


class DeliveryControl:
    """Answers the control requests that concern deliveries."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def resend(self, body: JsonObject, event: str) -> JsonObject:
        """Owe the event once more, to one endpoint or to all that want it."""
        with self._storage.write() as connection:
            objects = Objects.around(connection, event)
            found = objects.get("event", event)
            if found is None:
                raise no_such("event", event, param="event", in_path=True)
            chosen = body.get("webhook_endpoint")
            endpoints = [
                endpoint
                for endpoint in endpoints_for(objects, found)
                if (endpoint["id"] == chosen if chosen is not None else wants(endpoint, found["type"]))
            ]
            if chosen is not None and not endpoints:
                raise no_such("webhook_endpoint", str(chosen), param="webhook_endpoint", in_path=False)
            numbers = [owe(objects, found, endpoint["id"], origin="resend") for endpoint in endpoints]
        return {"event": event, "deliveries": numbers}

    def show(self, body: JsonObject) -> JsonObject:
        """Return the newest deliveries."""
        with self._storage.read() as connection:
            return {"held": held(connection), "data": deliveries(connection, limit=_SHOWN)}

    def hold(self, body: JsonObject) -> JsonObject:
        """Keep all deliveries back."""
        with self._storage.write() as connection:
            connection.execute("INSERT OR REPLACE INTO switch (name, value) VALUES (?, '1')", (HELD,))
        return {"held": True}

    def release(self, body: JsonObject) -> JsonObject:
        """Let all deliveries go at once, in an order, delayed and overtaken ones included."""
        order = body.get("order", "created")
        if order not in ("created", "reverse", "shuffle"):
            raise InvalidRequest("order must be created, reverse or shuffle.", param="order")
        with self._storage.write() as connection:
            owed = [
                row["id"]
                for row in connection.execute("SELECT id FROM delivery WHERE state = 'pending' ORDER BY position, id")
            ]
            if order == "reverse":
                owed.reverse()
            elif order == "shuffle":
                random.shuffle(owed)
            first = connection.execute("SELECT coalesce(max(position), 0) + 1 FROM delivery").fetchone()[0]
            for offset, number in enumerate(owed):
                connection.execute(
                    "UPDATE delivery SET position = ?, due = ? WHERE id = ?", (first + offset, time.time(), number)
                )
            connection.execute("DELETE FROM switch WHERE name = ?", (HELD,))
        return {"held": False, "released": len(owed)}

    def act(self, body: JsonObject, delivery: str, action: str) -> JsonObject:
        """Disturb one delivery: drop, delay, duplicate, corrupt, reorder; or retry it at once."""
        if action not in (*disturbances.ACTIONS, "retry"):
            raise NotFound(f"No such action on a delivery: {action}")
        with self._storage.write() as connection:
            row = connection.execute("SELECT state FROM delivery WHERE id = ?", (delivery,)).fetchone()
            if row is None:
                raise no_such("delivery", delivery, param="delivery", in_path=True)
            if row["state"] != "pending" and action not in ("duplicate", "retry"):
                raise InvalidRequest(f"The delivery is {row['state']} already.", param="delivery")
            if action == "retry":
                connection.execute(
                    "UPDATE delivery SET state = 'pending', due = ?, finished = NULL, corrupt = 0 WHERE id = ?",
                    (time.time(), delivery),
                )
            else:
                disturbances.act(connection, action, int(delivery), seconds=_seconds(body))
            return {"delivery": next(iter(deliveries(connection, limit=1, number=int(delivery))))}

    def disturb(self, body: JsonObject) -> JsonObject:
        """Have the next deliveries disturbed."""
        action, count, event_type = body.get("action"), body.get("count", 1), body.get("type", "*")
        if action not in disturbances.ACTIONS:
            raise InvalidRequest(f"action must be one of {', '.join(disturbances.ACTIONS)}.", param="action")
        if type(count) is not int or not 1 <= count <= 10_000:
            raise InvalidRequest("count must be between 1 and 10000.", param="count")
        if not isinstance(event_type, str) or not event_type:
            raise InvalidRequest("type must be an event type or *.", param="type")
        with self._storage.write() as connection:
            disturbances.add(connection, action, count=count, event_type=event_type, seconds=_seconds(body))
            return {"data": disturbances.listed(connection)}

    def disturbances(self, body: JsonObject) -> JsonObject:
        """Return the disturbances to come."""
        with self._storage.read() as connection:
            return {"data": disturbances.listed(connection)}

    def undisturb(self, body: JsonObject) -> JsonObject:
        """Forget the disturbances to come."""
        with self._storage.write() as connection:
            disturbances.clear(connection)
        return {"data": []}

    def roll_secret(self, body: JsonObject, endpoint: str) -> JsonObject:
        """Give an endpoint a new secret; the one before stays valid for `expires_in` seconds."""
        expires_in = body.get("expires_in", 0)
        if type(expires_in) not in (int, float) or not 0 <= expires_in <= LONGEST_DELAY:
            raise InvalidRequest(f"expires_in must be at most {LONGEST_DELAY:g} seconds.", param="expires_in")
        with self._storage.write() as connection:
            objects = Objects.around(connection, endpoint)
            found = objects.get("webhook_endpoint", endpoint)
            if found is None:
                raise no_such("webhook_endpoint", endpoint, param="webhook_endpoint", in_path=True)
            secret = new_id("whsec_")
            hidden = rolled(objects.hidden(endpoint), secret, until=time.time() + expires_in)
            objects.hide(endpoint, **hidden)
        return found | {"secret": secret}


def _seconds(body: JsonObject) -> float:
    seconds = body.get("seconds", 5)
    if type(seconds) not in (int, float) or not 0 < seconds <= LONGEST_DELAY:
        raise InvalidRequest(f"seconds must be at most {LONGEST_DELAY:g}.", param="seconds")
    return float(seconds)


def deliveries(connection: sqlite3.Connection, *, limit: int, number: int | None = None) -> list[JsonObject]:
    """Return the newest deliveries with their events' types, how they stand and what they carry; or only one."""
    rows = connection.execute(
        "SELECT delivery.*, json_extract(event.body, '$.type') AS type, event.body AS payload,"
        " json_extract(endpoint.body, '$.url') AS url FROM delivery"
        " LEFT JOIN object AS event ON event.id = delivery.event"
        " LEFT JOIN object AS endpoint ON endpoint.id = delivery.endpoint"
        " WHERE ? IS NULL OR delivery.id = ? ORDER BY delivery.id DESC LIMIT ?",
        (number, number, limit),
    )
    found = [dict(row) for row in rows]
    for delivery in found:
        del delivery["position"]
        delivery["corrupt"] = bool(delivery["corrupt"])
        delivery["payload"] = json.loads(delivery["payload"] or "null")
    return found
