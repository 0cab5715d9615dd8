"""Roles and policies: made, repeated, handed over, taken away, and no wider than they have to be."""

import asyncio
import os
from typing import Any
from unittest.mock import patch

import pytest
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from apps.core import ids
from apps.core.tenants import TenantScope, owner_transaction, tenant_scope, tenant_transaction
from apps.iam.models import Membership
from apps.tenancy import roles
from apps.tenancy.models import Tenant
from apps.tenancy.row_security import secure_shared_tables
from apps.tenancy.selectors import TenantView
from tests.fixtures.processes import ASYNC_CHECK
from tests.fixtures.tenants import NewTenant


def ask(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall()) if cursor.description else []


def role_exists(schema: str) -> bool:
    return bool(ask("select 1 from pg_roles where rolname = %s", schema))


def test_the_login_has_no_more_than_it_needs(acme: TenantView) -> None:
    assert ask("select rolsuper, rolbypassrls from pg_roles where rolname = session_user") == [(False, False)]
    with pytest.raises(ProgrammingError, match="permission denied for schema"), transaction.atomic():
        ask(f"select count(*) from {acme.schema_name}.invoices_client")


def test_a_tenants_role_may_use_its_schema_alone(acme: TenantView) -> None:
    attributes = "rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb"
    assert ask(f"select {attributes} from pg_roles where rolname = %s", acme.schema_name) == [(False,) * 5]
    usable = ask(
        "select nspname from pg_namespace where has_schema_privilege(%s, oid, 'usage')"
        " and nspname not in ('pg_catalog', 'information_schema') order by 1",
        acme.schema_name,
    )
    assert usable == [("public",), (acme.schema_name,)]
    creatable = ask("select nspname from pg_namespace where has_schema_privilege(%s, oid, 'create')", acme.schema_name)
    assert creatable == []


def test_inside_a_tenant_the_session_is_that_tenant(acme: TenantView) -> None:
    with tenant_transaction(acme.scope):
        assert ask("select current_user") == [(acme.schema_name,)]
        with owner_transaction():
            assert ask("select current_user") == [("insula_owner",)]
        assert ask("select current_user") == [(acme.schema_name,)]
    assert ask("select current_user = session_user") == [(True,)]


def test_a_tenant_sees_its_own_row_and_cannot_move_its_schema(acme: TenantView, globex: TenantView) -> None:
    with tenant_transaction(acme.scope):
        assert list(Tenant.objects.values_list("pk", flat=True)) == [acme.id]
        assert Tenant.objects.filter(pk=acme.id).update(legal_name="Acme Ltd") == 1
        for column in ("schema_name", "key", "database_alias", "id"):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                ask(f"update tenancy_tenant set {column} = {column}")


def test_a_tenant_sees_its_own_people(acme: TenantView, globex: TenantView) -> None:
    with tenant_transaction(acme.scope):
        addresses = {email for (email,) in ask("select email from iam_user")}
    assert f"owner@{acme.slug}.test" in addresses
    assert not any(address.endswith(f"@{globex.slug}.test") for address in addresses)


def test_a_data_migration_as_owner_changes_every_tenants_rows(acme: TenantView, globex: TenantView) -> None:
    with owner_transaction():
        changed = Membership.objects.filter(tenant_id__in=[acme.id, globex.id]).update(role="VIEWER")
    assert changed >= 10


def test_doing_it_again_changes_nothing(acme: TenantView) -> None:
    assert secure_shared_tables() == 0
    assert roles.adopt() == 0
    roles.ensure_platform_roles()
    roles.create_roles([acme.schema_name])


def test_every_shared_table_of_tenants_forces_its_policies(acme: TenantView) -> None:
    unguarded = ask(
        "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'"
        " where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not a.attisdropped"
        " and not (c.relrowsecurity and c.relforcerowsecurity)"
    )
    assert unguarded == []


def test_a_schema_from_before_the_roles_gets_them(acme: TenantView) -> None:
    schema = ids.schema_name()
    ask(f"create schema {schema}")
    ask(f"create table {schema}.thing (id uuid primary key)")
    ask(f"create function {schema}.nothing() returns int language sql as 'select 1'")
    ask(f"insert into {schema}.thing values (gen_random_uuid())")
    assert roles.adopt() == 1
    with tenant_transaction(TenantScope(acme.id, schema)):
        assert ask("select count(*) from thing") == [(1,)]
    with owner_transaction(schema):
        ask("create table later (id uuid primary key)")
    with tenant_transaction(TenantScope(acme.id, schema)):
        assert ask("select count(*) from later") == [(0,)]
    owners = ask(
        "select distinct pg_get_userbyid(relowner) from pg_class where relnamespace = (select oid from pg_namespace"
        " where nspname = %s) union select pg_get_userbyid(proowner) from pg_proc where proname = 'nothing'",
        schema,
    )
    assert owners == [("insula_owner",)]


def test_schema_and_role_go_together(committed: NewTenant) -> None:
    schema = committed("Leaving").schema_name
    assert role_exists(schema)
    roles.drop_schema(schema)
    assert not role_exists(schema)
    roles.drop_schema(schema)


def test_a_role_that_something_depends_on_stays(acme: TenantView) -> None:
    with owner_transaction():
        ask(f"grant select on public.django_migrations to {acme.schema_name}")
        assert roles.drop_roles([acme.schema_name]) == [acme.schema_name]
    assert role_exists(acme.schema_name)


@pytest.mark.parametrize("name", ["public", "t_short", 't_0123456789abcdef"; drop', "pg_toast", "T_0123456789ABCDEF"])
def test_other_names_are_no_tenants_schemas(name: str) -> None:
    for make in (roles.create_role_sql, roles.grant_schema_sql, roles.checked):
        with pytest.raises(ValueError, match="not a tenant's schema name"):
            make(name)


def test_an_event_loop_enters_no_tenant(acme: TenantView) -> None:
    async def careless() -> None:
        with tenant_scope(acme.scope):
            pass

    # Where the browser tests have turned Django's check off, there is nothing to see.
    with patch.dict(os.environ):
        os.environ.pop(ASYNC_CHECK, None)
        with pytest.raises(SynchronousOnlyOperation):
            asyncio.run(careless())


def test_nothing_is_prepared_on_the_server(acme: TenantView) -> None:
    parameters = connection.get_connection_params()
    assert parameters["prepare_threshold"] is None
    assert "options" not in parameters
