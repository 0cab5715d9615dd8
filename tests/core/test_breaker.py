"""Circuit breakers: when they open, whom they let try, how they close, and what they do without a cache."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from apps.core.breaker import Breaker, BreakerOpen, BreakerState


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Iterator[Breaker]:
    made = Breaker(f"test-{uuid.uuid4().hex}", failures=3, open_seconds=60, successes=2, clock=clock)
    yield made
    made.reset()


def fail(breaker: Breaker) -> None:
    with pytest.raises(ConnectionError), breaker.guard(ConnectionError):
        raise ConnectionError


def succeed(breaker: Breaker) -> None:
    with breaker.guard(ConnectionError):
        pass


def test_opens_after_failures_in_a_row(breaker: Breaker) -> None:
    fail(breaker)
    fail(breaker)
    assert breaker.state() is BreakerState.CLOSED
    fail(breaker)
    assert breaker.state() is BreakerState.OPEN
    with pytest.raises(BreakerOpen) as refused, breaker.guard(ConnectionError):
        pytest.fail("the body must not run")
    assert refused.value.status == 503
    assert 1 <= refused.value.extra["retry_after"] <= 60


def test_a_success_in_between_starts_the_count_anew(breaker: Breaker) -> None:
    for _ in range(3):
        fail(breaker)
        fail(breaker)
        succeed(breaker)
    assert breaker.state() is BreakerState.CLOSED


def test_other_exceptions_show_that_the_service_answered(breaker: Breaker) -> None:
    fail(breaker)
    fail(breaker)
    with pytest.raises(ValueError), breaker.guard(ConnectionError):
        raise ValueError
    fail(breaker)
    assert breaker.state() is BreakerState.CLOSED


def test_lets_one_call_try_after_the_wait_and_closes_after_its_successes(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        fail(breaker)
    clock.now += 61
    assert breaker.state() is BreakerState.HALF_OPEN
    with breaker.guard(ConnectionError), pytest.raises(BreakerOpen), breaker.guard(ConnectionError):
        pytest.fail("a second call must wait for the one that tries")
    assert breaker.state() is BreakerState.HALF_OPEN
    succeed(breaker)
    assert breaker.state() is BreakerState.CLOSED


def test_opens_again_when_the_trying_call_fails(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        fail(breaker)
    clock.now += 61
    succeed(breaker)
    fail(breaker)
    assert breaker.state() is BreakerState.OPEN
    clock.now += 61
    succeed(breaker)
    assert breaker.state() is BreakerState.HALF_OPEN, "successes count from the last failure"


def test_every_process_sees_the_same_state(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        fail(breaker)
    twin = Breaker(breaker.name, failures=3, open_seconds=60, successes=2, clock=clock)
    assert twin.state() is BreakerState.OPEN


def test_counts_for_itself_while_the_cache_is_down(breaker: Breaker, settings: Any) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "unix:///nonexistent/valkey.sock",
        }
    }
    for _ in range(3):
        fail(breaker)
    assert breaker.state() is BreakerState.OPEN
