"""An archive from before the latest migrations is loaded as it was and brought up to date."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from apps.archives import catalogue, rows
from apps.archives.catalogue import Table
from apps.archives.format import Member
from apps.core.ids import schema_name
from apps.core.tenants import owner_transaction
from apps.invoices.models import Invoice
from apps.tenancy import adopting, roles
from apps.tenancy.models import SchemaTemplate, Tenant
from apps.tenancy.selectors import TenantView
from tests.archives.conftest import Importer, manifest_of
from tests.fixtures.tenants import in_tenant

LATE = "0003"  # invoices got columns and a trigger by this migration and the next


def tables_at(migrations: list[str]) -> list[Table]:
    """The tables of a schema that has had only these."""
    schema = schema_name()
    with transaction.atomic():
        state = adopting.schema_state(migrations)
        assert state is not None and state.upgrade
        with owner_transaction(schema), connection.cursor() as cursor:
            cursor.execute(roles.provisioning_sql(schema, state.script))
            found = catalogue.tables(cursor, schema)
        transaction.set_rollback(True)
    return found


def narrowed(content: bytes, member: Member, columns: list[str]) -> bytes:
    """The table without the columns that it did not have then."""
    lines = [rows.header(columns)]
    for record in rows.checked(io.BytesIO(content), member.columns):
        values = dict(zip(member.columns, rows.values(record, len(member.columns)), strict=True))
        quoted = ["" if values[name] is None else '"' + str(values[name]).replace('"', '""') + '"' for name in columns]
        lines.append((",".join(quoted) + "\n").encode())
    return b"".join(lines)


def test_it_is_loaded_as_it_was_and_brought_up_to_date(
    filled: TenantView, archive: Path, forge: Callable[..., Path], bring_in: Importer
) -> None:
    newest = SchemaTemplate.objects.latest("created_at")
    pairs = [name.split(".", 1) for name in newest.migrations]
    then = [pair for pair in pairs if not (pair[0] == "invoices" and pair[1] >= LATE)]
    assert len(then) < len(pairs)
    wanted = {
        table.name: [column.name for column in table.travelling] for table in tables_at([".".join(p) for p in then])
    }
    members: dict[str, bytes] = {}
    columns: dict[str, list[str]] = {}
    with zipfile.ZipFile(archive) as source:
        for item in manifest_of(archive)["members"]:
            if item["kind"] == "table" and item["columns"] != wanted[Path(item["name"]).stem]:
                columns[item["name"]] = wanted[Path(item["name"]).stem]
                member = Member(item["name"], "table", 0, "", 0, tuple(item["columns"]))
                members[item["name"]] = narrowed(source.read(item["name"]), member, columns[item["name"]])
    assert "tables/invoices_invoice.csv" in members

    def make_old(document: dict[str, Any]) -> None:
        document["schema"]["migrations"] = then
        for item in document["members"]:
            item["columns"] = columns.get(item["name"], item.get("columns", []))
            if item["kind"] == "file":
                del item["columns"]

    copy = bring_in(forge(members, manifest=make_old), "From before")
    assert Tenant.objects.get(pk=copy.id).schema_version == newest.version
    with in_tenant(copy), connection.cursor() as cursor:
        now = catalogue.tables(cursor, copy.schema_name)
        assert now == catalogue.tables(cursor, filled.schema_name)
        history = {f"{app}.{name}" for app, name in catalogue.applied_migrations(cursor, copy.schema_name)}
        assert history == set(newest.migrations)
        cursor.execute(
            "select tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid"
            " where c.relnamespace = %s::regnamespace and not tgisinternal order by 1",
            [copy.schema_name],
        )
        triggers = cursor.fetchall()
        cursor.execute(
            "select tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid"
            " where c.relnamespace = %s::regnamespace and not tgisinternal order by 1",
            [filled.schema_name],
        )
        assert triggers == cursor.fetchall()
        assert Invoice.objects.count() == 3
