"""Faults on demand: the next API calls fail as a network or Stripe itself might."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Literal

from sandbox.stripe.errors import ApiError, RateLimited, StripeError
from sandbox.stripe.shapes import JsonObject

LONGEST_WAIT = 120.0


@dataclass
class Fault:
    """How the next `count` calls fail.

    `status` is 429, 500, 502, 503 or 504, or None for no answer within `seconds` (then 504). `after` lets the call
    do its work first, so that only the answer is lost. `method` and `path` (a prefix) narrow what is hit.
    """

    count: int
    status: int | None
    path: str = "/v1/"
    method: str | None = None
    seconds: float = 60.0
    when: Literal["before", "after"] = "before"

    def hits(self, method: str, path: str) -> bool:
        """Return whether the fault concerns a call."""
        return path.startswith(self.path) and self.method in (None, method)


class Faults:
    """The faults that are still to happen; a restart clears them."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._waiting = 0
        self._generation = 0
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let the fault happen to the next calls it concerns, after the faults already added."""
        with self._condition:
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget all faults and let the calls that wait go on."""
        with self._condition:
            self._faults.clear()
            self._generation += 1
            self._condition.notify_all()

    def listed(self) -> list[JsonObject]:
        """Return the faults to come."""
        with self._condition:
            return [asdict(fault) for fault in self._faults]

    @property
    def waiting(self) -> int:
        """How many calls are being kept waiting now."""
        with self._condition:
            return self._waiting

    @contextmanager
    def around(self, method: str, path: str) -> Iterator[None]:
        """Carry out a call with whatever fault is due to it.

        Raises: StripeError as the fault says.
        """
        fault = self._take(method, path)
        if fault is None:
            yield
            return
        if fault.when == "after":
            yield
        self._happen(fault)
        # Reached only when the fault was cleared while the call waited.
        if fault.when == "before":
            yield

    def _take(self, method: str, path: str) -> Fault | None:
        with self._condition:
            for fault in self._faults:
                if fault.hits(method, path):
                    fault.count -= 1
                    if fault.count <= 0:
                        self._faults.remove(fault)
                    return fault
        return None

    def _happen(self, fault: Fault) -> None:
        if fault.status is None:
            if self._wait(fault.seconds):
                raise _failure(504)
            return
        raise _failure(fault.status)

    def _wait(self, seconds: float) -> bool:
        """Wait; return whether the whole time passed."""
        end = time.monotonic() + seconds
        with self._condition:
            generation = self._generation
            self._waiting += 1
            try:
                while self._generation == generation:
                    left = end - time.monotonic()
                    if left <= 0:
                        return True
                    self._condition.wait(left)
                return False
            finally:
                self._waiting -= 1


def _failure(status: int) -> StripeError:
    if status == 429:
        return RateLimited(
            "Request rate limit exceeded. This answer was asked for through the sandbox's faults.", code="rate_limit"
        )
    error = ApiError("An unknown error occurred. This answer was asked for through the sandbox's faults.")
    error.status = status
    return error
