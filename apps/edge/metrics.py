"""Figures about answers: by route, method and status, and by tenant for the busiest ones."""

import sys
import time
from collections import Counter as Tally
from typing import Any

from django.conf import settings
from django.core.signals import got_request_exception
from prometheus_client import Counter, Gauge, Histogram

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_ANSWERS = Counter("insula_http_requests_total", "Answers by route, method and status", ["route", "method", "status"])
_SECONDS = Histogram("insula_http_request_seconds", "Time to answer", ["route", "method"], buckets=_BUCKETS)
_OF_TENANTS = Counter("insula_tenant_requests_total", "Answers by tenant and class of status", ["tenant", "status"])
_TIME_OF_TENANTS = Counter("insula_tenant_request_seconds_total", "Time spent answering, by tenant", ["tenant"])
_IN_WORK = Gauge("insula_http_requests_in_progress", "Requests being answered", multiprocess_mode="livesum")
_ERRORS = Counter("insula_http_exceptions_total", "Errors that nobody expected, by type", ["type"])


class TenantLabels:
    """Which tenants have figures of their own: the `size` busiest of the last window, never more than 3 × `size` names.

    A process that has given out all its names keeps them until it ends, so that a scrape stays small however many
    tenants there are.
    """

    WINDOW_SECONDS = 300.0
    # Tenants counted within a window; whoever comes later has to wait for the next one.
    MAX_COUNTED = 10_000

    def __init__(self, size: int) -> None:
        self._size = size
        self._busiest: set[str] = set()
        self._given: set[str] = set()
        self._tally: Tally[str] = Tally()
        self._until = 0.0

    def label(self, key: str, now: float) -> str:
        """The name under which a request of tenant `key` counts at `now` (monotonic seconds)."""
        if now >= self._until:
            self._turn(now)
        if key in self._tally or len(self._tally) < self.MAX_COUNTED:
            self._tally[key] += 1
        if key in self._busiest:
            return key
        if len(self._busiest) < self._size and self._give(key):
            self._busiest.add(key)
            return key
        return OTHER

    def _turn(self, now: float) -> None:
        tally, self._tally = self._tally, Tally()
        self._until = now + self.WINDOW_SECONDS
        # Those who keep quiet make room; those who were busy already keep their place among equals.
        ranked = sorted(tally, key=lambda key: (-tally[key], key not in self._busiest))
        self._busiest = {key for key in ranked[: self._size] if self._give(key)}

    def _give(self, key: str) -> bool:
        if key not in self._given and len(self._given) < 3 * self._size:
            self._given.add(key)
        return key in self._given


_tenants = TenantLabels(settings.METRICS_TENANTS)
# prometheus_client looks labels up under a lock; these are looked up without.
_answers: dict[tuple[str, str, int], Any] = {}
_seconds: dict[tuple[str, str], Any] = {}
_of_tenants: dict[tuple[str, int], Any] = {}


def began() -> None:
    """A request is being answered."""
    _IN_WORK.inc()


def answered(*, route: str, method: str | None, status: int, seconds: float, tenant: str | None) -> None:
    """Count an answer. `route` is a pattern of ours, so there are only so many."""
    _IN_WORK.dec()
    verb = method if method in METHODS else OTHER.upper()
    key = (route, verb, status)
    if (count := _answers.get(key)) is None:
        count = _answers[key] = _ANSWERS.labels(route, verb, str(status))
    count.inc()
    if (histogram := _seconds.get(key[:2])) is None:
        histogram = _seconds[key[:2]] = _SECONDS.labels(route, verb)
    histogram.observe(seconds)
    if tenant is not None:
        label = _tenants.label(tenant, time.monotonic())
        if (count := _of_tenants.get((label, status // 100))) is None:
            count = _of_tenants[label, status // 100] = _OF_TENANTS.labels(label, f"{status // 100}xx")
        count.inc()
        _TIME_OF_TENANTS.labels(label).inc(seconds)


def _count_error(**_: Any) -> None:
    kind = sys.exc_info()[0]
    _ERRORS.labels(kind.__name__ if kind else "unknown").inc()


got_request_exception.connect(_count_error, dispatch_uid="insula.http_exceptions")
