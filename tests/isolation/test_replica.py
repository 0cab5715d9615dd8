"""The walls on the connection that reports read from are those of the primary."""

import json
from dataclasses import replace
from typing import Any

from django.db import connection

from apps.core.tenants import REPLICA_ALIAS, TenantScope
from apps.tenancy.selectors import TenantView
from tests.isolation import attacks
from tests.isolation.tables import CLOSED_TABLES, SHARED_MODELS, TENANT_TABLES, Model, tenant_column

Tenants = tuple[TenantView, TenantView]


def _on_replica(tenant: TenantView) -> TenantScope:
    return replace(tenant.scope, database_alias=REPLICA_ALIAS)


def test_tenants_tables_are_closed_to_others(replica: None, standing_tenants: Tenants) -> None:
    acme, globex = standing_tenants
    through = {table: attacks.on_tenant_table(_on_replica(acme), acme, globex, table) for table in TENANT_TABLES}
    assert {table: attempts for table, attempts in through.items() if attempts} == {}


def test_rows_of_others_in_shared_tables_are_out_of_reach(replica: None, standing_tenants: Tenants) -> None:
    acme, globex = standing_tenants
    attacked = set()
    for model in SHARED_MODELS:
        if row := _a_row(model, globex):
            attacked.add(model._meta.db_table)
            assert attacks.on_shared_table(_on_replica(acme), globex, model, row) == [], model
    assert {"iam_membership", "tenancy_tenant", "tenancy_domain", "audit_entry"} <= attacked


def test_the_platforms_own_tables_are_closed(replica: None, standing_tenants: Tenants) -> None:
    scope = _on_replica(standing_tenants[0])
    assert [through for table in CLOSED_TABLES for through in attacks.on_closed_table(scope, table)] == []


def _a_row(model: Model, tenant: TenantView) -> dict[str, Any]:
    table, column = model._meta.db_table, tenant_column(model)
    with connection.cursor() as cursor:
        cursor.execute(f'select to_jsonb(t)::text from public."{table}" t where {column} = %s limit 1', [tenant.id])
        found = cursor.fetchone()
    return json.loads(found[0]) if found else {}
