"""What the database refuses, whoever asks and however."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from apps.core import ids
from apps.core.tenants import owner_transaction, tenant_transaction
from apps.tenancy.selectors import TenantView

NewTenant = Callable[[str], TenantView]


def run(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall()) if cursor.description else []


def insert_entry(schema: str = "", reverses: Any = None) -> Any:
    entry_id = ids.uuid7()
    prefix = f'"{schema}".' if schema else ""
    run(
        f"insert into {prefix}ledger_entry (id, key, kind, occurred_on, description, source_type, source_id, "
        "reverses_id, created_at) values (%s, %s, 'test', '2026-03-31', '', 'test', %s, %s, now())",
        entry_id,
        str(entry_id),
        entry_id,
        reverses,
    )
    return entry_id


def insert_legs(entry_id: Any, *amounts: int, currency: str = "EUR", first: int = 1, code: str = "1000") -> None:
    run(
        "insert into ledger_posting (id, entry_id, account_id, currency, amount_minor, position) "
        "select gen_random_uuid(), %s, (select id from ledger_account where code = %s and currency = 'EUR'), %s, "
        "amount, %s + n from unnest(%s::bigint[]) with ordinality as leg(amount, n)",
        entry_id,
        code,
        currency,
        first,
        list(amounts),
    )


def test_an_entry_without_legs_does_not_commit(committed: NewTenant) -> None:
    tenant = committed("Empty entries")
    with pytest.raises(IntegrityError, match="needs two"), tenant_transaction(tenant.scope):
        insert_entry()


def test_legs_of_one_statement_must_balance(committed: NewTenant) -> None:
    tenant = committed("Uneven legs")
    with pytest.raises(IntegrityError, match="do not balance"), tenant_transaction(tenant.scope):
        insert_legs(insert_entry(), 100, -99)


def test_the_check_on_the_entry_stands_on_its_own(committed: NewTenant) -> None:
    tenant = committed("Second wall")
    with pytest.raises(IntegrityError, match="does not balance in EUR"), owner_transaction(tenant.schema_name):
        run("alter table ledger_posting disable trigger ledger_posting_guard")
        insert_legs(insert_entry(), 100, -99)


@pytest.mark.parametrize("path", ["public", "pg_catalog", "other"])
def test_another_search_path_at_commit_changes_nothing(committed: NewTenant, path: str) -> None:
    tenant, other = committed(f"Path {path}"), committed(f"Elsewhere {path}")
    with pytest.raises(IntegrityError, match="does not balance"), owner_transaction(tenant.schema_name):
        run("alter table ledger_posting disable trigger ledger_posting_guard")
        insert_legs(insert_entry(), 100, -99)
        run(f'set local search_path = "{other.schema_name if path == "other" else path}"')


def test_temporary_tables_of_the_same_name_do_not_fool_the_check(committed: NewTenant) -> None:
    tenant = committed("Shadows")
    with pytest.raises(IntegrityError, match="does not balance"), owner_transaction(tenant.schema_name):
        run("alter table ledger_posting disable trigger ledger_posting_guard")
        entry_id = insert_entry()
        insert_legs(entry_id, 100, -99)
        run("create temporary table ledger_posting (entry_id uuid, currency text, amount_minor bigint) on commit drop")


def test_checking_early_opens_no_door(committed: NewTenant) -> None:
    tenant = committed("Early check")
    with tenant_transaction(tenant.scope):
        entry_id = insert_entry()
        insert_legs(entry_id, 100, -100)
        run("set constraints all immediate")
        run("set constraints all deferred")
        with pytest.raises(IntegrityError), transaction.atomic():
            insert_legs(entry_id, 50, first=5)


def test_an_entry_takes_no_legs_after_its_transaction(committed: NewTenant) -> None:
    tenant = committed("Late legs")
    with tenant_transaction(tenant.scope):
        entry_id = insert_entry()
        insert_legs(entry_id, 100, -100)
    with pytest.raises(IntegrityError, match="is closed"), tenant_transaction(tenant.scope):
        insert_legs(entry_id, 5, -5, first=5)


def test_an_entry_cannot_claim_another_transaction_as_its_own(committed: NewTenant) -> None:
    tenant = committed("Forged")
    with tenant_transaction(tenant.scope):
        entry_id = ids.uuid7()
        run(
            "insert into ledger_entry (id, key, kind, occurred_on, description, source_type, source_id, created_at, "
            "created_xid) values (%s, 'forged', 't', '2026-03-31', '', 't', %s, now(), '999999999'::xid8)",
            entry_id,
            entry_id,
        )
        insert_legs(entry_id, 1, -1)
        assert run("select created_xid = pg_current_xact_id() from ledger_entry where id = %s", entry_id) == [(True,)]


def test_an_entry_may_be_made_behind_a_savepoint(committed: NewTenant) -> None:
    tenant = committed("Savepoints")
    with tenant_transaction(tenant.scope):
        with transaction.atomic():
            entry_id = insert_entry()
        with transaction.atomic():
            insert_legs(entry_id, 100, -100)
    with tenant_transaction(tenant.scope):
        assert run("select count(*) from ledger_posting") == [(2,)]


@pytest.mark.parametrize(
    "statement",
    [
        "update ledger_entry set description = 'changed'",
        "update ledger_posting set amount_minor = amount_minor * 2",
        "delete from ledger_posting",
        "delete from ledger_entry",
        "truncate ledger_posting",
        "truncate ledger_entry cascade",
    ],
)
def test_the_books_cannot_be_changed(acme: TenantView, statement: str) -> None:
    # As the owner, who has every right: what refuses is the trigger.
    with owner_transaction(acme.schema_name):
        insert_legs(insert_entry(), 100, -100)
        run("set constraints all immediate")
        with pytest.raises(IntegrityError, match="is refused"), transaction.atomic():
            run(statement)


def test_a_leg_moves_something(acme: TenantView) -> None:
    with tenant_transaction(acme.scope), pytest.raises(IntegrityError), transaction.atomic():
        insert_legs(insert_entry(), 0, 0)


def test_a_leg_has_its_accounts_currency(acme: TenantView) -> None:
    with tenant_transaction(acme.scope), pytest.raises(IntegrityError), transaction.atomic():
        insert_legs(insert_entry(), 5, -5, currency="USD")


def test_a_reversal_mirrors_what_it_takes_back(committed: NewTenant) -> None:
    tenant = committed("Half reversal")
    with tenant_transaction(tenant.scope):
        original = insert_entry()
        run(
            "insert into ledger_posting (id, entry_id, account_id, currency, amount_minor, position) "
            "select gen_random_uuid(), %s, id, currency, case code when '1000' then 100 else -100 end, "
            "row_number() over () from ledger_account where code in ('1000', '4000') and currency = 'EUR'",
            original,
        )
    with pytest.raises(IntegrityError, match="does not take back"), tenant_transaction(tenant.scope):
        insert_legs(insert_entry(reverses=original), 100, -100)
