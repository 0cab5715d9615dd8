"""Every tenant's table and every shared one, from the wrong tenant, in every way: refused or empty."""

import pytest

from apps.tenancy.selectors import TenantView
from tests.isolation import attacks
from tests.isolation.tables import CLOSED_TABLES, SHARED_MODELS, TENANT_TABLES, Model, row_of


def test_the_models_know_such_tables() -> None:
    assert len(TENANT_TABLES) > 10
    assert {"iam_membership", "notifications_notification"} <= {model._meta.db_table for model in SHARED_MODELS}
    assert {"django_session", "iam_refresh_token"} <= set(CLOSED_TABLES)


@pytest.mark.parametrize("table", [*TENANT_TABLES, "django_migrations"])
def test_a_tenants_table_is_closed_to_others(acme: TenantView, globex: TenantView, table: str) -> None:
    assert attacks.on_tenant_table(acme.scope, acme, globex, table) == []


@pytest.mark.parametrize("model", SHARED_MODELS, ids=lambda model: model._meta.db_table)
def test_rows_of_others_in_a_shared_table_are_out_of_reach(acme: TenantView, globex: TenantView, model: Model) -> None:
    row = row_of(model, globex)
    assert attacks.on_shared_table(acme.scope, globex, model, row) == []
    assert attacks.still_there(model, row)


@pytest.mark.parametrize("table", CLOSED_TABLES)
def test_the_platforms_own_tables_are_closed_to_tenants(acme: TenantView, table: str) -> None:
    assert attacks.on_closed_table(acme.scope, table) == []
