"""What the sweep of webhooks costs among many workspaces: nothing due anywhere, and something due in a few.

BENCH_SWEPT is the number of workspaces (1,000).
"""

import os
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from apps.core.clock import utcnow
from apps.core.tenants import tenant_transaction
from apps.tenancy import selectors as tenancy
from apps.tenancy.models import Tenant
from apps.webhooks import tasks
from apps.webhooks.models import Delivery
from tests.bench import fleet
from tests.bench.conftest import Measured
from tests.factories.webhooks import owe
from tests.fixtures.tenants import NewTenant

SWEPT = int(os.environ.get("BENCH_SWEPT", "1000"))
OWING = 5

pytestmark = pytest.mark.timeout(0)


def _measure(work: Callable[[], object]) -> tuple[int, float]:
    """Statements and milliseconds of one sweep; BEGIN and COMMIT of its transactions are not counted."""
    asked = 0

    def count(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        nonlocal asked
        asked += 1
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(count):
        began = time.perf_counter()
        work()
        return asked, (time.perf_counter() - began) * 1000


def _visit_all() -> None:
    """What a sweep without notes does: one look into each workspace."""
    for tenant in tenancy.active_tenants():
        with tenant_transaction(tenant.scope):
            Delivery.objects.filter(next_attempt_at__lte=utcnow()).exists()


def test_a_sweep_among_many_workspaces(committed: NewTenant, measured: Measured, settings: Any) -> None:
    in_debt = [committed(f"Owing {number}") for number in range(OWING)]
    before = set(Tenant.objects.values_list("pk", flat=True))
    fleet.fill_up_to(SWEPT)
    count = Tenant.objects.count()

    def row(what: str, work: Callable[[], object] = tasks.sweep.run) -> None:
        fleet.forget_connection()
        connection.ensure_connection()
        asked, first = _measure(work)
        _, again = _measure(work)
        grown = fleet.backend_bytes() / 2**20
        measured(
            f"webhooks, {count:,} workspaces, {what}",
            f"{asked:,} statements, {first:,.0f} ms, again {again:,.0f} ms; the connection holds {grown:,.0f} MiB",
        )

    row("a look into each", _visit_all)
    row("sweep, nothing due")
    for tenant in in_debt:
        owe(tenant, "https://receiver.example/")
    row(f"sweep, something due in {OWING}")
    fleet.empty_but_for(before)
