"""Writing the archive of one tenant: one snapshot of its tables, streamed, then its files."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import DEFAULT_DB_ALIAS, connections

from apps.archives import catalogue, policy
from apps.archives.catalogue import Table
from apps.archives.format import (
    CHECKSUMS,
    MANIFEST,
    PEOPLE,
    Kind,
    Manifest,
    Member,
    TenantFacts,
    checksum_lines,
    member_name,
    written,
)
from apps.archives.progress import Tell, silent
from apps.archives.storage import STAYING, paths_below, tenant_prefix
from apps.core.clock import utcnow
from apps.core.tenants import TenantScope, assert_no_transaction, tenant_transaction
from apps.tenancy import selectors as tenancy

# Values read alike on every server, whatever it is set to; nothing of it outlives the transaction.
_SNAPSHOT = """
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL timezone = 'UTC'; SET LOCAL intervalstyle = 'postgres';
SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; SET LOCAL statement_timeout = 0;
"""
_COPY = "COPY ({select}) TO STDOUT WITH (FORMAT csv, HEADER true, FORCE_QUOTE *, ENCODING 'UTF8')"
_ESTIMATE = """
select coalesce(sum(greatest(reltuples, 0)), 0)::bigint from pg_class
 where relnamespace = %s::regnamespace and relkind = 'r'
"""
_CHUNK = 1024 * 1024
_TABLES_SHARE = 0.7


def export_tenant(*, tenant_id: UUID, target: Path, tell: Tell = silent) -> Manifest:
    """Write the tenant's archive to `target` (docs/archive-format.md); returns what it says of itself.

    Opens one repeatable-read transaction of its own, in the tenant's scope, for all tables together. Memory does not
    grow with the tenant. `tell` hears of every step; a half-written file stays behind when this raises.

    Raises:
        NotFound: there is no such tenant.
        RuntimeError: a transaction is open, so the snapshot would not be the archive's own.
    """
    assert_no_transaction("Exporting a tenant")
    tenant = tenancy.tenant_by_id(tenant_id)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, allowZip64=True, compresslevel=6) as archive:
        writer = _Writer(archive, utcnow(), tell)
        with _snapshot(tenant.scope) as (inside, shared):
            facts = _facts(shared, tenant_id)
            schema_version = _schema_version(shared, tenant_id)
            migrations = catalogue.applied_migrations(inside, tenant.schema_name)
            writer.expect(inside, tenant.schema_name)
            blanked = list(writer.tenant_tables(inside, tenant.schema_name))
            selection = policy.select_shared(catalogue.tables(shared, "public"))
            blanked += writer.shared_tables(shared, selection.tables, tenant_id)
        writer.files(tenant_prefix(tenant_id))
        manifest = Manifest(
            product_version=product_version(),
            exported_at=writer.at,
            tenant=facts,
            schema_version=schema_version,
            migrations=migrations,
            members=tuple(writer.members),
            left_out=selection.left_out,
            blanked=tuple(sorted(blanked)),
        )
        writer.close(manifest)
    tell("done", 1)
    return manifest


def product_version() -> str:
    """The version of the product that is at work."""
    try:
        return version("insula")
    except PackageNotFoundError:
        return "0.1.0"


@contextmanager
def _snapshot(scope: TenantScope) -> Iterator[tuple[Any, Any]]:
    # A tenant on another database has its shared rows here: then there are two snapshots, each of one database.
    with ExitStack() as stack:
        cursors = []
        for alias in dict.fromkeys((scope.database_alias, DEFAULT_DB_ALIAS)):
            stack.enter_context(tenant_transaction(TenantScope(scope.id, scope.schema_name, alias)))
            cursor = stack.enter_context(connections[alias].cursor())
            for statement in _SNAPSHOT.strip().split(";"):
                if statement.strip():
                    cursor.execute(statement)
            cursors.append(cursor)
        yield cursors[0], cursors[-1]


class _Writer:
    """The archive while it is written: members, their digests, and how far it is."""

    def __init__(self, archive: zipfile.ZipFile, at: datetime, tell: Tell) -> None:
        self.archive, self.at, self.tell = archive, at, tell
        self.members: list[Member] = []
        self._expected_rows = 1
        self._rows = 0

    def expect(self, cursor: Any, schema: str) -> None:
        """Estimate how many rows will come, for the progress."""
        cursor.execute(_ESTIMATE, [catalogue.quoted(schema)])
        self._expected_rows = max(1, cursor.fetchone()[0])

    def tenant_tables(self, cursor: Any, schema: str) -> Iterator[str]:
        """Write every table of the tenant's schema; yields the columns that were left empty."""
        for table in catalogue.tables(cursor, schema):
            source = f"{catalogue.quoted(schema)}.{catalogue.quoted(table.name)}"
            self._table(cursor, table, source, chosen=None)
            for column in table.travelling:
                if policy.is_secret(table.name, column.name):
                    yield f"{table.name}.{column.name}"

    def shared_tables(self, cursor: Any, chosen: tuple[Table, ...], tenant_id: UUID) -> list[str]:
        """Write the tenant's rows of the shared tables and the people they name; returns what was left empty."""
        names = {table.name for table in chosen}
        blanked = []
        for table in chosen:
            condition = f"\"{policy.OWNER_COLUMN}\" = '{UUID(str(tenant_id))}'"
            if also := policy.ONLY_WHERE.get(table.name):
                condition += f" and {also}"
            self._table(cursor, table, f'public."{table.name}" where {condition}', chosen=names)
            blanked += [
                f"{table.name}.{column.name}"
                for column in table.travelling
                if policy.is_secret(table.name, column.name)
            ]
        self._people(cursor, chosen, tenant_id)
        return blanked

    def files(self, prefix: str) -> None:
        """Write every file below the tenant's folder."""
        paths = [path for path in paths_below(prefix) if not path.startswith(STAYING)]
        for number, path in enumerate(paths):
            self.tell("files", _TABLES_SHARE + (1 - _TABLES_SHARE) * number / len(paths))
            with default_storage.open(prefix + path) as source:
                chunks = iter(partial(source.read, _CHUNK), b"")
                self._member("file", path, chunks, ())

    def close(self, manifest: Manifest) -> None:
        """Write manifest and checksums, the last members."""
        content = written(manifest)
        self.archive.writestr(self._entry(MANIFEST), content)
        lines = checksum_lines(hashlib.sha256(content).hexdigest(), manifest.members)
        self.archive.writestr(self._entry(CHECKSUMS), lines)

    def _people(self, cursor: Any, chosen: tuple[Table, ...], tenant_id: UUID) -> None:
        named = [
            f'select "{column}" from public."{table.name}" where "{policy.OWNER_COLUMN}" = \'{UUID(str(tenant_id))}\''
            for table in chosen
            for column, target in table.references
            if target == policy.PEOPLE_TABLE
        ]
        columns = ", ".join(f'"{name}"' for name in policy.PEOPLE_COLUMNS)
        select = f"select {columns} from public.{policy.PEOPLE_TABLE} where id in ({' union '.join(named)}) order by id"
        self._copy(cursor, "shared", PEOPLE, select, policy.PEOPLE_COLUMNS)

    def _table(self, cursor: Any, table: Table, source: str, *, chosen: set[str] | None) -> None:
        if not table.key:
            raise LookupError(f"{table.name} has no primary key, so its rows have no order.")
        values = ", ".join(policy.exported_value(table, column, chosen) for column in table.travelling)
        order = ", ".join(catalogue.quoted(name) for name in table.key)
        select = f"select {values} from {source} order by {order}"
        self._copy(
            cursor,
            "table" if chosen is None else "shared",
            table.name,
            select,
            tuple(column.name for column in table.travelling),
        )

    def _copy(self, cursor: Any, kind: Kind, name: str, select: str, columns: tuple[str, ...]) -> None:
        self.tell(name, self._share())
        with connections[DEFAULT_DB_ALIAS].wrap_database_errors, cursor.copy(_COPY.format(select=select)) as copy:
            self._member(kind, name, self._counted(copy, name), columns)

    def _counted(self, copy: Any, name: str) -> Iterator[bytes]:
        # The server sends one message a row; they are joined, because compressing each alone costs more than copying.
        parts: list[bytes] = []
        size = 0
        for part in copy:
            parts.append(bytes(part))
            size += len(part)
            self._rows += 1
            if size >= _CHUNK:
                yield b"".join(parts)
                parts, size = [], 0
                self.tell(name, self._share())
        yield b"".join(parts)

    def _member(self, kind: Kind, name: str, chunks: Iterator[bytes], columns: tuple[str, ...]) -> None:
        full_name = member_name(kind, name)
        digest, size, before = hashlib.sha256(), 0, self._rows
        with self.archive.open(self._entry(full_name), "w", force_zip64=True) as member:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                member.write(chunk)
        counted = self._rows - before - 1 if columns else 0  # less the header
        self.members.append(Member(full_name, kind, size, digest.hexdigest(), counted, columns))

    def _entry(self, name: str) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(name, self.at.astimezone(UTC).timetuple()[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o600 << 16
        return entry

    def _share(self) -> float:
        return _TABLES_SHARE * min(1.0, self._rows / self._expected_rows)


def _facts(cursor: Any, tenant_id: UUID) -> TenantFacts:
    cursor.execute(
        f"select id, key, slug, name, to_jsonb(t) - %s::text[] from {policy.TENANT_TABLE} t where id = %s",
        [sorted(policy.TENANT_COLUMNS_LEFT_OUT), tenant_id],
    )
    found, key, slug, name, settings = cursor.fetchone()
    kept = {item: value for item, value in json.loads(settings).items() if not policy.is_secret("tenancy_tenant", item)}
    return TenantFacts(found, key, slug, name, kept)


def _schema_version(cursor: Any, tenant_id: UUID) -> str:
    cursor.execute(f"select schema_version from {policy.TENANT_TABLE} where id = %s", [tenant_id])
    return str(cursor.fetchone()[0])
