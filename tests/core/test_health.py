"""Whoever asks how the product is gets an answer in time, also about what hangs instead of failing."""

import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.db import connections
from django.test import Client

from apps.core import health
from tests.fixtures.processes import wait_until


@pytest.fixture
def hanging(settings: Any) -> Iterator[None]:
    """A cache that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        there = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        before = configured.CACHES
        settings.CACHES = {**before, "default": {**before["default"], "LOCATION": there}}
        yield
        settings.CACHES = before


def test_a_cache_that_hangs_is_down(db: None, hanging: None) -> None:
    client = Client(SERVER_NAME="localhost")
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json()["dependencies"]["cache"]["status"]) == (503, "down")
    whole = client.get("/health")
    assert (whole.status_code, whole.json()["status"]) == (200, "degraded")
    assert whole.json()["dependencies"]["email"] == {"status": "up", "latency_ms": None}
    # Nobody waits longer for it than for anything else that is asked.
    waits = cache._cache.get_client().connection_pool.connection_kwargs  # type: ignore[attr-defined]
    assert max(waits["socket_timeout"], waits["socket_connect_timeout"]) <= health.PATIENCE_SECONDS


@pytest.fixture
def silent_database(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A database that takes connections and never says a word, until the test is over."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        there = {"HOST": "127.0.0.1", "PORT": str(silent.getsockname()[1])}
        monkeypatch.setitem(connections.settings, "default", {**connections.settings["default"], **there})
        elsewhere = ThreadPoolExecutor(max_workers=2)  # whose threads have no connection yet
        monkeypatch.setattr(health, "_elsewhere", elsewhere)
        monkeypatch.setattr(health, "_asked", {})
        monkeypatch.setattr(health, "_under_way", {})
        yield
    # Whoever was kept waiting has been hung up on.
    elsewhere.shutdown(wait=True)


def test_a_database_that_hangs_is_down_and_holds_one_thread(db: None, silent_database: None) -> None:
    client = Client(SERVER_NAME="localhost")
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json()["dependencies"]["database"]["status"]) == (503, "down")
    health._asked.clear()
    whole = client.get("/health")
    assert (whole.status_code, whole.json()["status"]) == (503, "unhealthy")
    assert whole.json()["dependencies"]["storage"]["status"] == "up"
    assert not health._under_way["database"].done()
    assert client.get("/health/live").status_code == 200


def test_whoever_asks_together_waits_for_one_look_at_a_breaker(monkeypatch: pytest.MonkeyPatch) -> None:
    look: Future[dict[str, Any]] = Future()
    monkeypatch.setattr(health, "_asked", {})
    monkeypatch.setitem(health._under_way, "email", look)
    with ThreadPoolExecutor(3) as callers:
        asked = [callers.submit(health._others) for _ in range(3)]
        try:
            wait_until(lambda: len(look._condition._waiters) == len(asked), what="waiting")  # type: ignore[attr-defined]
        finally:
            look.set_result({"status": "down", "latency_ms": 7})
        assert [one.result()["email"] for one in asked] == [{"status": "down", "latency_ms": None}] * len(asked)


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
def test_health_is_asked_and_not_told(path: str, db: None) -> None:
    client = Client(SERVER_NAME=configured.PLATFORM_HOST, enforce_csrf_checks=True)
    assert client.post(path).status_code == 405
