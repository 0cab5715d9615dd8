"""Files of earlier versions still open."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from sandbox.stripe.objects import Objects
from sandbox.stripe.storage import Storage

_EARLIER = """
CREATE TABLE object (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, created INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL, hidden TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, endpoint TEXT NOT NULL, origin TEXT NOT NULL,
    state TEXT NOT NULL, position INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL,
    created REAL NOT NULL, finished REAL, last_status INTEGER, last_error TEXT
);
"""


def test_objects_without_an_account_are_the_platforms(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite3"
    customer = {"id": "cus_1", "object": "customer", "created": 1}
    with sqlite3.connect(path) as connection:
        connection.executescript(_EARLIER)
        connection.execute(
            "INSERT INTO object (id, kind, created, body) VALUES ('cus_1', 'customer', 1, ?)", (json.dumps(customer),)
        )
    connection.close()
    storage = Storage(path)
    with storage.read() as connection:
        assert Objects(connection).get("customer", "cus_1") == customer
        assert Objects(connection).of("acct_other").get("customer", "cus_1") is None
        assert connection.execute("SELECT corrupt FROM delivery").fetchall() == []
    storage.close()
