"""Reports read from a replica when there is one: as their tenant, read-only, and never at the price of an answer."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.db import DatabaseError, InternalError, ProgrammingError, connection, connections, transaction
from django.test import Client

from apps.core.breaker import BreakerState
from apps.core.errors import NotFound
from apps.core.postgres.base import TenantTransactionRequired
from apps.core.replica import BREAKER, read_report, reporting_transaction
from apps.core.rest.paging import PageRequest
from apps.core.tenants import (
    PUBLIC,
    REPLICA_ALIAS,
    NoTenant,
    current_alias,
    current_scope,
    current_tenant_id,
    public_scope,
    tenant_transaction,
)
from apps.iam.models import Membership
from apps.invoices.models import Client as Customer
from apps.invoices.selectors import NEWEST_CLIENTS
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from tests.fixtures.clients import BrowserFor
from tests.fixtures.processes import REPOSITORY, free_port
from tests.fixtures.replica import replica_at
from tests.fixtures.tenants import NewTenant, in_tenant


def _session() -> tuple[Any, ...]:
    with connections[current_alias()].cursor() as cursor:
        cursor.execute(
            "select current_setting('search_path'), current_setting('app.tenant_id'), current_user::text,"
            " current_setting('transaction_read_only'), pg_backend_pid()"
        )
        return tuple(cursor.fetchone())


def _write() -> None:
    Customer.objects.create(name="Nobody", email="nobody@example.test", currency="EUR")


def test_a_report_is_its_tenant_on_another_connection(replica: None, committed: NewTenant) -> None:
    tenant = committed("Reader")
    with in_tenant(tenant):
        primary = _session()
        _write()
    with reporting_transaction(tenant.scope):
        assert current_tenant_id() == tenant.id
        assert Customer.objects.count() == 1
        assert [client.name for client in NEWEST_CLIENTS.page(PageRequest()).rows] == ["Nobody"]
        session = _session()
    assert session[:4] == (*primary[:3], "on")
    assert session[4] != primary[4]
    assert (current_alias(), current_scope()) == ("default", PUBLIC)
    assert read_report(tenant.scope, _session) == session


def test_row_level_security_holds_in_a_report(replica: None, standing_tenants: tuple[TenantView, TenantView]) -> None:
    for tenant in standing_tenants:
        with reporting_transaction(tenant.scope):
            assert set(Membership.objects.values_list("tenant_id", flat=True)) == {tenant.id}


def test_a_report_inside_a_request_leaves_the_requests_transaction_alone(replica: None, committed: NewTenant) -> None:
    tenant, other = committed("Inside"), committed("Beside")
    with in_tenant(tenant):
        _write()
        # Not committed, so no other connection sees it; in a report the other tenant is the other tenant.
        assert read_report(tenant.scope, Customer.objects.count) == 0
        with reporting_transaction(tenant.scope), tenant_transaction(other.scope):
            assert (current_alias(), current_tenant_id()) == ("default", other.id)
            assert _session()[2] == other.schema_name
        with reporting_transaction(tenant.scope), public_scope():
            assert Tenant.objects.count() > 1
        _write()
        assert Customer.objects.count() == 2


@pytest.mark.parametrize("has_replica", [True, False])
def test_a_report_cannot_write(committed: NewTenant, request: pytest.FixtureRequest, has_replica: bool) -> None:
    if has_replica:
        request.getfixturevalue("replica")
    tenant = committed("Scribe")
    with pytest.raises(InternalError, match="read-only transaction"):
        read_report(tenant.scope, _write)
    with in_tenant(tenant):
        with pytest.raises(InternalError, match="read-only transaction"):
            read_report(tenant.scope, lambda: list(Customer.objects.select_for_update()))
        _write()
    with in_tenant(tenant):
        assert Customer.objects.count() == 1


def test_nothing_is_answered_outside_a_transaction(replica: None, committed: NewTenant) -> None:
    tenant = committed("Closed")
    with pytest.raises(TenantTransactionRequired):
        Tenant.objects.using(REPLICA_ALIAS).count()
    with transaction.atomic(using=REPLICA_ALIAS), pytest.raises(ProgrammingError):
        Customer.objects.using(REPLICA_ALIAS).count()
    with reporting_transaction(tenant.scope):
        lazy = Customer.objects.all()
    with pytest.raises(ProgrammingError):
        list(lazy)


def test_a_report_is_of_one_tenant(replica: None) -> None:
    with pytest.raises(NoTenant):
        read_report(PUBLIC, Tenant.objects.count)


def test_without_a_replica_the_primary_answers_within_the_callers_transaction(acme: TenantView) -> None:
    with in_tenant(acme):
        _write()
        assert read_report(acme.scope, Customer.objects.count) == 1
        assert read_report(acme.scope, _session)[2:4] == (acme.schema_name, "on")
        assert _session()[3] == "off"


def test_what_the_replica_does_not_have_yet_comes_from_the_primary(committed: NewTenant) -> None:
    tenant = committed("Newcomer")
    # A database in which no tenant has arrived.
    with replica_at(NAME="postgres"):
        assert read_report(tenant.scope, Customer.objects.count) == 0
        assert BREAKER.state() == BreakerState.CLOSED

        def late() -> str:
            if current_alias() == REPLICA_ALIAS:
                raise NotFound("Not there yet.")
            return current_alias()

        assert read_report(tenant.scope, late) == "default"


def test_a_replica_that_is_away_is_not_asked_for_a_while(committed: NewTenant) -> None:
    tenant = committed("Patient")
    with replica_at(HOST="127.0.0.1", PORT=free_port()):
        for _ in range(BREAKER.failures):
            assert read_report(tenant.scope, current_alias) == "default"
        assert BREAKER.state() == BreakerState.OPEN
        with in_tenant(tenant):
            assert read_report(tenant.scope, current_alias) == "default"
        with pytest.raises(DatabaseError), reporting_transaction(tenant.scope):
            pass
        assert (current_alias(), current_scope()) == ("default", PUBLIC)


def test_a_replica_that_dies_under_a_report_is_replaced_by_the_primary(replica: None, committed: NewTenant) -> None:
    tenant = committed("Survivor of replicas")
    seen = []

    def work() -> int:
        seen.append(current_alias())
        if current_alias() == REPLICA_ALIAS:
            with connection.cursor() as cursor:
                cursor.execute("select pg_terminate_backend(%s)", [_session()[4]])
        return Customer.objects.count()

    assert read_report(tenant.scope, work) == 0
    assert seen == [REPLICA_ALIAS, "default"]
    # And the next report has a connection again.
    assert read_report(tenant.scope, current_alias) == REPLICA_ALIAS


def test_dashboard_and_search_read_from_the_replica(
    replica: None, committed: NewTenant, browser_client: BrowserFor
) -> None:
    tenant = committed("Watcher")
    with in_tenant(tenant):
        _write()
    browser: Client = browser_client(tenant)
    for path, words in (("/", "<h1"), ("/search/?q=Nobody", "Nobody")):
        asked: list[str] = []

        def remember(execute: Any, sql: str, *rest: Any, asked: list[str] = asked) -> Any:
            asked.append(sql)
            return execute(sql, *rest)

        with connections[REPLICA_ALIAS].execute_wrapper(remember):
            answer = browser.get(path)
        assert (answer.status_code, words in answer.content.decode()) == (200, True)
        assert any("invoices_invoice" in sql for sql in asked)


def test_the_setting_makes_a_second_read_only_connection() -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "from django.conf import settings as s; d = s.DATABASES; r = d.get('replica', {});"
            "print(sorted(d), r.get('HOST'), r.get('NAME'), r.get('READ_ONLY'), r.get('ENGINE'))",
        ],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.dev",
            "REPLICA_DATABASE_URL": "postgres://reader@replica.example:5433/insula",
        },
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split("] ")[1].strip() == "replica.example insula True apps.core.postgres"
