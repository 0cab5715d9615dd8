"""Idempotency keys: the same request again gets the same answer.

Source: https://docs.stripe.com/api/idempotent_requests.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sandbox.stripe.errors import Conflict, IdempotencyMismatch, InvalidParameters
from sandbox.stripe.forms import Raw

KEPT_FOR = 24 * 60 * 60
LONGEST_KEY = 255


@dataclass(frozen=True)
class Saved:
    """The answer that a key remembers."""

    status: int
    body: str
    request_id: str


@dataclass(frozen=True)
class Key:
    """A key and the request that it stands for."""

    value: str
    address: str
    fingerprint: str
    account: str

    @property
    def stored(self) -> str:
        """The key under which the answer is kept; every account has its own."""
        return f"{self.account}/{self.value}"


class InFlight:
    """The keys whose requests this process is carrying out; a crash forgets them, as it must."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[str] = set()

    @contextmanager
    def claim(self, key: Key | None) -> Iterator[None]:
        """Hold the key meanwhile.

        Raises: Conflict `idempotency_key_in_use` when another request holds it.
        """
        if key is None:
            yield
            return
        with self._lock:
            if key.stored in self._keys:
                raise Conflict(
                    "There is currently another in-progress request using this Idempotency Key. Wait for it to finish"
                    f" and try again: {key.value}",
                    code="idempotency_key_in_use",
                )
            self._keys.add(key.stored)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(key.stored)


def key_of(value: str | None, method: str, path: str, params: dict[str, Raw], account: str) -> Key | None:
    """Return the key of a request; only POST requests have one.

    Raises: InvalidParameters for a key longer than 255 characters.
    """
    if value is None or method != "POST":
        return None
    if len(value) > LONGEST_KEY:
        raise InvalidParameters(f"An idempotency key has at most {LONGEST_KEY} characters.")
    digest = hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()
    return Key(value, path, digest, account)


def recall(connection: sqlite3.Connection, key: Key) -> Saved | None:
    """Return the answer that the key remembers.

    Raises: IdempotencyMismatch when it was used for another address or with other parameters.
    """
    row = connection.execute("SELECT * FROM idempotency WHERE key = ?", (key.stored,)).fetchone()
    if row is None:
        return None
    if row["address"] != key.address:
        raise IdempotencyMismatch(
            "Keys for idempotent requests can only be used for the same endpoint they were first used for"
            f" ('{row['address']}', not '{key.address}'). Try another key than '{key.value}'."
        )
    if row["fingerprint"] != key.fingerprint:
        raise IdempotencyMismatch(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try"
            f" another key than '{key.value}' if you meant to execute a different request."
        )
    return Saved(row["status"], row["body"], row["request_id"])


def remember(connection: sqlite3.Connection, key: Key, answer: Saved) -> None:
    """Keep the answer, in the transaction that did the work."""
    connection.execute(
        "INSERT INTO idempotency (key, address, fingerprint, status, body, request_id, created)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (key.stored, key.address, key.fingerprint, answer.status, answer.body, answer.request_id, time.time()),
    )


def forget_old(connection: sqlite3.Connection) -> None:
    """Drop the answers that are older than a day."""
    connection.execute("DELETE FROM idempotency WHERE created < ?", (time.time() - KEPT_FOR,))
