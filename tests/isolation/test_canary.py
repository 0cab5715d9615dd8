"""One wall is taken away at a time, and the matrix notices: it would not pass in a house without walls."""

from dataclasses import replace

import pytest
from django.db import connection

from apps.core.tenants import TenantScope, owner_transaction
from apps.tenancy.selectors import TenantView
from tests.isolation import attacks
from tests.isolation.tables import SHARED_MODELS, TENANT_TABLES, Model, row_of


@pytest.mark.parametrize("table", TENANT_TABLES[:3])
def test_a_session_that_kept_the_owners_role_is_noticed(acme: TenantView, globex: TenantView, table: str) -> None:
    scope = replace(acme.scope, as_owner=True)
    through = attacks.on_tenant_table(scope, acme, globex, table)
    assert {"select", "join", "delete", "drop", "copy", "path and select in one"} <= set(through)


@pytest.mark.parametrize("table", TENANT_TABLES[:3])
def test_a_role_that_may_use_anothers_schema_is_noticed(acme: TenantView, globex: TenantView, table: str) -> None:
    with owner_transaction(), connection.cursor() as cursor:
        cursor.execute(f"grant usage on schema {globex.schema_name} to {acme.schema_name}")
    through = attacks.on_tenant_table(acme.scope, acme, globex, table)
    assert {"select", "join", "union in a subquery", "copy"} <= set(through)


@pytest.mark.parametrize("table", TENANT_TABLES[:3])
def test_a_wrong_search_path_is_noticed(acme: TenantView, globex: TenantView, table: str) -> None:
    crossed = TenantScope(acme.id, globex.schema_name)
    assert f"the bare name is [('{globex.schema_name}',)]" in attacks.on_tenant_table(crossed, acme, globex, table)


@pytest.mark.parametrize("model", SHARED_MODELS, ids=lambda model: model._meta.db_table)
def test_a_table_without_row_level_security_is_noticed(acme: TenantView, globex: TenantView, model: Model) -> None:
    row = row_of(model, globex)
    table = model._meta.db_table
    with owner_transaction(), connection.cursor() as cursor:
        cursor.execute(f'alter table public."{table}" disable row level security')
        cursor.execute(f'grant select on public."{table}" to insula_tenant')
    through = attacks.on_shared_table(acme.scope, globex, model, row)
    assert {"select by key", "select by tenant", "orm", "text in a function"} <= set(through)


@pytest.mark.parametrize("model", SHARED_MODELS, ids=lambda model: model._meta.db_table)
def test_the_wrong_tenants_setting_is_noticed(acme: TenantView, globex: TenantView, model: Model) -> None:
    row = row_of(model, globex)
    with owner_transaction(), connection.cursor() as cursor:
        cursor.execute(f'grant select on public."{model._meta.db_table}" to insula_tenant')
    crossed = TenantScope(globex.id, acme.schema_name)
    assert {"select by key", "orm"} <= set(attacks.on_shared_table(crossed, globex, model, row))
