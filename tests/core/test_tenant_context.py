"""The tenant is a property of a transaction: nothing survives it, and without one nothing is answered."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction
from django.db.utils import DataError, ProgrammingError

from apps.core.postgres.base import TenantTransactionRequired
from apps.core.tenants import TenantScope, current_scope, public_scope, tenant_scope, tenant_transaction
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from tests.fixtures.tenants import NewTenant


def search_path() -> str:
    with connection.cursor() as cursor:
        cursor.execute("show search_path")
        return str(cursor.fetchone()[0])


def tenant_setting() -> str:
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('app.tenant_id', true)")
        return str(cursor.fetchone()[0] or "")


def test_a_transaction_carries_path_and_tenant_id(acme: TenantView) -> None:
    with tenant_transaction(acme.scope):
        assert search_path() == f"{acme.schema_name}, public"
        assert tenant_setting() == str(acme.id)


def test_nothing_survives_the_transaction(committed: NewTenant) -> None:
    tenant = committed("Survivor")
    with tenant_transaction(tenant.scope):
        assert tenant.schema_name in search_path()
    assert tenant.schema_name not in search_path()
    assert tenant_setting() == ""


def test_a_statement_without_a_transaction_is_refused(committed: NewTenant) -> None:
    tenant = committed("Careless")
    with tenant_scope(tenant.scope), pytest.raises(TenantTransactionRequired):
        Tenant.objects.count()


def test_a_tenant_whose_role_is_gone_leaves_a_usable_connection(committed: NewTenant) -> None:
    tenant = committed("Neighbour of nobody")
    for _ in range(2):
        with pytest.raises(DataError, match="does not exist"), tenant_transaction(TenantScope(uuid4(), "t_gone")):
            pass
    assert Tenant.objects.filter(pk=tenant.id).exists()
    with tenant_transaction(tenant.scope):
        assert tenant_setting() == str(tenant.id)


def test_tenant_tables_do_not_exist_outside_a_tenant(committed: NewTenant) -> None:
    committed("Outsider")
    with pytest.raises(ProgrammingError), connection.cursor() as cursor:
        cursor.execute("select count(*) from invoices_invoice")


def test_a_lazy_query_set_read_after_the_commit_fails_closed(committed: NewTenant) -> None:
    tenant = committed("Lazy")
    with connection.cursor() as cursor, tenant_transaction(tenant.scope):
        cursor.execute("select count(*) from invoices_invoice")
    with pytest.raises(ProgrammingError), connection.cursor() as cursor:
        cursor.execute("select count(*) from invoices_invoice")


def test_a_rolled_back_savepoint_leaves_the_tenant_in_place(acme: TenantView) -> None:
    with tenant_transaction(acme.scope):
        with pytest.raises(DataError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("select 1 / 0")
        assert search_path() == f"{acme.schema_name}, public"
        assert tenant_setting() == str(acme.id)


def test_a_nested_tenant_is_left_again_also_after_an_error(acme: TenantView, globex: TenantView) -> None:
    with tenant_transaction(acme.scope):
        with pytest.raises(DataError), tenant_transaction(globex.scope), connection.cursor() as cursor:
            assert search_path() == f"{globex.schema_name}, public"
            cursor.execute("select 1 / 0")
        assert current_scope() == acme.scope
        assert search_path() == f"{acme.schema_name}, public"


def test_public_scope_steps_out_and_back(acme: TenantView) -> None:
    with tenant_transaction(acme.scope):
        with public_scope():
            assert search_path() == "public"
            assert tenant_setting() == ""
        assert search_path() == f"{acme.schema_name}, public"


def test_on_commit_callbacks_run_without_the_tenants_transaction(committed: NewTenant) -> None:
    tenant = committed("Callback")
    seen: list[str] = []

    def callback() -> None:
        with public_scope():
            seen.append(search_path())

    with tenant_transaction(tenant.scope):
        transaction.on_commit(callback)
    assert tenant.schema_name not in seen[0]


def test_entering_costs_one_message(committed: NewTenant) -> None:
    tenant = committed("Counted")
    connection.ensure_connection()
    sent: list[str] = []
    original = connection.connection.execute

    def spy(query: object, *args: object) -> object:
        sent.append(query.as_string(connection.connection))  # type: ignore[attr-defined]
        return original(query, *args)

    connection.connection.execute = spy
    try:
        with tenant_transaction(tenant.scope), connection.cursor() as cursor:
            cursor.execute("select 1")
    finally:
        del connection.connection.execute
    assert len(sent) == 1
    assert sent[0].startswith("BEGIN; SET LOCAL search_path")


def test_threads_never_see_each_others_tenant(committed: NewTenant) -> None:
    tenants = [committed("Thread one"), committed("Thread two")]
    barrier = threading.Barrier(4)

    def work(index: int) -> int:
        tenant = tenants[index % 2]
        wrong = 0
        try:
            barrier.wait(20)
            for _ in range(250):
                with tenant_transaction(tenant.scope):
                    wrong += search_path() != f"{tenant.schema_name}, public"
        finally:
            connections.close_all()
        return wrong

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 0
