"""The SQLite file: connections, transactions and tables."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, LifoQueue

from sandbox.stripe.configuration import ACCOUNT_ID

_SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    created INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL,
    hidden TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX IF NOT EXISTS object_by_account ON object (account, kind, seq);
CREATE INDEX IF NOT EXISTS object_by_customer ON object (kind, json_extract(body, '$.customer'));
CREATE INDEX IF NOT EXISTS object_by_intent ON object (kind, json_extract(body, '$.payment_intent'));
CREATE INDEX IF NOT EXISTS object_by_charge ON object (kind, json_extract(body, '$.charge'));
CREATE INDEX IF NOT EXISTS object_by_owner ON object (kind, json_extract(hidden, '$.owner'));
CREATE INDEX IF NOT EXISTS object_by_due ON object (json_extract(hidden, '$.clock'), json_extract(hidden, '$.due'))
    WHERE json_extract(hidden, '$.due') IS NOT NULL;
CREATE INDEX IF NOT EXISTS object_by_subscription
    ON object (kind, json_extract(body, '$.parent.subscription_details.subscription'));
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('event', 'resend')),
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed', 'dropped')),
    position INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL,
    created REAL NOT NULL,
    finished REAL,
    last_status INTEGER,
    last_error TEXT,
    corrupt INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (state, due);
CREATE INDEX IF NOT EXISTS delivery_by_event ON delivery (event);
CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT PRIMARY KEY,
    address TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    request_id TEXT NOT NULL,
    created REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS later (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    due REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS later_due ON later (due);
CREATE TABLE IF NOT EXISTS disturbance (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    action TEXT NOT NULL CHECK (action IN ('drop', 'delay', 'duplicate', 'corrupt', 'reorder')),
    count INTEGER NOT NULL,
    type TEXT NOT NULL,
    seconds REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS switch (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
"""

_LATER_COLUMNS = {
    ("object", "account"): f"TEXT NOT NULL DEFAULT '{ACCOUNT_ID}'",
    ("delivery", "corrupt"): "INTEGER NOT NULL DEFAULT 0",
}
"""Columns that files of earlier versions lack."""


def _add_missing_columns(connection: sqlite3.Connection) -> None:
    for (table, column), declaration in _LATER_COLUMNS.items():
        known = {row["name"] for row in connection.execute(f"PRAGMA table_info({table})")}
        if known and column not in known:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {declaration}")


class Storage:
    """Hands out transactions; writers queue on a lock instead of polling SQLite's."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()
        self._writing = threading.Lock()
        self.after_write: Callable[[], None] = lambda: None
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._connection() as connection:
            _add_missing_columns(connection)
            connection.executescript(_SCHEMA)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction that sees one state of the file throughout."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Open the one writing transaction; committed at the end, rolled back on an exception."""
        with self._connection() as connection, self._writing:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        self.after_write()

    def close(self) -> None:
        """Close the idle connections and fold the write-ahead log into the file."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = self._connect()
        try:
            yield connection
        finally:
            self._idle.put(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing under NORMAL; only a power cut may lose the last commits.
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection
