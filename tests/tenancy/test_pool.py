"""The warm pool: built in advance, claimed once, never of a wrong version, and not needed for a sign-up."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.db import connection, connections, transaction

from apps.core.actor import system
from apps.core.tenants import owner_transaction
from apps.tenancy import pool, schema_script, selectors, services
from apps.tenancy.migrating_tenants import migrate_tenants
from apps.tenancy.models import PooledSchema, PoolStatus, ProvisioningStep, Tenant, TenantStatus
from apps.tenancy.progress import Progress
from apps.tenancy.template_schema import newest_template
from tests.fixtures.processes import REPOSITORY, product_environment, wait_until
from tests.tenancy.conftest import Grow
from tests.tenancy.test_services import structure

NOTE = """
    operations = [migrations.AddField("account", "note", models.CharField(max_length=20, null=True))]
"""


def schemas() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("select nspname from pg_namespace where nspname ~ '^t_[a-z0-9]{16}$'")
        return {name for (name,) in cursor.fetchall()}


def ready() -> set[str]:
    return set(PooledSchema.objects.filter(status=PoolStatus.READY).values_list("schema_name", flat=True))


def assert_nothing_is_lost_or_shared() -> None:
    """Every schema is in the pool or one tenant's, and each of those exists."""
    taken = list(Tenant.objects.exclude(schema_version="").values_list("schema_name", flat=True))
    assert len(taken) == len(set(taken))
    assert set(taken).isdisjoint(ready())
    assert schemas() == set(taken) | ready()


def new(name: str) -> UUID:
    return services.create_tenant(actor=system(), name=name).id


@pytest.fixture
def three(own_database: str, settings: Any) -> None:
    """A pool of three."""
    settings.TENANT_POOL_SIZE = 3
    assert pool.refill() == 3


def test_a_pooled_schema_is_the_template(three: None) -> None:
    expected = structure(schema_script.TEMPLATE_SCHEMA)
    assert all(structure(name) == expected for name in ready())


def test_a_sign_up_takes_the_oldest_and_keeps_its_name(three: None) -> None:
    oldest = PooledSchema.objects.earliest("created_at").schema_name
    tenant_id = new("Alpha")
    host = f"{Tenant.objects.get(pk=tenant_id).slug}.localhost"
    assert selectors.tenant_by_host(host) is not None
    services.provision_tenant(tenant_id=tenant_id)
    tenant = Tenant.objects.get(pk=tenant_id)
    assert (tenant.status, tenant.schema_name) == (TenantStatus.ACTIVE, oldest)
    seen = selectors.tenant_by_host(host)
    assert seen is not None
    assert seen.schema_name == oldest
    services.provision_tenant(tenant_id=tenant_id)
    assert Tenant.objects.get(pk=tenant_id).schema_name == oldest
    assert pool.state() == pool.PoolState(size=3, ready=2, stale=0, claimed=1)
    assert_nothing_is_lost_or_shared()
    cache.delete(f"tenancy:host:{host}")


def test_an_empty_pool_falls_back_to_the_script(own_database: str) -> None:
    tenant_id = new("Alpha")
    services.provision_tenant(tenant_id=tenant_id)
    assert Tenant.objects.get(pk=tenant_id).status == TenantStatus.ACTIVE
    assert_nothing_is_lost_or_shared()


def test_sixteen_sign_ups_on_five_schemas(own_database: str, settings: Any) -> None:
    settings.TENANT_POOL_SIZE = 5
    assert pool.refill() == 5
    pooled = ready()
    tenants = [new(f"Sign-up {number}") for number in range(16)]

    def work(tenant_id: UUID) -> None:
        try:
            services.provision_tenant(tenant_id=tenant_id)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(work, tenants))
    rows = Tenant.objects.filter(pk__in=tenants)
    assert set(rows.values_list("status", flat=True)) == {TenantStatus.ACTIVE}
    assert pooled <= set(rows.values_list("schema_name", flat=True))
    assert ready() == set()
    assert_nothing_is_lost_or_shared()


def test_a_claim_that_is_rolled_back_is_in_the_pool_again(three: None) -> None:
    before = ready()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        assert pool.claim(newest_template(), "default") in before
        raise ZeroDivisionError
    assert ready() == before


def test_a_sign_up_that_fails_later_keeps_its_schema_for_the_retry(three: None) -> None:
    with owner_transaction(), connection.cursor() as cursor:
        for name in ready():
            cursor.execute(f"alter table {name}.ledger_account add refusing integer not null")
    tenant_id = new("Alpha")
    services.provision_tenant(tenant_id=tenant_id)
    tenant = Tenant.objects.get(pk=tenant_id)
    assert (tenant.status, tenant.provisioning_step) == (TenantStatus.PROVISIONING_FAILED, ProvisioningStep.DEFAULTS)
    schema = tenant.schema_name
    assert_nothing_is_lost_or_shared()

    with owner_transaction(), connection.cursor() as cursor:
        cursor.execute(f"alter table {schema}.ledger_account drop refusing")
    services.retry_provisioning(actor=system(tenant_id), tenant_id=tenant_id)
    services.provision_tenant(tenant_id=tenant_id)
    tenant.refresh_from_db()
    assert (tenant.status, tenant.schema_name) == (TenantStatus.ACTIVE, schema)


def test_an_older_version_is_never_claimed_and_migrated_or_removed(three: None, grow: Grow) -> None:
    old = ready()
    grow("0901_note", NOTE)
    # As if the run had ended after the template: the pool is behind.
    migrate_tenants(Progress(lambda text: None, is_terminal=False))
    assert pool.state().stale == 0
    assert ready() == old
    assert all(structure(name) == structure(schema_script.TEMPLATE_SCHEMA) for name in old)

    PooledSchema.objects.update(version="of another time")
    assert pool.state().stale == 3
    assert pool.claim(newest_template(), "default") is None
    assert pool.refill() == 3
    assert ready().isdisjoint(old)
    assert schemas() == ready()


def test_refilling_waits_until_half_is_gone_and_builds_in_batches(three: None, settings: Any) -> None:
    settings.TENANT_POOL_SIZE = 4
    assert pool.refill() == 0
    services.provision_tenant(tenant_id=new("Alpha"))
    assert pool.refill() == 2
    settings.TENANT_POOL_SIZE = 0
    assert pool.refill() == 0
    assert len(ready()) == 4


def test_two_fillers_build_no_more_than_asked(own_database: str, settings: Any) -> None:
    settings.TENANT_POOL_SIZE = 4

    def work(_: int) -> None:
        try:
            pool.refill()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    assert len(ready()) == 4
    assert_nothing_is_lost_or_shared()


@pytest.mark.parametrize("waiting_for", ["tenancy_pooled_schema", "tenancy_tenant"])
def test_a_killed_filler_and_a_killed_sign_up_leave_nothing_behind(
    three: None, own_database: str, tmp_path: Path, waiting_for: str
) -> None:
    tenant_id = new("Alpha")
    before = ready()
    work = "pool.refill()" if waiting_for == "tenancy_pooled_schema" else "pool_claim()"
    script = tmp_path / "work.py"
    script.write_text(
        "import django; django.setup()\n"
        "from uuid import UUID\n"
        "from django.conf import settings\n"
        "from apps.tenancy import pool, services\n"
        "settings.TENANT_POOL_SIZE = 8\n"
        f"def pool_claim(): services.provision_tenant(tenant_id=UUID('{tenant_id}'))\n"
        f"{work}\n"
    )
    environment = os.environ | product_environment(own_database) | {"PYTHONPATH": str(REPOSITORY)}
    with transaction.atomic(), connection.cursor() as cursor:
        # The child does its work up to the row that it may not write, which is the last thing, and dies there.
        cursor.execute(f"lock table {waiting_for} in share row exclusive mode")
        with (tmp_path / "log").open("wb") as log:
            child = subprocess.Popen(
                [sys.executable, str(script)], cwd=REPOSITORY, env=environment, stdout=log, stderr=log
            )
            try:
                wait_until(lambda: _someone_waits(cursor), seconds=60, what="the child reaches the row")
            finally:
                child.send_signal(signal.SIGKILL)
                child.wait()
    wait_until(lambda: not _others_work(), seconds=60, what="the dead child's transaction ends")
    assert ready() == before
    assert schemas() == before
    services.provision_tenant(tenant_id=tenant_id)
    assert Tenant.objects.get(pk=tenant_id).status == TenantStatus.ACTIVE
    assert_nothing_is_lost_or_shared()


def _someone_waits(cursor: Any) -> bool:
    cursor.execute(
        "select exists (select from pg_locks where not granted and database ="
        " (select oid from pg_database where datname = current_database()))"
    )
    return bool(cursor.fetchone()[0])


def _others_work() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "select exists (select from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid() and backend_type = 'client backend' and xact_start is not null)"
        )
        return bool(cursor.fetchone()[0])
