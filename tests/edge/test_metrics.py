"""Figures: bounded names, committed effects, and nobody reads them but the scraper."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client, RequestFactory
from prometheus_client import REGISTRY

from apps.audit import services as audit
from apps.core import ids
from apps.core.actor import system
from apps.edge import exposition
from apps.edge.metrics import OTHER, TenantLabels
from apps.edge.middleware import EdgeMiddleware
from apps.tenancy.selectors import TenantView
from tests.fixtures.clients import ApiFor
from tests.fixtures.tenants import NewTenant


def figure(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


def test_answers_count_by_route_and_tenant(acme: TenantView, api: ApiFor) -> None:
    program = api(acme)
    route = {"route": "/api/v1/clients/<uuid:client_id>", "method": "GET", "status": "404"}
    before = figure("insula_http_requests_total", **route)
    mine = figure("insula_tenant_requests_total", tenant=acme.key, status="4xx")
    for _ in range(3):
        program.get(f"/api/v1/clients/{ids.uuid7()}")
    assert figure("insula_http_requests_total", **route) == before + 3
    assert figure("insula_http_request_seconds_count", route=route["route"], method="GET") >= 3
    assert figure("insula_tenant_requests_total", tenant=acme.key, status="4xx") == mine + 3
    assert figure("insula_http_requests_in_progress") == 0


def test_what_strangers_ask_for_makes_no_new_names(db: None) -> None:
    client = Client(SERVER_NAME="localhost", raise_request_exception=False)
    for path in ("/a", "/b", "/api/v1/c"):
        client.generic("BREW", path)
    told = exposition.figures().decode()
    assert 'method="OTHER",route="unmatched"' in told
    assert "BREW" not in told and 'route="/a"' not in told


def test_few_tenants_have_figures_of_their_own_however_many_there_are() -> None:
    labels = TenantLabels(2)
    assert [labels.label(key, 0) for key in ("a", "b", "c", "a", "c", "c", "c")] == ["a", "b", OTHER, "a", *[OTHER] * 3]
    # The next window is for the busiest of the last one; whoever kept quiet makes room.
    assert [labels.label(key, 1000) for key in ("c", "a", "b")] == ["c", "a", OTHER]
    given = {labels.label(f"t{n}", 2000 + n * 1000) for n in range(100)}
    assert len(given - {OTHER}) <= 6


def test_counting_tenants_takes_no_more_memory_than_it_may() -> None:
    labels = TenantLabels(1)
    labels.MAX_COUNTED = 10
    for number in range(1000):
        labels.label(f"t{number}", 0)
    assert len(labels._tally) == 10


def test_what_was_undone_is_not_counted(db: None, django_capture_on_commit_callbacks: Any) -> None:
    def act() -> None:
        audit.record(actor=system(), action="edge.figure.test", entity_type="x", entity_id="1")

    with django_capture_on_commit_callbacks(execute=True):
        with pytest.raises(RuntimeError), transaction.atomic():
            act()
            raise RuntimeError
        act()
    assert figure("insula_actions_total", action="edge.figure.test") == 1


def test_connections_to_the_database_are_counted(committed: NewTenant) -> None:
    labels = {"alias": "default", "vendor": "postgresql"}
    before = figure("django_db_new_connections_total", **labels)
    with ThreadPoolExecutor(1) as other:
        other.submit(lambda: (connection.ensure_connection(), connection.close())).result(60)
    assert figure("django_db_new_connections_total", **labels) == before + 1


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.1.2.3", {}, 403),
        ("", {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 403),  # by a proxy that nobody has named
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, 403),
        ("10.1.2.3", {"Authorization": "Bearer s3cret-of-the-scraper"}, 200),
        ("10.1.2.3", {"Authorization": "Bearer s3cret"}, 403),
        ("10.1.2.3", {"Authorization": "Bearer ☃"}, 403),
    ],
)
def test_figures_are_for_the_scraper(settings: Any, peer: str, headers: dict[str, str], status: int) -> None:
    settings.METRICS_TOKEN = "s3cret-of-the-scraper"
    request = RequestFactory().get("/metrics", headers=headers, REMOTE_ADDR=peer)
    assert EdgeMiddleware(exposition.metrics)(request).status_code == status


def test_without_a_token_an_empty_one_opens_nothing(settings: Any) -> None:
    request = RequestFactory().get("/metrics", headers={"Authorization": "Bearer "}, REMOTE_ADDR="10.1.2.3")
    assert EdgeMiddleware(exposition.metrics)(request).status_code == 403
