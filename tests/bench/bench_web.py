"""The list of invoices through the whole stack beside a bare Django view, on one server in one run."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import httpx
import pytest
from django.conf import settings

from apps.tenancy.selectors import TenantView
from tests.bench.clock import throughput
from tests.bench.conftest import Measured
from tests.factories import invoices as invoice_factory
from tests.fixtures.processes import free_port, process, product_environment, wait_until
from tests.fixtures.tenants import PASSWORD, actor_of, in_tenant

ROUNDS, SECONDS, CONNECTIONS = 3, 4.0, 2


@pytest.fixture
def server(database_name: str, tmp_path: Path, standing_tenants: object) -> Iterator[tuple[int, int]]:
    """granian with one worker; its process's id and its port."""
    port = free_port()
    environment = product_environment(database_name) | {"DJANGO_SETTINGS_MODULE": "tests.bench.settings"}
    command = (
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", "1", "--blocking-threads", "4", "--no-ws", "--log-level", "warning"),
        "tests.bench.wsgi:application",
    )
    with process(*command, env=environment, log=tmp_path / "web.log") as child:
        live = f"http://127.0.0.1:{port}/health/live"
        wait_until(lambda: httpx.get(live, timeout=10).status_code == 200, what="granian")
        yield child.pid, port


def test_the_list_of_invoices(
    server: tuple[int, int], committed: Callable[[str], TenantView], measured: Measured
) -> None:
    process_id, port = server
    tenant = committed("Benchmark")
    owner = actor_of(tenant)
    with in_tenant(tenant):
        client = invoice_factory.make_client(owner)
        for _ in range(20):
            invoice_factory.make_open(owner, client_id=client.id)
    body = {"email": f"owner@{tenant.slug}.test", "password": PASSWORD, "tenant": tenant.key}
    host = {"Host": settings.PLATFORM_HOST}
    url = f"http://127.0.0.1:{port}/api/v1/auth/signin"
    token = httpx.post(url, json=body, headers=host, timeout=30).json()["access"]
    signed_in = host | {"Authorization": f"Bearer {token}"}
    bare_path = f"/bare/{tenant.schema_name}"
    for path in ("/api/v1/invoices", bare_path):
        assert len(httpx.get(f"http://127.0.0.1:{port}{path}", headers=signed_in, timeout=30).json()["data"]) == 20

    whole, bare = [], []
    for _ in range(ROUNDS):
        for path, results in (("/api/v1/invoices", whole), (bare_path, bare)):
            results.append(throughput(process_id, port, path, signed_in, connections=CONNECTIONS, seconds=SECONDS))
    for what, results in (
        ("authenticated list of 20 invoices, whole stack", whole),
        ("bare Django view, one statement, the same 20 rows", bare),
    ):
        rate, cpu = median(r.per_second for r in results), median(r.cpu_ms for r in results)
        measured(what, f"{rate:.0f} requests/s, {cpu:.2f} ms CPU each")
    rates = median(r.per_second for r in whole) / median(r.per_second for r in bare)
    costs = median(r.cpu_ms for r in bare) / median(r.cpu_ms for r in whole)
    measured("whole stack ÷ bare view", f"{rates:.2f} by requests/s, {costs:.2f} by CPU")
