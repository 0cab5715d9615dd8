"""Migrating many tenants: what is pending, how it is applied, and what single tenants cannot break."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from apps.core.actor import system
from apps.core.tenants import owner_transaction, tenant_transaction
from apps.tenancy import migrating_tenants, schema_script, services
from apps.tenancy.migrating_tenants import Options, migrate_tenants
from apps.tenancy.models import SchemaReport, SchemaStep, SchemaTemplate, Tenant, TenantStatus
from apps.tenancy.pending import Kind
from apps.tenancy.progress import Progress
from tests.fixtures.processes import REPOSITORY, product_environment, wait_until
from tests.tenancy.conftest import Grow
from tests.tenancy.test_services import structure

NOTE = """
    operations = [migrations.AddField("account", "note", models.CharField(max_length=20, null=True))]
"""
INDEX = """
    operations = [
        migrations.AddField("account", "colour", models.CharField(max_length=9, db_default="#000")),
        migrations.AddIndex("account", models.Index(fields=["colour"], name="account_colour")),
    ]
"""
FILL = """
    def fill(apps, schema_editor):
        Account = apps.get_model("ledger", "Account")
        if Account.objects.filter(name="poison").exists():
            raise ValueError("poisoned books")
        Account.objects.update(note="filled")

    operations = [migrations.RunPython(fill)]
"""
SECRET = """
    def secret():
        import secrets
        return secrets.token_hex(8)

    operations = [migrations.AddField("account", "secret", models.CharField(max_length=20, default=secret))]
"""
CONCURRENT = """
    from django.contrib.postgres.operations import AddIndexConcurrently
    atomic = False
    operations = [AddIndexConcurrently("account", models.Index(fields=["name"], name="account_by_name"))]
"""
OF_A_STRANGER = """
    class Odd(migrations.operations.base.Operation):
        def state_forwards(self, app_label, state): pass
        def database_forwards(self, app_label, schema_editor, before, after):
            schema_editor.execute("alter table ledger_account add odd integer")
    operations = [Odd()]
"""


def make(name: str) -> Tenant:
    tenant = services.create_tenant(actor=system(), name=name)
    services.provision_tenant(tenant_id=tenant.id)
    return Tenant.objects.get(pk=tenant.id)


def run(**options: Any) -> migrating_tenants.Result:
    return migrate_tenants(Progress(lambda text: None, is_terminal=False), Options(**options))


def sql(tenant: Tenant, statement: str) -> list[tuple[Any, ...]]:
    with tenant_transaction(tenant.scope), connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def columns(schema: str) -> set[str]:
    with owner_transaction(), connection.cursor() as cursor:
        cursor.execute(
            "select column_name from information_schema.columns where table_schema = %s and"
            " table_name = 'ledger_account'",
            [schema],
        )
        return {name for (name,) in cursor.fetchall()}


def as_owner(tenant: Tenant, statement: str) -> None:
    with owner_transaction(), connections["default"].cursor() as cursor:
        cursor.execute(statement.format(schema=tenant.schema_name))


@contextmanager
def table_in_use(database: str, tenant: Tenant) -> Iterator[psycopg.Connection[Any]]:
    """Another session that reads the tenant's accounts and does not end its transaction."""
    parameters = connections["default"].get_connection_params() | {"dbname": database}
    with psycopg.connect(
        **{k: parameters[k] for k in ("dbname", "user", "password", "host", "port") if parameters.get(k)}
    ) as other:
        other.execute(f"set role {tenant.schema_name}")
        other.execute(f"select count(*) from {tenant.schema_name}.ledger_account")
        other.execute("reset role")
        yield other


def test_nothing_is_pending_after_provisioning(own_database: str) -> None:
    make("Alpha")
    assert migrating_tenants.pending() == []
    call_command("migrate_tenants", check=True, stdout=StringIO())
    assert run().migrated == 0


def test_one_query_tells_what_is_pending(grow: Grow) -> None:
    for name in ("Alpha", "Beta", "Gamma"):
        make(name)
    grow("0901_note", NOTE)
    with CaptureQueriesContext(connection) as queries:
        units = migrating_tenants.pending()
    assert len(queries) == 1
    assert sorted(unit.kind for unit in units) == [Kind.TEMPLATE, Kind.TENANT, Kind.TENANT, Kind.TENANT]


def test_the_gate_reads_only_and_names_who_is_behind(grow: Grow) -> None:
    tenant = make("Alpha")
    grow("0901_note", NOTE)
    output = StringIO()
    with pytest.raises(SystemExit) as ending:
        call_command("migrate_tenants", check=True, stdout=output)
    assert ending.value.code == 1
    assert f"{tenant.key} is behind" in output.getvalue()
    assert "note" not in columns(schema_script.TEMPLATE_SCHEMA) | columns(tenant.schema_name)


def test_a_migrated_schema_is_the_template_and_a_schema_made_later(grow: Grow) -> None:
    old = make("Alpha")
    grow("0901_note", NOTE)
    grow("0902_index", INDEX)
    output = StringIO()
    call_command("migrate_tenants", stdout=output)
    assert "1 schemas migrated, 0 failed" in output.getvalue()
    new = make("Beta")
    template = structure(schema_script.TEMPLATE_SCHEMA)
    assert structure(old.schema_name) == template
    assert structure(new.schema_name) == template
    assert columns(old.schema_name) >= {"note", "colour"}
    old.refresh_from_db()
    assert old.schema_version == new.schema_version == SchemaTemplate.objects.latest("created_at").version
    assert sql(old, "select name from django_migrations where app = 'ledger' order by id")[-2:] == [
        ("0901_note",),
        ("0902_index",),
    ]
    assert migrating_tenants.pending() == []


def test_tenants_of_different_ages_end_alike(grow: Grow) -> None:
    oldest = make("Alpha")
    grow("0901_note", NOTE)
    run(key="nobody--")
    newer = make("Beta")
    grow("0902_index", INDEX)
    assert run().migrated == 2
    assert structure(oldest.schema_name) == structure(newer.schema_name)


def test_python_runs_in_each_tenant_and_in_one_transaction_with_the_rest(grow: Grow) -> None:
    good, bad = make("Alpha"), make("Beta")
    sql(bad, "update ledger_account set name = 'poison' where code = '1100'")
    grow("0901_note", NOTE)
    grow("0902_fill", FILL)
    grow("0903_index", INDEX)
    result = run()
    assert result.migrated == 1
    assert result.failed == {bad.key: "ValueError: poisoned books"}
    assert sql(good, "select distinct note, colour from ledger_account") == [("filled", "#000")]
    assert "note" not in columns(bad.schema_name)
    report = SchemaReport.objects.get(schema_name=bad.schema_name)
    assert (report.failure, report.attempts) == ("ValueError: poisoned books", 1)

    sql(bad, "update ledger_account set name = 'better' where name = 'poison'")
    assert run(key=bad.key).migrated == 1
    assert structure(bad.schema_name) == structure(schema_script.TEMPLATE_SCHEMA)
    assert SchemaReport.objects.get(schema_name=bad.schema_name).failure == ""


@pytest.mark.parametrize(
    ("body", "is_text"), [(NOTE, True), (INDEX, True), (SECRET, False), (CONCURRENT, False), (OF_A_STRANGER, False)]
)
def test_only_what_is_the_same_everywhere_becomes_text(grow: Grow, body: str, is_text: bool) -> None:
    tenant = make("Alpha")
    grow("0901_this", body)
    assert run().migrated == 1
    assert SchemaStep.objects.get(name="0901_this").is_text is is_text
    assert structure(tenant.schema_name) == structure(schema_script.TEMPLATE_SCHEMA)


def test_each_tenant_gets_a_secret_of_its_own(grow: Grow) -> None:
    tenants = [make("Alpha"), make("Beta")]
    grow("0901_secret", SECRET)
    run()
    secrets = [sql(tenant, "select distinct secret from ledger_account") for tenant in tenants]
    assert secrets[0] != secrets[1]


def test_a_tenant_that_refuses_stops_no_other_and_the_command_says_so(grow: Grow) -> None:
    good, bad = make("Alpha"), make("Beta")
    as_owner(bad, "alter table {schema}.ledger_account add note integer")
    grow("0901_note", NOTE)
    with pytest.raises(CommandError, match=f"{bad.key}: ProgrammingError: column .note. of relation"):
        call_command("migrate_tenants", stdout=StringIO())
    assert structure(good.schema_name) == structure(schema_script.TEMPLATE_SCHEMA)
    assert [unit.key for unit in migrating_tenants.pending()] == [bad.key]

    as_owner(bad, "alter table {schema}.ledger_account drop note")
    call_command("migrate_tenants", stdout=StringIO())
    assert migrating_tenants.pending() == []


def test_a_schema_that_is_further_than_its_row_is_not_migrated_twice(grow: Grow) -> None:
    tenant = make("Alpha")
    before = tenant.schema_version
    grow("0901_note", NOTE)
    run()
    Tenant.objects.filter(pk=tenant.pk).update(schema_version=before)
    assert run().migrated == 1
    assert sql(tenant, "select count(*) from django_migrations where name = '0901_note'") == [(1,)]


def test_suspended_and_deleted_tenants_are_migrated_and_purged_ones_are_not(grow: Grow) -> None:
    suspended, deleted, purged = make("Alpha"), make("Beta"), make("Gamma")
    Tenant.objects.filter(pk=suspended.pk).update(status=TenantStatus.SUSPENDED)
    Tenant.objects.filter(pk__in=[deleted.pk, purged.pk]).update(status=TenantStatus.DELETED)
    as_owner(purged, "drop schema {schema} cascade")
    grow("0901_note", NOTE)
    result = run()
    assert (result.migrated, result.failed) == (2, {})
    assert "note" in columns(suspended.schema_name) & columns(deleted.schema_name)


def test_a_long_transaction_delays_its_own_tenant_only(grow: Grow, own_database: str) -> None:
    busy, free = make("Alpha"), make("Beta")
    grow("0901_note", NOTE)
    with table_in_use(own_database, busy):
        result = run(lock_timeout_ms=20, attempts=1)
        assert result.migrated == 1
        assert "lock timeout" in result.failed[busy.key]
        assert "note" in columns(free.schema_name)
    assert run().migrated == 1


def test_a_lock_that_is_free_later_is_waited_for(grow: Grow, own_database: str) -> None:
    busy = make("Alpha")
    grow("0901_note", NOTE)

    def work() -> migrating_tenants.Result:
        try:
            return run(lock_timeout_ms=50, attempts=10)
        finally:
            connections.close_all()

    with table_in_use(own_database, busy) as other, ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        wait_until(lambda: _waits_for_a_lock(other), seconds=60, what="the migration waits for the table")
        other.rollback()
        assert future.result().migrated == 1


def test_two_runs_at_once_do_the_work_once(grow: Grow) -> None:
    tenants = [make(name) for name in ("Alpha", "Beta", "Gamma")]
    grow("0901_note", NOTE)

    def work(_: int) -> migrating_tenants.Result:
        try:
            return run()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(work, range(2)))
    assert sorted(result.migrated for result in results) == [0, 3]
    assert all(result.failed == {} for result in results)
    for tenant in tenants:
        assert sql(tenant, "select count(*) from django_migrations where name = '0901_note'") == [(1,)]


def test_a_killed_run_leaves_whole_schemas_and_the_next_continues(
    grow: Grow, own_database: str, tmp_path: Path
) -> None:
    done, busy = make("Alpha"), make("Beta")
    grow("0901_index", INDEX)
    environment = os.environ | product_environment(own_database)
    environment["DJANGO_SETTINGS_MODULE"] = "tests.tenancy.grown_settings"
    command = [sys.executable, "manage.py", "migrate_tenants", "--jobs", "1", "--lock-timeout", "600"]
    with table_in_use(own_database, busy) as other, (tmp_path / "log").open("wb") as log:
        child = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log)
        try:
            wait_until(lambda: _waits_for_a_lock(other), seconds=60, what="the migration reaches the busy tenant")
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
    assert "colour" not in columns(busy.schema_name)
    first = structure(done.schema_name)
    assert first in (structure(busy.schema_name), structure(schema_script.TEMPLATE_SCHEMA))
    assert run().failed == {}
    for tenant in (done, busy):
        assert structure(tenant.schema_name) == structure(schema_script.TEMPLATE_SCHEMA)
        assert sql(tenant, "select count(*) from django_migrations where name = '0901_index'") == [(1,)]


def test_an_unknown_tenant_and_senseless_options_are_refused(own_database: str) -> None:
    for options in ({"tenant": "nobody00"}, {"jobs": 0}, {"attempts": 0}, {"lock_timeout": 0}):
        with pytest.raises(CommandError):
            call_command("migrate_tenants", stdout=StringIO(), **options)


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere() -> None:
    now = iter(range(1000))
    for is_terminal in (True, False):
        written: list[str] = []
        progress = Progress(written.append, is_terminal=is_terminal, clock=lambda: float(next(now)))
        progress.start(100)
        for _ in range(100):
            progress.advance()
        text = "".join(written)
        assert "100/100 schemas" in text
        assert ("\r[" in text) is is_terminal
        assert len(text.splitlines()) < 15 or is_terminal


def _waits_for_a_lock(other: psycopg.Connection[Any]) -> bool:
    row = other.execute(
        "select exists (select from pg_locks where not granted and relation is not null and database ="
        " (select oid from pg_database where datname = current_database()))"
    ).fetchone()
    return bool(row and row[0])
