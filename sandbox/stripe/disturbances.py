"""Disturbed deliveries: what is owed is dropped, delayed, doubled, corrupted or overtaken, as a network might.

A disturbance waits for the next deliveries it concerns and acts in the transaction that owes them, so it survives
crashes as they do.
"""

from __future__ import annotations

import sqlite3
import time

from sandbox.stripe.shapes import JsonObject

ACTIONS = ("drop", "delay", "duplicate", "corrupt", "reorder")

_ANY = "*"

_UNTIL_OVERTAKEN = 4e12
"""When a reordered delivery is due: once the next one to its endpoint has been put before it."""


def store_delivery(connection: sqlite3.Connection, event_id: str, endpoint_id: str, *, origin: str) -> int:
    """Store one delivery, due at once and after all others; return its number."""
    now = time.time()
    cursor = connection.execute(
        "INSERT INTO delivery (event, endpoint, origin, state, position, due, created)"
        " VALUES (?, ?, ?, 'pending', (SELECT coalesce(max(position), 0) + 1 FROM delivery), ?, ?)",
        (event_id, endpoint_id, origin, now, now),
    )
    return int(cursor.lastrowid or 0)


def add(connection: sqlite3.Connection, action: str, *, count: int, event_type: str, seconds: float) -> None:
    """Let the next `count` deliveries of the type be disturbed; `seconds` is how long a delayed one waits."""
    connection.execute(
        "INSERT INTO disturbance (action, count, type, seconds) VALUES (?, ?, ?, ?)",
        (action, count, event_type, seconds),
    )


def listed(connection: sqlite3.Connection) -> list[JsonObject]:
    """Return the disturbances to come."""
    return [dict(row) for row in connection.execute("SELECT * FROM disturbance ORDER BY id")]


def clear(connection: sqlite3.Connection) -> None:
    """Forget the disturbances to come; what they did stays."""
    connection.execute("DELETE FROM disturbance")


def disturb(connection: sqlite3.Connection, number: int, event_type: str) -> None:
    """Do to the new delivery what the oldest disturbance that concerns it says; let those it overtakes go."""
    _disturb(connection, number, event_type)
    connection.execute(
        "UPDATE delivery SET due = ?, position = (SELECT max(position) + 1 FROM delivery) WHERE state = 'pending'"
        " AND due = ? AND endpoint = (SELECT endpoint FROM delivery WHERE id = ? AND due < ?)",
        (time.time(), _UNTIL_OVERTAKEN, number, _UNTIL_OVERTAKEN),
    )


def _disturb(connection: sqlite3.Connection, number: int, event_type: str) -> None:
    row = connection.execute(
        "SELECT * FROM disturbance WHERE type IN (?, ?) ORDER BY id LIMIT 1", (_ANY, event_type)
    ).fetchone()
    if row is None:
        return
    connection.execute("UPDATE disturbance SET count = count - 1 WHERE id = ?", (row["id"],))
    connection.execute("DELETE FROM disturbance WHERE count <= 0")
    act(connection, row["action"], number, seconds=row["seconds"])


def act(connection: sqlite3.Connection, action: str, number: int, *, seconds: float) -> None:
    """Disturb one delivery that is still owed; one that is not owed can only be doubled."""
    now = time.time()
    if action == "duplicate":
        owed = connection.execute("SELECT event, endpoint FROM delivery WHERE id = ?", (number,)).fetchone()
        store_delivery(connection, owed["event"], owed["endpoint"], origin="resend")
        return
    change, values = {
        "drop": ("state = 'dropped', finished = ?", [now]),
        "delay": ("due = ?", [now + seconds]),
        "corrupt": ("corrupt = 1", []),
        "reorder": ("due = ?", [_UNTIL_OVERTAKEN]),
    }[action]
    connection.execute(f"UPDATE delivery SET {change} WHERE id = ? AND state = 'pending'", [*values, number])
