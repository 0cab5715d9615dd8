"""What the second and third wall cost: the tenant's role in a transaction, the policy in a read."""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace

from django.db import connection

from apps.core.tenants import TenantScope, tenant_transaction
from apps.tenancy.selectors import TenantView
from tests.bench.conftest import Measured

ROUNDS, TIMES, REPEATED = 25, 20, 100


def _best(*works: Callable[[], None]) -> list[float]:
    """Milliseconds of each, taken in turns so that a busy moment meets all of them; the best fifth's median."""
    found: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, times in zip(works, found, strict=True):
            began = time.perf_counter()
            for _ in range(TIMES):
                work()
            times.append((time.perf_counter() - began) * 1000 / TIMES)
    return [statistics.median(sorted(times)[: ROUNDS // 5]) for times in found]


def test_walls(committed: Callable[[str], TenantView], measured: Measured) -> None:
    tenant = committed("Walls")
    connection.ensure_connection()
    tenant_id = str(tenant.id)
    path = f"set local search_path = {tenant.schema_name}, public; set local app.tenant_id = '{tenant_id}'"
    with_role = f"begin; {path}; set local role {tenant.schema_name}"

    def raw(opening: str, statement: str) -> Callable[[], None]:
        def work() -> None:
            session = connection.connection
            session.execute(opening)
            session.execute(statement)
            session.execute("commit")

        return work

    def by_django(scope: TenantScope) -> Callable[[], None]:
        def work() -> None:
            with tenant_transaction(scope), connection.cursor() as cursor:
                cursor.execute("select 1")

        return work

    read = f"select count(*) from public.notifications_notification where tenant_id = '{tenant_id}'"
    session = connection.connection

    def repeated(statement: str) -> Callable[[], None]:
        # Many in one message: what the server does, without the way to it.
        message = f"begin; {f'{statement}; ' * REPEATED} commit"
        return lambda: session.execute(message)

    setting, role, all_rows, own_rows, tenants, owners = _best(
        repeated(f"set local app.tenant_id = '{tenant_id}'; set local app.tenant_id = ''"),
        repeated(f"set local role {tenant.schema_name}; set local role none"),
        raw(f"begin; {path}", read),
        raw(with_role, read),
        by_django(tenant.scope),
        by_django(replace(tenant.scope, as_owner=True)),
    )
    measured("SET LOCAL of the tenant's setting, µs", f"{setting / REPEATED / 2 * 1000:.1f}")
    measured("SET LOCAL ROLE, µs", f"{role / REPEATED / 2 * 1000:.1f}")
    measured("a count in a shared table as the platform, ms", f"{all_rows:.3f}")
    measured("the same as the tenant, through the policy, ms", f"{own_rows:.3f} ({own_rows - all_rows:+.3f})")
    measured("tenant_transaction() and one statement, ms", f"{tenants:.3f}")
    measured("the same as the owner, ms", f"{owners:.3f}")
