"""Whoever asks how the product is gets an answer in time, also about what hangs instead of failing."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.test import Client

from apps.core import health


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
