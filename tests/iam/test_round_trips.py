"""What an API request costs in messages to the database, as libpq itself writes them down."""

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection
from psycopg import errors

from apps.core.postgres.base import DatabaseWrapper
from apps.core.tenants import current_scope, public_scope
from apps.tenancy.selectors import TenantView
from tests.factories import invoices as invoice_factory
from tests.fixtures.clients import ApiFor
from tests.fixtures.tenants import NewTenant, actor_of, in_tenant

# One that the short way (`test_thin_reads.py`) does not answer.
LIST = "/api/v1/invoices?status=draft"


@contextmanager
def messages() -> Iterator[Callable[[], list[str]]]:
    """``sent()``: every query that this connection has sent inside, in order."""
    connection.ensure_connection()
    with tempfile.NamedTemporaryFile("r+") as log:
        libpq = connection.connection.pgconn
        libpq.trace(log.fileno())
        try:
            yield lambda: re.split(r"\tF\t\d+\tQuery\t ", Path(log.name).read_text())[1:]
        finally:
            libpq.untrace()


def test_a_list_costs_three_messages_its_caller_and_his_tenant_one_of_them(committed: NewTenant, api: ApiFor) -> None:
    tenant = committed("Counted")
    owner = actor_of(tenant)
    with in_tenant(tenant):
        drawn = invoice_factory.make_draft(owner)
    client = api(tenant)
    client.get(LIST)  # reads the signing keys

    with messages() as sent:
        answer = client.get(LIST)
        entering, rows, commit = sent()

    assert [row["id"] for row in answer.json()["data"]] == [str(drawn.id)]
    assert "BEGIN" in entering and "iam_token_family" in entering and "set_config" in entering
    assert "invoices_invoice" in rows
    assert "COMMIT" in commit
    assert current_scope().schema_name == "public"


def test_a_revoked_sign_in_reads_nothing_and_leaves_no_transaction(committed: NewTenant, api: ApiFor) -> None:
    tenant = committed("Revoked")
    client = api(tenant)
    assert client.get(LIST).status_code == 200
    assert client.post("/api/v1/auth/signout").status_code in (200, 204)

    with messages() as sent:
        assert client.get(LIST).status_code == 401
        entering, ended = sent()

    assert "iam_token_family" in entering
    assert "ROLLBACK" in ended


def test_the_settings_of_a_transaction_opened_by_a_statement_end_with_it(committed: NewTenant) -> None:
    tenant: TenantView = committed("Ends")
    wrapper = connections_wrapper()
    statement = "SELECT set_config('app.tenant_id', %s, true)"
    with public_scope(), wrapper.transaction_opened_by(statement, [str(tenant.id)]) as row:
        assert row == (str(tenant.id),)
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('app.tenant_id', true)")
        assert not cursor.fetchone()[0]


def test_a_statement_that_fails_while_opening_leaves_a_usable_connection(committed: NewTenant) -> None:
    committed("Fails")
    with (
        pytest.raises(Exception, match="does not exist") as raised,
        connections_wrapper().transaction_opened_by("SELECT * FROM no_such_table", []),
    ):
        pass
    assert isinstance(raised.value.__cause__, errors.UndefinedTable)
    with connection.cursor() as cursor:
        cursor.execute("select 1")
        assert cursor.fetchone() == (1,)


def connections_wrapper() -> DatabaseWrapper:
    """The product's own wrapper behind Django's proxy."""
    wrapper = connection._connections[connection._alias]
    assert isinstance(wrapper, DatabaseWrapper)
    return wrapper
