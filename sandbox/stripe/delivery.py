"""Webhook deliveries: rows that say what is owed, and the thread that sends them.

Each endpoint is served by one attempt at a time, in order of position; a failed attempt waits and lets the next go.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from sandbox.stripe import checkout, later, outcomes
from sandbox.stripe.billing import agenda, cycle
from sandbox.stripe.calls import Work
from sandbox.stripe.configuration import Configuration
from sandbox.stripe.events import with_pending
from sandbox.stripe.idempotency import forget_old
from sandbox.stripe.objects import Objects
from sandbox.stripe.serialization import encoded
from sandbox.stripe.signing import signature_header, valid_secrets
from sandbox.stripe.storage import Storage

log = logging.getLogger("sandbox.stripe")

HELD = "deliveries_held"
_LONGEST_WAIT = 3600.0
_IDLE = 1.0
_SENDERS = 8


@dataclass(frozen=True)
class _Due:
    """One attempt to make."""

    number: int
    endpoint: str
    url: str
    payload: str
    secrets: tuple[str, ...]
    attempts: int
    corrupt: bool


@dataclass(frozen=True)
class _Outcome:
    """How an attempt went."""

    status: int | None
    error: str | None

    @property
    def taken(self) -> bool:
        """Whether the receiver took the event."""
        return self.status is not None and 200 <= self.status < 300


def held(connection: sqlite3.Connection) -> bool:
    """Return whether deliveries are being held back."""
    return connection.execute("SELECT 1 FROM switch WHERE name = ?", (HELD,)).fetchone() is not None


class Courier:
    """Sends what is owed until it is told to stop, and ends checkout sessions whose time is over."""

    def __init__(self, configuration: Configuration, storage: Storage) -> None:
        self._configuration = configuration
        self._storage = storage
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._busy: set[str] = set()
        self._rest = _IDLE
        self._lock = threading.Lock()
        self._senders = ThreadPoolExecutor(_SENDERS, thread_name_prefix="webhook")
        # No redirects and no proxies: what is signed for one address goes nowhere else.
        self._client = httpx.Client(
            timeout=configuration.delivery_timeout, follow_redirects=False, trust_env=False, verify=True
        )
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        """Start sending."""
        self._storage.after_write = self._wake.set
        self._thread.start()

    def stop(self) -> None:
        """Let the attempts under way finish, then stop; what is still owed stays in the file."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()
        self._senders.shutdown(wait=True, cancel_futures=True)
        self._client.close()

    def _run(self) -> None:
        forgot_at = 0.0
        while not self._stopping.is_set():
            self._wake.clear()
            if time.monotonic() - forgot_at > 3600:
                self._try(self._forget_old)
                self._wake.clear()
                forgot_at = time.monotonic()
            self._rest = _IDLE
            for work in (self._expire_sessions, self._do_later, self._bill_due, self._send_due_and_rest):
                self._try(work)
            self._wake.wait(self._rest)

    def _try(self, work: Callable[[], None]) -> None:
        """Do a part of the work; what fails must not keep the rest, deliveries above all, from being done."""
        try:
            work()
        except Exception:
            log.exception("the courier could not %s", work.__name__.strip("_").replace("_", " "))

    def _send_due_and_rest(self) -> None:
        self._send_due()
        self._rest = self._pause()

    def _forget_old(self) -> None:
        with self._storage.write() as connection:
            forget_old(connection)

    def _expire_sessions(self) -> None:
        now = int(time.time())
        with self._storage.read() as connection:
            accounts = [
                row["account"]
                for row in connection.execute(
                    "SELECT DISTINCT account FROM object WHERE kind = ? AND json_extract(body, '$.status') = 'open'"
                    " AND json_extract(body, '$.expires_at') <= ?",
                    (checkout.KIND, now),
                )
            ]
        if not accounts:
            return
        with self._storage.write() as connection:
            for account in accounts:
                checkout.expire_due(Work(Objects(connection, account), now, self._configuration.base_url))

    def _do_later(self) -> None:
        with self._storage.read() as connection:
            if not later.waiting(connection, until=time.time()):
                return
        with self._storage.write() as connection:
            outcomes.run(Work(Objects(connection), int(time.time()), self._configuration.base_url), until=time.time())

    def _bill_due(self) -> None:
        """Renew, collect and end what is due on the wall's clock; test clocks move only when advanced."""
        now = int(time.time())
        with self._storage.read() as connection:
            if agenda.next_due(Work(Objects(connection), now, self._configuration.base_url), cycle.WALL, now) is None:
                return
        with self._storage.write() as connection:
            cycle.run(Work(Objects(connection), now, self._configuration.base_url), until=now)

    def _send_due(self) -> None:
        with self._lock:
            busy = set(self._busy)
        with self._storage.read() as connection:
            if held(connection):
                return
            endpoints = [
                row["endpoint"]
                for row in connection.execute(
                    "SELECT DISTINCT endpoint FROM delivery WHERE state = 'pending' AND due <= ?", (time.time(),)
                )
            ]
            chosen = [self._next(connection, endpoint) for endpoint in endpoints if endpoint not in busy]
        for due in chosen:
            if isinstance(due, int):
                self._drop(due)
            elif due is not None:
                with self._lock:
                    self._busy.add(due.endpoint)
                self._senders.submit(self._deliver, due).add_done_callback(_report)

    def _next(self, connection: sqlite3.Connection, endpoint_id: str) -> _Due | int | None:
        """Return the endpoint's next attempt, or the number of a delivery that no one wants any more."""
        row = connection.execute(
            "SELECT id, event, attempts, corrupt FROM delivery WHERE state = 'pending' AND due <= ? AND endpoint = ?"
            " ORDER BY position LIMIT 1",
            (time.time(), endpoint_id),
        ).fetchone()
        if row is None:
            return None
        objects = Objects.around(connection, endpoint_id)
        endpoint = objects.get("webhook_endpoint", endpoint_id)
        event = Objects.around(connection, row["event"]).get("event", row["event"])
        if endpoint is None or endpoint["status"] != "enabled" or event is None:
            return int(row["id"])
        return _Due(
            number=row["id"],
            endpoint=endpoint_id,
            url=endpoint["url"],
            payload=encoded(with_pending(objects, event)),
            secrets=valid_secrets(objects.hidden(endpoint_id), time.time()),
            attempts=row["attempts"],
            corrupt=bool(row["corrupt"]),
        )

    def _deliver(self, due: _Due) -> None:
        try:
            self._settle(due, self._attempt(due))
        finally:
            with self._lock:
                self._busy.discard(due.endpoint)
            self._wake.set()

    def _attempt(self, due: _Due) -> _Outcome:
        # What is corrupted on its way no longer fits its signature.
        sent = due.payload.replace('"', "'", 1) if due.corrupt else due.payload
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature_header(due.payload, due.secrets, int(time.time())),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        try:
            response = self._client.post(due.url, content=sent.encode(), headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return _Outcome(None, f"{type(error).__name__}: {error}")
        return _Outcome(response.status_code, None if response.is_success else response.text[:500])

    def _settle(self, due: _Due, outcome: _Outcome) -> None:
        now, attempts = time.time(), due.attempts + 1
        wait = min(self._configuration.retry_base * 2 ** (attempts - 1), _LONGEST_WAIT)
        if outcome.taken:
            state = "delivered"
        elif attempts >= self._configuration.max_attempts:
            state = "failed"
        else:
            state = "pending"
        with self._storage.write() as connection:
            connection.execute(
                "UPDATE delivery SET state = ?, attempts = ?, due = ?, finished = ?, last_status = ?, last_error = ?"
                " WHERE id = ? AND state = 'pending'",
                (
                    state,
                    attempts,
                    now + wait,
                    None if state == "pending" else now,
                    outcome.status,
                    outcome.error,
                    due.number,
                ),
            )

    def _drop(self, number: int) -> None:
        with self._storage.write() as connection:
            connection.execute(
                "UPDATE delivery SET state = 'dropped', finished = ? WHERE id = ?", (time.time(), number)
            )

    def _pause(self) -> float:
        """Return the seconds until something may be due; new work wakes the thread anyway."""
        with self._storage.read() as connection:
            if held(connection):
                return _IDLE
            row = connection.execute(
                "SELECT min(due) FROM"
                " (SELECT due FROM delivery WHERE state = 'pending' UNION ALL SELECT due FROM later)"
            ).fetchone()
        if row[0] is None:
            return _IDLE
        with self._lock:
            if self._busy:
                return _IDLE
        return max(0.01, min(_IDLE, float(row[0]) - time.time()))


def _report(future: Future[None]) -> None:
    error = None if future.cancelled() else future.exception()
    if error is not None:
        log.error("a webhook delivery could not be recorded", exc_info=error)
