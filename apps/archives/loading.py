"""Rows of an archive into tables: COPY where the schema is new, one insert at a time where others have rows, too."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

from django.apps import apps as registry
from django.db import connection, models

from apps.archives import policy, rows
from apps.archives.catalogue import Column, Table, quoted
from apps.archives.errors import ArchiveRefused
from apps.archives.format import Member
from apps.core import ids
from apps.core.clock import utcnow

_BATCH = 500
_COPY_BYTES = 256 * 1024
_RANDOM_BITS = 62
# Only these fire per row before an insert: what they refuse or overwrite was decided when the row was first written.
# Constraints, and the triggers that look at what stands there afterwards, keep watching.
_ROW_GUARDS = """
select c.relname, t.tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid
 where c.relnamespace = %s::regnamespace and not t.tgisinternal
   and t.tgtype & 1 = 1 and t.tgtype & 2 = 2 and t.tgtype & 4 = 4
"""
_NEXT_IDENTITY = """
select setting from (select format('ALTER TABLE {schema}.{table} ALTER COLUMN {column} RESTART WITH %%s',
       coalesce(max({column}), 0) + 1) as setting from {schema}.{table}) as next
"""
# What an archive never brings, because it is only good where it was made.
_MADE_HERE: dict[tuple[str, str], Callable[[], Any]] = {
    ("tenancy_domain_claim", "token"): ids.secret_token,
    ("tenancy_domain_claim", "next_check_at"): utcnow,
}


@contextmanager
def guards_lifted(cursor: Any, schema: str) -> Iterator[None]:
    """Run the body without the triggers that fire per row before an insert; run as the tables' owner."""
    cursor.execute(_ROW_GUARDS, [quoted(schema)])
    guards = [(quoted(table), quoted(trigger)) for table, trigger in cursor.fetchall()]
    for table, trigger in guards:
        cursor.execute(f"ALTER TABLE {quoted(schema)}.{table} DISABLE TRIGGER {trigger}")
    yield
    for table, trigger in guards:
        cursor.execute(f"ALTER TABLE {quoted(schema)}.{table} ENABLE TRIGGER {trigger}")


def copy_table(cursor: Any, schema: str, table: Table, member: Member, lines: Iterable[bytes]) -> None:
    """Load one table of a new schema.

    Raises:
        ArchiveRefused: the archive has other columns or another number of rows.
    """
    columns = {column.name for column in table.travelling}
    if columns != set(member.columns):
        raise ArchiveRefused(f"{member.name} has other columns than the table of its version.")
    target = f"{quoted(schema)}.{quoted(table.name)}"
    listed = ", ".join(quoted(name) for name in member.columns)
    # The library's own errors become Django's only around calls that Django makes itself.
    with (
        connection.wrap_database_errors,
        cursor.copy(f"COPY {target} ({listed}) FROM STDIN WITH (FORMAT csv, ENCODING 'UTF8')") as copy,
    ):
        for chunk in _chunks(lines):
            copy.write(chunk)
    if cursor.rowcount != member.rows:
        raise ArchiveRefused(f"{member.name} has {cursor.rowcount} rows and should have {member.rows}.")
    for column in table.columns:
        if column.identity:
            names = {"schema": quoted(schema), "table": quoted(table.name), "column": quoted(column.name)}
            cursor.execute(_NEXT_IDENTITY.format(**names), [])
            cursor.execute(cursor.fetchone()[0])


def clashing_ids(table: Table, found: Iterator[dict[str, rows.Value]], *, owner: UUID) -> dict[UUID, UUID]:
    """New ids for rows whose id is another tenant's here; new and old sort alike.

    Rows that are `owner`'s own already (an audit trail outlives its tenant) keep theirs.
    """
    if len(table.key) != 1 or (column := table.column(table.key[0])) is None or column.type != "uuid":
        return {}
    renamed: dict[UUID, UUID] = {}
    with connection.cursor() as cursor:
        while batch := [_uuid(row.get(column.name)) for row in islice(found, _BATCH)]:
            cursor.execute(
                f"select {quoted(column.name)} from public.{quoted(table.name)} where {quoted(column.name)} = any(%s)"
                f" and {quoted(policy.OWNER_COLUMN)} is distinct from %s",
                [batch, owner],
            )
            renamed |= {taken: _beside(taken) for (taken,) in cursor.fetchall()}
    return renamed


def insert_rows(
    cursor: Any, table: Table, member: Member, lines: Iterator[bytes], *, owner: UUID, people: set[UUID]
) -> int:
    """Insert a shared table's rows, all of them `owner`'s; returns how many were not here already.

    Raises:
        ArchiveRefused: a row is another tenant's, names somebody who is not among `people`, or lacks a value.
    """
    known = {column.name: column for column in table.travelling}
    if unknown := set(member.columns) - known.keys():
        raise ArchiveRefused(f"{member.name} has columns that are not known here: {', '.join(sorted(unknown))}")
    made_here = {column: make for (name, column), make in _MADE_HERE.items() if name == table.name}
    defaults = _defaults(table, [column for name, column in known.items() if name not in member.columns])
    columns = [*member.columns, *defaults]
    listed = ", ".join(quoted(name) for name in columns)
    place = "(" + ", ".join("%s" for _ in columns) + ")"
    naming = {column for column, target in table.references if target == policy.PEOPLE_TABLE}
    written = 0
    while batch := list(islice(lines, _BATCH)):
        parameters: list[Any] = []
        for line in batch:
            row: dict[str, Any] = dict(zip(member.columns, rows.values(line, len(member.columns)), strict=True))
            _check_row(table, row, owner=owner, people=people, naming=naming)
            row |= {name: make() for name, make in made_here.items()}
            parameters += [*(row[name] for name in member.columns), *defaults.values()]
        cursor.execute(
            f"insert into public.{quoted(table.name)} ({listed}) values {', '.join([place] * len(batch))}"
            " on conflict do nothing",
            parameters,
        )
        written += cursor.rowcount
    return written


def check_references(cursor: Any, table: Table, keys: Mapping[str, str]) -> None:
    """Refuse rows that point at rows of others; run as the tenant once all its rows are in.

    Foreign keys do not look at policies, so the database alone would let them through. `keys`: tables' primary keys.

    Raises:
        ArchiveRefused: a row of `table` names a row that the tenant cannot see.
    """
    for column, target in table.references:
        if target in (policy.PEOPLE_TABLE, policy.TENANT_TABLE):
            continue
        name, key = quoted(column), quoted(keys[target])
        cursor.execute(
            f"select exists (select from public.{quoted(table.name)} r where r.{name} is not null"
            f" and not exists (select from public.{quoted(target)} t where t.{key} = r.{name}))"
        )
        if cursor.fetchone()[0]:
            raise ArchiveRefused(f"{table.name} names a row of {target} that is not the workspace's own.")


def _check_row(table: Table, row: dict[str, Any], *, owner: UUID, people: set[UUID], naming: set[str]) -> None:
    if _uuid(row.get(policy.OWNER_COLUMN)) != owner:
        raise ArchiveRefused(f"{table.name} has a row of another workspace.")
    for column in naming:
        if row.get(column) is not None and _uuid(row[column]) not in people:
            raise ArchiveRefused(f"{table.name} names somebody whom the archive does not know.")


def _defaults(table: Table, missing: list[Column]) -> dict[str, Any]:
    """Values for columns that the archive does not have yet, from the models that have them."""
    if not missing:
        return {}
    model = next((model for model in registry.get_models() if model._meta.db_table == table.name), None)
    fields: dict[str, models.Field[Any, Any]] = (
        {str(field.column): field for field in model._meta.concrete_fields} if model is not None else {}
    )
    values: dict[str, Any] = {}
    for column in missing:
        field = fields.get(column.name)
        if field is not None and field.has_default():
            values[column.name] = field.get_db_prep_save(field.get_default(), connection)
        elif field is not None and field.empty_strings_allowed and not column.nullable and column.category == "S":
            values[column.name] = ""
        elif not column.nullable:
            raise ArchiveRefused(
                f"The archive is older than the column {table.name}.{column.name}, which needs a value."
            )
    return values


def _beside(taken: UUID) -> UUID:
    # Time, version and variant stay, so that what is sorted by id stays in its order.
    kept = taken.int >> _RANDOM_BITS << _RANDOM_BITS
    return UUID(int=kept | uuid4().int & ((1 << _RANDOM_BITS) - 1))


def _uuid(text: Any) -> UUID:
    try:
        return UUID(str(text))
    except ValueError as error:
        raise ArchiveRefused("The archive has an id that is none.") from error


def _chunks(lines: Iterable[bytes]) -> Iterator[bytes]:
    parts: list[bytes] = []
    size = 0
    for line in lines:
        parts.append(line)
        size += len(line)
        if size >= _COPY_BYTES:
            yield b"".join(parts)
            parts, size = [], 0
    yield b"".join(parts)
