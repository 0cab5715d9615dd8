"""What machines ask: health, metrics, keys; and hosts that nobody owns."""

from contextlib import suppress
from typing import Any

import pytest
from django.test import Client

from apps.core import health
from apps.core.breaker import Breaker
from apps.tenancy.selectors import TenantView
from tests.api.problem import problem
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.fixtures.processes import free_port


@pytest.fixture
def cache_away(settings: Any) -> None:
    """A Valkey that refuses every connection."""
    location = f"redis://127.0.0.1:{free_port()}/0"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": location}}


@pytest.mark.parametrize("host", ["localhost", "10.1.2.3", "acme.localhost", "anything.example"])
def test_health_answers_under_every_name(acme: TenantView, host: str) -> None:
    client = Client(SERVER_NAME=host)
    for path in ("/health", "/health/live", "/health/ready"):
        answer = client.get(path)
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json"), path
    told = client.get("/health").json()
    assert (told["status"], told["percentage"]) == ("healthy", 100)
    assert told["dependencies"].keys() == {"database", "cache", "queue", "storage", "email", "stripe"}
    assert all(told["dependencies"][name]["latency_ms"] >= 0 for name in ("database", "cache", "queue", "storage"))


def test_metrics_are_told_on_the_platforms_host(acme: TenantView) -> None:
    client = Client(SERVER_NAME="localhost")
    client.get("/health/live")
    told = client.get("/metrics")
    assert told.status_code == 200
    assert b'insula_http_requests_total{method="GET",route="/health/live",status="200"}' in told.content


def test_keys_are_published_on_every_host(acme: TenantView) -> None:
    for host in ("localhost", acme.host):
        keys = Client(SERVER_NAME=host).get("/.well-known/jwks.json").json()["keys"]
        assert keys and all({"kid", "kty", "n", "e"} <= key.keys() and "d" not in key for key in keys)


def test_an_unknown_host_is_not_found(acme: TenantView) -> None:
    client = Client(SERVER_NAME="nobody.localhost")
    assert client.get("/").status_code == 404
    problem(client.get("/api/v1/invoices"), 404)


def test_without_the_cache_the_database_knows_the_hosts(
    acme: TenantView, api: ApiFor, browser_client: BrowserFor, cache_away: None
) -> None:
    assert acme.name in Client(SERVER_NAME=acme.host).get("/sign-in/").content.decode()
    assert browser_client(acme).get("/").status_code == 200
    assert api(acme).get("/api/v1/invoices", SERVER_NAME=acme.host).status_code == 200
    assert Client(SERVER_NAME="nobody.localhost").get("/").status_code == 404


def test_without_the_cache_health_says_so(acme: TenantView, cache_away: None) -> None:
    client = Client(SERVER_NAME="localhost")
    told = client.get("/health")
    assert (told.status_code, told.json()["status"]) == (200, "degraded")
    assert client.get("/health/ready").status_code == 503
    assert client.get("/health/live").status_code == 200


def test_what_is_away_is_named_and_does_not_stop_the_rest(acme: TenantView, settings: Any) -> None:
    health._asked.clear()
    settings.MEDIA_ROOT = "/dev/null/nowhere"
    breaker = Breaker.known["stripe"]
    breaker.reset()
    for _ in range(breaker.failures):
        with suppress(ConnectionError), breaker.guard(ConnectionError):
            raise ConnectionError
    client = Client(SERVER_NAME="localhost")
    told = client.get("/health")
    breaker.reset()
    health._asked.clear()
    assert (told.status_code, told.json()["status"], told.json()["percentage"]) == (200, "degraded", 66)
    down = [name for name, state in told.json()["dependencies"].items() if state["status"] == "down"]
    assert down == ["storage", "stripe"]
    assert client.get("/health/ready").status_code == 200
