"""How the number of tenants shows: making one, claiming one, catalogue, memory, requests, migrations.

BENCH_TENANTS names the numbers of tenants, smallest first; 5,000 take some ten minutes and 15 GB.
"""

import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.db.migrations.loader import MigrationLoader

from apps.core.actor import system
from apps.core.ids import schema_name
from apps.core.tenants import owner_transaction, tenant_transaction
from apps.tenancy import migrating_tenants, pool, schema_drift
from apps.tenancy import services as tenancy
from apps.tenancy.migrating_tenants import migrate_tenants
from apps.tenancy.models import SchemaTemplate, Tenant, TenantStatus
from apps.tenancy.progress import silent
from apps.tenancy.roles import drop_schema
from apps.tenancy.template_schema import newest_template
from tests.bench import fleet
from tests.bench.clock import milliseconds
from tests.bench.conftest import Measured
from tests.factories import invoices as invoice_factory
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.fixtures.processes import REPOSITORY, product_environment
from tests.fixtures.tenants import actor_of, in_tenant, provision
from tests.tenancy.conftest import Grow, grow  # noqa: F401

STAGES = [int(count) for count in os.environ.get("BENCH_TENANTS", "0,1000").split(",")]
BESIDE = int(os.environ.get("BENCH_BESIDE", "200"))
TIMES = 20
TABLE = re.compile(r"^CREATE TABLE .*?^\)\s*;", re.MULTILINE | re.DOTALL)
COLUMN = """
    operations = [migrations.AddField("account", "{name}", models.CharField(max_length=20, null=True))]
"""

pytestmark = pytest.mark.timeout(0)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _ddl(script: str) -> float:
    schema = schema_name()

    def run() -> None:
        with owner_transaction(), connection.cursor() as cursor:
            cursor.execute(f"create schema {schema}; set local search_path = {schema};\n{script}")

    taken = _seconds(run)
    with owner_transaction(), connection.cursor() as cursor:
        cursor.execute(f"drop schema {schema} cascade")
    return taken * 1000


def _sign_up() -> tuple[float, Tenant]:
    began = time.perf_counter()
    with transaction.atomic():
        tenant = tenancy.create_tenant(actor=system(), name=f"Bench {uuid4().hex[:10]}")
    tenancy.provision_tenant(tenant_id=tenant.id)
    taken = (time.perf_counter() - began) * 1000
    row = Tenant.objects.get(pk=tenant.id)
    assert row.status == TenantStatus.ACTIVE, row.status_reason
    return taken, row


def _remove(rows: list[Tenant]) -> None:
    for row in rows:
        drop_schema(row.schema_name)
        row.delete()


def _claim() -> float:
    template = newest_template()
    with transaction.atomic():
        return _seconds(lambda: pool.claim(template, "default")) * 1000


def test_the_curve(
    grow: Grow,  # noqa: F811
    api: ApiFor,
    browser_client: BrowserFor,
    measured: Measured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = SchemaTemplate.objects.latest("created_at").script
    tables = "\n".join(TABLE.findall(script))
    assert tables.count("CREATE TABLE") == script.count("CREATE TABLE")
    tenant = provision("Benchmark")
    owner = actor_of(tenant)
    with in_tenant(tenant):
        client_id = invoice_factory.make_client(owner).id
        for _ in range(20):
            invoice_factory.make_open(owner, client_id=client_id)
    program, browser = api(tenant), browser_client(tenant)

    def ask(client: Any, path: str) -> None:
        assert client.get(path).status_code == 200, path

    for stage in STAGES:
        began = time.perf_counter()
        fleet.fill_up_to(stage)
        filled = time.perf_counter() - began
        with connection.cursor() as cursor:
            cursor.execute("analyze")
        fleet.forget_connection()

        def row(what: str, figure: str, stage: int = stage) -> None:
            measured(f"{stage:,} tenants: {what}", figure)
            print(f"{stage:,} tenants: {what}: {figure}", flush=True)

        if filled > 1:
            row("filled by batches of 25, in", f"{filled:.0f} s")
        whole, bare, signups = [], [], []
        made = []
        for _ in range(TIMES):
            whole.append(_ddl(script))
            bare.append(_ddl(tables))
            taken, made_now = _sign_up()
            signups.append(taken)
            made.append(made_now)
        _remove(made)
        row("a schema by script", f"{median(whole):.0f} ms")
        row("its bare CREATE TABLE statements", f"{median(bare):.0f} ms")
        row("a sign-up by script, row to ACTIVE", f"{median(signups):.0f} ms")

        monkeypatch.setattr(settings, "TENANT_POOL_SIZE", 2 * TIMES)
        took = _seconds(pool.refill)
        row(f"filling the pool with {2 * TIMES}", f"{took:.1f} s")
        claims = [_claim() for _ in range(TIMES)]
        pooled = [_sign_up() for _ in range(TIMES)]
        row("a claim, median and slowest", f"{median(claims):.2f} ms, {max(claims):.2f} ms")
        row("a sign-up from the pool, row to ACTIVE", f"{median(taken for taken, _ in pooled):.0f} ms")
        _remove([made_now for _, made_now in pooled])
        monkeypatch.setattr(settings, "TENANT_POOL_SIZE", 0)

        row("catalogue", f"{fleet.catalogue_bytes() / 2**20:.0f} MiB")
        fleet.forget_connection()
        before = fleet.backend_bytes()
        others = list(Tenant.objects.filter(name__startswith="Fleet")[:200])
        first = [_touch(other) for other in others]
        if others:
            growth = (fleet.backend_bytes() - before) / len(others) / 2**20
            row("a connection grows, for each tenant touched", f"{growth:.2f} MiB")
            row("first look into another tenant's invoices, over a second one", f"{_over(first, others)}")
        row(
            "list of 20 invoices, whole stack in process",
            f"{milliseconds(lambda: ask(program, '/api/v1/invoices')):.0f} ms",
        )
        row("dashboard page, whole stack in process", f"{milliseconds(lambda: ask(browser, '/')):.0f} ms")

        row("nothing to migrate, all looked at", f"{milliseconds(migrating_tenants.pending):.0f} ms")
        grow(f"09{STAGES.index(stage):02}_column", COLUMN.format(name=f"column_{stage}"))
        taken = _seconds(lambda: _all_fine(migrate_tenants(silent())))
        row("one AddField by migrate_tenants, template and all", f"{taken:.2f} s")
        raw = _seconds(partial(_raw, f"raw_{stage}"))
        row("the same statements alone, one connection", f"{raw:.2f} s")
        _raw(f"raw_{stage}", undo=True)
        names = list(Tenant.objects.exclude(schema_version="").values_list("schema_name", flat=True)[:50])
        taken = _seconds(partial(schema_drift.drifted, names)) / len(names) * 1000
        row("comparing a schema with the template", f"{taken:.1f} ms")


def _touch(other: Tenant) -> float:
    def look() -> None:
        with tenant_transaction(other.scope), connection.cursor() as cursor:
            for table in ("invoices_invoice", "invoices_client", "ledger_account", "ledger_entry", "payments_payment"):
                cursor.execute(f"select count(*) from {table}")

    return _seconds(look) * 1000


def _over(first: list[float], others: list[Tenant]) -> str:
    return f"{median(first):.1f} ms, {median(_touch(other) for other in others):.1f} ms"


def _all_fine(result: migrating_tenants.Result) -> None:
    assert result.failed == {}, result.failed


def _raw(column: str, *, undo: bool = False) -> None:
    """What the same migration costs at least: the same statements, prepared beforehand, one message a schema."""
    connections["default"].ensure_connection()
    raw = connections["default"].connection
    change = f"drop column {column}" if undo else f"add column {column} varchar(20) null"
    for schema, version in Tenant.objects.exclude(schema_version="").values_list("schema_name", "schema_version"):
        raw.execute(
            f"begin; set local role {settings.DATABASE_OWNER_ROLE}; set local search_path = {schema};"
            f" alter table ledger_account {change};"
            " insert into django_migrations (app, name, applied) values ('bench', 'raw', now());"
            f" update public.tenancy_tenant set schema_version = '{version}' where schema_name = '{schema}';"
            " delete from django_migrations where app = 'bench'; commit"
        )


def test_beside_django_tenants(own_database: str, grow: Grow, measured: Measured) -> None:  # noqa: F811
    fleet.fill_up_to(BESIDE)
    environment = os.environ | product_environment(own_database)
    environment["DJANGO_SETTINGS_MODULE"] = "tests.bench.stock_settings"

    def stock() -> None:
        command = [sys.executable, "manage.py", "migrate_schemas", "--tenant", "-v", "0"]
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]

    def ours() -> None:
        command = [sys.executable, "manage.py", "migrate_tenants"]
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=environment | {"DJANGO_SETTINGS_MODULE": "tests.tenancy.grown_settings"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]

    def row(what: str, command: Callable[[], None]) -> None:
        spent = _children_cpu()
        seconds = _seconds(command)
        figure = f"{seconds:.1f} s, {_children_cpu() - spent:.1f} s CPU of its own"
        measured(f"{BESIDE:,} tenants, whole command: {what}", figure)
        print(f"{BESIDE:,} tenants, whole command: {what}: {figure}", flush=True)

    row("migrate_tenants, nothing to do", ours)
    grow("0901_first", COLUMN.format(name="first"))
    row("migrate_tenants, one AddField", ours)
    _write_shared_history()
    row("migrate_schemas, nothing to do", stock)
    grow("0902_second", COLUMN.format(name="second"))
    row("migrate_schemas, one AddField", stock)


def _children_cpu() -> float:
    times = resource.getrusage(resource.RUSAGE_CHILDREN)
    return times.ru_utime + times.ru_stime


def _write_shared_history() -> None:
    """What django-tenants wants in a tenant's history beside the tenant's own: every shared app's migrations."""
    nodes = [node for node in MigrationLoader(None, ignore_no_migrations=True).graph.nodes if node[0] != "djstripe"]
    for schema in Tenant.objects.values_list("schema_name", flat=True):
        with owner_transaction(schema), connection.cursor() as cursor:
            cursor.execute(
                "insert into django_migrations (app, name, applied) select a, n, now()"
                " from unnest(%s::text[], %s::text[]) as wanted(a, n)"
                " where not exists (select from django_migrations where app = a and name = n)",
                [[app for app, _ in nodes], [name for _, name in nodes]],
            )
