"""What the database itself says of its tables: columns, keys and references, so that no list here can grow old."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

# Values of these types mean something to one database cluster alone.
_PHYSICAL = frozenset({"xid", "xid8", "pg_lsn", "oid", "tid", "cid"})
# The history of migrations stands in the manifest.
_HISTORY = "django_migrations"

_TABLES = """
select c.relname,
       (select jsonb_agg(jsonb_build_object(
                   'name', a.attname,
                   'type', t.typname,
                   'category', t.typcategory,
                   'nullable', not a.attnotnull,
                   'generated', a.attgenerated <> '',
                   'identity', a.attidentity <> '') order by a.attname)
          from pg_attribute a join pg_type t on t.oid = a.atttypid
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
       (select array_agg(a.attname::text order by k.place)
          from pg_constraint p, unnest(p.conkey) with ordinality as k (attnum, place), pg_attribute a
         where p.conrelid = c.oid and p.contype = 'p' and a.attrelid = c.oid and a.attnum = k.attnum),
       (select jsonb_agg(jsonb_build_object('column', a.attname, 'table', r.relname))
          from pg_constraint f
          join pg_class r on r.oid = f.confrelid
          join pg_attribute a on a.attrelid = c.oid and a.attnum = any (f.conkey)
         where f.conrelid = c.oid and f.contype = 'f')
  from pg_class c
 where c.relnamespace = %s::regnamespace and c.relkind = 'r'
 order by c.relname
"""
_MIGRATIONS = """select app, name from {schema}.django_migrations order by app, name"""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `category` is PostgreSQL's own letter for the family of its type."""

    name: str
    type: str
    category: str
    nullable: bool
    generated: bool
    identity: bool

    @property
    def travels(self) -> bool:
        """Whether its values can be written into another database."""
        return not self.generated and self.type not in _PHYSICAL


@dataclass(frozen=True, slots=True)
class Table:
    """One table. `references` are the foreign keys as (column, table)."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    references: tuple[tuple[str, str], ...]

    def column(self, name: str) -> Column | None:
        """The column with this name."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def travelling(self) -> list[Column]:
        """The columns that an archive holds."""
        return [column for column in self.columns if column.travels]


def tables(cursor: Any, schema: str) -> list[Table]:
    """The tables of a schema, each after those that it refers to."""
    cursor.execute(_TABLES, [quoted(schema)])
    found = [
        Table(
            name=name,
            columns=tuple(Column(**column) for column in json.loads(columns or "[]")),
            key=tuple(key or ()),
            references=tuple((item["column"], item["table"]) for item in json.loads(references or "[]")),
        )
        for name, columns, key, references in cursor.fetchall()
    ]
    return in_reference_order(table for table in found if table.name != _HISTORY)


def in_reference_order(found: Iterable[Table]) -> list[Table]:
    """The tables so that each stands after those that it refers to; circles stand last, by name."""
    waiting = sorted(found, key=lambda table: table.name)
    names = {table.name for table in waiting}
    ordered: list[Table] = []
    done: set[str] = set()
    while waiting:
        ready = [table for table in waiting if {to for _, to in table.references} & names <= done | {table.name}]
        ready = ready or waiting
        ordered += ready
        done |= {table.name for table in ready}
        waiting = [table for table in waiting if table.name not in done]
    return ordered


def applied_migrations(cursor: Any, schema: str) -> tuple[tuple[str, str], ...]:
    """The migrations that a tenant's schema has had, as (app, name)."""
    cursor.execute(_MIGRATIONS.format(schema=quoted(schema)))
    return tuple((app, name) for app, name in cursor.fetchall())


def quoted(name: str) -> str:
    """An identifier as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'
