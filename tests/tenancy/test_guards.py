"""The functions behind tenants' triggers: once in the database, as the files say."""

from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection

from apps.core.tenants import owner_transaction
from apps.tenancy import guards
from apps.tenancy.migrating import shared_is_behind
from apps.tenancy.schema_script import TEMPLATE_SCHEMA
from apps.tenancy.selectors import TenantView


def _functions(schema: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("select proname from pg_proc where pronamespace = %s::regnamespace", [schema])
        return {name for (name,) in cursor.fetchall()}


def test_no_schema_of_a_tenant_has_functions(acme: TenantView) -> None:
    assert (_functions(acme.schema_name), _functions(TEMPLATE_SCHEMA)) == (set(), set())
    assert {"invoices_guard_invoice", "ledger_check_entry"} <= _functions("public")


def test_a_changed_file_is_behind_until_it_is_installed(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not shared_is_behind()
    config = apps.get_app_config("ledger")
    text = (Path(config.path) / "guards.sql").read_text()
    (tmp_path / "guards.sql").write_text(text.replace("ledger_check_entry()", "ledger_check_otherwise()"))
    monkeypatch.setattr(config, "path", str(tmp_path))
    guards._guards.cache_clear()
    try:
        assert shared_is_behind()
        guards.install()
        assert not shared_is_behind()
        assert "ledger_check_otherwise" in _functions("public")
    finally:
        guards._guards.cache_clear()


def test_a_tenant_cannot_change_them(acme: TenantView) -> None:
    with owner_transaction(), connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from pg_proc p where pronamespace = 'public'::regnamespace"
            " and proname ~ '^(invoices|ledger)_' and pg_has_role(%s, p.proowner, 'MEMBER')",
            [acme.schema_name],
        )
        assert cursor.fetchone() == (0,)
