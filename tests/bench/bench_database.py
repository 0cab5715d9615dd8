"""Provisioning beside plain DDL, and postings to the ledger."""

import re
import time
from collections.abc import Callable
from datetime import date
from statistics import median
from threading import Thread
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction

from apps.core.actor import system
from apps.core.ids import schema_name
from apps.core.tenants import owner_transaction, tenant_transaction
from apps.ledger import services as ledger
from apps.ledger.services import Leg
from apps.tenancy import services as tenancy
from apps.tenancy.models import SchemaTemplate, Tenant, TenantStatus
from apps.tenancy.roles import drop_schema
from apps.tenancy.selectors import TenantView
from tests.bench.conftest import Measured

TIMES = 20
TABLE = re.compile(r"^CREATE TABLE .*?^\)\s*;", re.MULTILINE | re.DOTALL)


def _provision(number: int) -> float:
    with transaction.atomic():
        tenant = tenancy.create_tenant(actor=system(), name=f"Bench {number} {uuid4().hex[:6]}")
    began = time.perf_counter()
    tenancy.provision_tenant(tenant_id=tenant.id)
    taken = (time.perf_counter() - began) * 1000
    row = Tenant.objects.get(pk=tenant.id)
    assert row.status == TenantStatus.ACTIVE
    drop_schema(row.schema_name)
    row.delete()
    return taken


def _ddl(script: str) -> float:
    schema = schema_name()
    began = time.perf_counter()
    with owner_transaction(), connection.cursor() as cursor:
        cursor.execute(f"create schema {schema}; set local search_path = {schema};\n{script}")
    taken = (time.perf_counter() - began) * 1000
    drop_schema(schema)
    return taken


def test_provisioning(committed: Callable[[str], TenantView], measured: Measured) -> None:
    script = SchemaTemplate.objects.latest("created_at").script
    tables = "\n".join(TABLE.findall(script))
    assert tables.count("CREATE TABLE") == script.count("CREATE TABLE")
    provisioned, whole, bare = [], [], []
    for number in range(TIMES):
        provisioned.append(_provision(number))
        whole.append(_ddl(script))
        bare.append(_ddl(tables))
    measured(f"provisioning a tenant, median of {TIMES}", f"{median(provisioned):.0f} ms")
    measured("its script alone (tables, indexes, functions, triggers)", f"{median(whole):.0f} ms")
    measured("its CREATE TABLE statements alone", f"{median(bare):.0f} ms")


@pytest.mark.parametrize("threads", [1, 8])
def test_posting(committed: Callable[[str], TenantView], measured: Measured, threads: int) -> None:
    tenant = committed(f"Postings {threads}")
    actor = system(tenant.id)
    until = time.monotonic() + 4
    counts = [0] * threads

    def post(place: int) -> None:
        while time.monotonic() < until:
            with tenant_transaction(tenant.scope):
                ledger.post(
                    actor=actor,
                    key=f"bench:{place}:{counts[place]}",
                    kind="bench",
                    occurred_on=date(2026, 1, 1),
                    description="",
                    source_type="bench",
                    source_id=uuid4(),
                    legs=[Leg("1100", 11900, "EUR"), Leg("4000", -10000, "EUR"), Leg("2200", -1900, "EUR")],
                )
            counts[place] += 1
        connections.close_all()

    workers = [Thread(target=post, args=(place,)) for place in range(threads)]
    began = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    rate = sum(counts) / (time.monotonic() - began)
    measured(f"ledger entries of three legs, {threads} thread{'s' if threads > 1 else ''}", f"{rate:.0f} entries/s")
