"""Exporting and importing a tenant of 100,000 rows: time, size, and the memory it adds."""

import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from apps.archives.exporting import export_tenant
from apps.archives.services import import_from_file
from apps.core.tenants import tenant_transaction
from apps.tenancy.selectors import TenantView
from tests.bench.conftest import Measured
from tests.fixtures.tenants import remove

ENTRIES = 20_000
FILL = f"""
insert into invoices_client (id, name, email, phone, address, tax_id, notes, locale, currency, created_at, updated_at)
select gen_random_uuid(), 'Client ' || n, 'client' || n || '@bench.test', '', 'Quay ' || n, '', repeat('note ', 20),
       'en', 'EUR', now(), now()
  from generate_series(1, {2 * ENTRIES}) n;
insert into ledger_account (id, code, name, kind, currency, created_at)
select gen_random_uuid(), 'b' || n, 'Bench', 'ASSET', 'EUR', now() from generate_series(1, 2) n;
with made as (
    insert into ledger_entry (id, key, kind, occurred_on, description, source_type, source_id, created_at)
    select gen_random_uuid(), 'bench:' || n, 'bench', current_date, 'Bench', 'bench', gen_random_uuid(), now()
      from generate_series(1, {ENTRIES}) n returning id)
insert into ledger_posting (id, entry_id, account_id, currency, amount_minor, position)
select gen_random_uuid(), made.id, account.id, 'EUR', case account.code when 'b1' then 100 else -100 end,
       case account.code when 'b1' then 1 else 2 end
  from made, ledger_account account where account.code in ('b1', 'b2')
"""


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _spent(began: float, cpu: float) -> str:
    return f"{time.perf_counter() - began:.2f} s ({time.process_time() - cpu:.2f} s of own CPU)"


def _silent(step: str, share: float) -> None:
    pass


@pytest.mark.timeout(600)
def test_a_hundred_thousand_rows(committed: Callable[[str], TenantView], measured: Measured, tmp_path: Path) -> None:
    tenant = committed("Bench Archive")
    export_tenant(tenant_id=tenant.id, target=tmp_path / "warm.zip")
    with tenant_transaction(tenant.scope), connection.cursor() as cursor:
        cursor.execute(FILL)
    before, began, cpu = _peak_mib(), time.perf_counter(), time.process_time()
    made = export_tenant(tenant_id=tenant.id, target=tmp_path / "a.zip")
    exported, exporting = _spent(began, cpu), _peak_mib() - before
    rows = sum(member.rows for member in made.members)
    before, began, cpu = _peak_mib(), time.perf_counter(), time.process_time()
    copy, _ = import_from_file(path=tmp_path / "a.zip", name="Bench Copy", slug="", tell=_silent)
    imported, importing = _spent(began, cpu), _peak_mib() - before
    remove(copy)
    size = (tmp_path / "a.zip").stat().st_size / 2**20
    measured(f"Export of {rows:,} rows", f"{exported}, {size:.1f} MiB, +{exporting:.0f} MiB of memory")
    measured("Import of the same, checked twice", f"{imported}, +{importing:.0f} MiB of memory")
