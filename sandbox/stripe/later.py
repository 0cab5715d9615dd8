"""What happens by itself some time after a request: delayed payments, refunds and disputes come to their end.

Rows, written in the transaction that began the thing, so that a crash forgets none of them.
"""

from __future__ import annotations

import sqlite3
import time

from sandbox.stripe.calls import Work
from sandbox.stripe.shapes import JsonObject


def schedule(work: Work, name: str, target: str, *, after: float) -> None:
    """Have the action done to the object `target` in `after` seconds."""
    work.objects.connection.execute(
        "INSERT INTO later (account, action, target, due) VALUES (?, ?, ?, ?)",
        (work.account, name, target, time.time() + after),
    )


def waiting(
    connection: sqlite3.Connection, *, until: float | None = None, target: str | None = None
) -> list[JsonObject]:
    """Return what is still to come, soonest first; only what is due at `until`, only what concerns `target`."""
    rows = connection.execute(
        "SELECT * FROM later WHERE (? IS NULL OR due <= ?) AND (? IS NULL OR target = ?) ORDER BY due, id",
        (until, until, target, target),
    )
    return [dict(row) for row in rows]


def forget(connection: sqlite3.Connection, row: JsonObject) -> None:
    """Take a row out, in the transaction that does what it says."""
    connection.execute("DELETE FROM later WHERE id = ?", (row["id"],))
