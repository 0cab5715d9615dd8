"""Circuit breakers: stop asking a service outside that does not answer, try again after a while.

The state lives in the cache, so that every process sees it; while the cache is down each process counts for itself.
Counting is approximate under races by design: a call more or less does no harm, a lock would.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, TypeVar

import structlog
from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from prometheus_client import Counter, Gauge
from redis.exceptions import RedisError

from apps.core.errors import Unavailable

logger = structlog.get_logger(__name__)
R = TypeVar("R")

# Long enough that a quiet night does not forget an outage, short enough that nothing lies around for good.
KEEP_SECONDS = 24 * 3600
_LOCAL = LocMemCache("breakers", {"TIMEOUT": KEEP_SECONDS})
_STATE = Gauge(
    "insula_breaker_open",
    "1 while the breaker refuses calls, 0.5 while it lets one try",
    ["name"],
    multiprocess_mode="mostrecent",
)
_REFUSED = Counter("insula_breaker_refused_total", "Calls that a breaker refused", ["name"])
_OPENED = Counter("insula_breaker_opened_total", "How often a breaker began to refuse calls", ["name"])


class BreakerState(StrEnum):
    """CLOSED lets calls through, OPEN refuses them, HALF_OPEN lets one at a time try."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


class BreakerOpen(Unavailable):
    """The service failed repeatedly a moment ago and is not asked now. `retry_after` is in seconds."""

    code, title = "breaker_open", "A service that this needs is not answering"

    def __init__(self, name: str, retry_after: float) -> None:
        super().__init__(retry_after=max(1, round(retry_after)))
        self.name = name
        self.retry_after = max(1.0, retry_after)


@dataclass(frozen=True)
class Breaker:
    """Opens after `failures` in a row for `open_seconds`, closes again after `successes` of the calls that try.

    `probe_seconds` is how long one trying call may take before another is let through. Of breakers that share a name,
    `instance` tells apart which service each watches over; metrics count them together and show no state of one.
    """

    name: str
    failures: int
    open_seconds: float
    successes: int
    probe_seconds: int = 30
    instance: str = ""
    known: ClassVar[dict[str, "Breaker"]] = {}
    clock: Callable[[], float] = field(default=time.time, compare=False)

    def __post_init__(self) -> None:
        if not self.instance:
            self.known.setdefault(self.name, self)

    @contextmanager
    def guard(self, *failing: type[BaseException]) -> Iterator[None]:
        """Run the body if the breaker lets it; exceptions of the types `failing` count as failures.

        Any other exception shows that the service answered, so it counts as a success.

        Raises:
            BreakerOpen: the service is not asked now.
        """
        self._enter()
        try:
            yield
        except failing:
            self._safely(self._failed)
            raise
        except Exception:
            self._safely(self._succeeded)
            raise
        self._safely(self._succeeded)

    def state(self) -> BreakerState:
        """Where the breaker stands now."""
        opened_at: float | None = self._safely(lambda store: store.get(self._key("opened")))
        if opened_at is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self.clock() < opened_at + self.open_seconds else BreakerState.HALF_OPEN

    def reset(self) -> None:
        """Forget everything: closed, no failures."""
        self._safely(self._clear)

    def _enter(self) -> None:
        wait = self._safely(self._seconds_to_wait)
        if wait > 0:
            _REFUSED.labels(self.name).inc()
            raise BreakerOpen(self.name, wait)

    def _seconds_to_wait(self, store: BaseCache) -> float:
        opened_at: float | None = store.get(self._key("opened"))
        if opened_at is None:
            self._show(0)
            return 0
        left = opened_at + self.open_seconds - self.clock()
        if left > 0:
            self._show(1)
            return left
        self._show(0.5)
        return 0 if store.add(self._key("probe"), 1, self.probe_seconds) else 1

    def _failed(self, store: BaseCache) -> None:
        if store.get(self._key("opened")) is not None:
            self._open(store)
        elif self._count(store, "failures") >= self.failures:
            self._open(store)
            _OPENED.labels(self.name).inc()
            logger.warning("breaker.opened", breaker=self.name, instance=self.instance, seconds=self.open_seconds)

    def _succeeded(self, store: BaseCache) -> None:
        if store.get(self._key("opened")) is None:
            store.delete(self._key("failures"))
            return
        store.delete(self._key("probe"))
        if self._count(store, "successes") >= self.successes:
            self._clear(store)
            logger.info("breaker.closed", breaker=self.name, instance=self.instance)

    def _open(self, store: BaseCache) -> None:
        store.set(self._key("opened"), self.clock(), KEEP_SECONDS)
        store.delete_many([self._key("probe"), self._key("successes"), self._key("failures")])
        self._show(1)

    def _clear(self, store: BaseCache) -> None:
        store.delete_many([self._key(part) for part in ("opened", "probe", "successes", "failures")])
        self._show(0)

    def _count(self, store: BaseCache, part: str) -> int:
        store.add(self._key(part), 0, KEEP_SECONDS)
        try:
            return int(store.incr(self._key(part)))
        except ValueError:
            # It expired between the two statements.
            return 1

    def _show(self, openness: float) -> None:
        # One line for each thing that a tenant may name would be without bounds.
        if not self.instance:
            _STATE.labels(self.name).set(openness)

    def _key(self, part: str) -> str:
        return ":".join(("breaker", self.name, *((self.instance,) if self.instance else ()), part))

    def _safely(self, action: Callable[[BaseCache], R]) -> R:
        try:
            return action(cache)
        except (RedisError, OSError) as error:
            logger.warning("breaker.cache_unavailable", breaker=self.name, error=str(error))
            return action(_LOCAL)
