"""What somebody who broke into one tenant's code would try on another; each attempt is undone."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from django.db import connection, connections, transaction
from django.db.utils import DataError, IntegrityError, InternalError, ProgrammingError
from psycopg import errors

from apps.core.tenants import TenantScope, current_alias, public_scope, tenant_transaction
from apps.tenancy.schema_script import TEMPLATE_SCHEMA
from apps.tenancy.selectors import TenantView
from tests.isolation.tables import Model, tenant_column

# The last one by a replica's connection, to whatever writes or locks.
_REFUSED = (errors.InsufficientPrivilege, errors.UndefinedTable, errors.ReadOnlySqlTransaction)


class _Undone(Exception):
    """Leaves a savepoint by rolling it back."""


@contextmanager
def _attempt(scope: TenantScope) -> Iterator[None]:
    try:
        with tenant_transaction(scope):
            yield
            raise _Undone
    except _Undone:
        pass


def _run(statement: str, parameters: list[Any] | None = None) -> tuple[list[tuple[Any, ...]], int]:
    with connections[current_alias()].cursor() as cursor:
        cursor.execute(statement, parameters)
        while cursor.nextset():
            pass
        return (list(cursor.fetchall()) if cursor.description else []), cursor.rowcount


def _comes_through(scope: TenantScope, statement: str, parameters: list[Any] | None = None) -> bool:
    """Whether the database did it; nothing but a refusal of rights counts as a refusal."""
    try:
        with _attempt(scope):
            _run(statement, parameters)
    except (ProgrammingError, InternalError) as error:
        if isinstance(error.__cause__, _REFUSED):
            return False
        raise
    except (IntegrityError, DataError):
        # The rights sufficed; only the row was wrong.
        return True
    return True


def on_tenant_table(scope: TenantScope, own: TenantView, victim: TenantView, table: str) -> list[str]:
    """The attempts on `victim`'s table that came through for a session in `scope`, which should be `own`'s."""
    name, other = f'"{table}"', f'{victim.schema_name}."{table}"'
    through = []
    with _attempt(scope):
        found, _ = _run(
            "select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = %s::regclass",
            [name],
        )
        if found != [(own.schema_name,)]:
            through.append(f"the bare name is {found}")
    statements = {
        "select": f"select count(*) from {other}",
        "join": f"select count(*) from {name} a left join {other} b on true",
        "union in a subquery": f"select count(*) from (select 1 from {name} union all select 1 from {other}) x",
        "insert": f"insert into {other} default values",
        "update": f"update {other} set {_any_column(table)} = {_any_column(table)}",
        "delete": f"delete from {other}",
        "truncate": f"truncate {other} cascade",
        "copy": f"copy {other} to stdout",
        "lock": f"lock table {other} in access share mode",
        "text in a function": f"select * from ts_stat('select to_tsvector(t::text) from {other} t')",
        "path and select in one": f"set local search_path = {victim.schema_name}; select count(*) from {name}",
        "path by function": f"select set_config('search_path', '{victim.schema_name}', true);"
        f" select count(*) from {name}",
        "drop": f"drop table {other} cascade",
        "trigger": f"alter table {other} disable trigger all",
    }
    for what, statement in statements.items():
        if what == "copy":
            if _copies(scope, statement):
                through.append(what)
        elif _comes_through(scope, statement):
            through.append(what)
    return through


def on_shared_table(scope: TenantScope, victim: TenantView, model: Model, row: dict[str, Any]) -> list[str]:
    """The attempts on `victim`'s `row` in a shared table that came through."""
    table = f'public."{model._meta.db_table}"'
    key = f'"{model._meta.pk.column}"'  # type: ignore[union-attr]
    column = tenant_column(model)
    through = []
    reads: dict[str, tuple[str, list[Any]]] = {
        "select by key": (f"select 1 from {table} where {key} = %s", [row[_bare(key)]]),
        "select by tenant": (f"select 1 from {table} where {column} = %s", [victim.id]),
        "lock rows": (f"select 1 from {table} where {column} = %s for update", [victim.id]),
        "path and select in one": (
            f"set local search_path = {victim.schema_name}; select 1 from {table} where {column} = '{victim.id}'",
            [],
        ),
        "update": (f"update {table} set {column} = {column} where {column} = %s returning 1", [victim.id]),
        "delete": (f"delete from {table} where {column} = %s returning 1", [victim.id]),
        "text in a function": (
            "select 1 from ts_stat(%s)",
            [f"select to_tsvector('simple', {column}::text) from {table} where {column} = '{victim.id}'"],
        ),
        "count of a view over all": (
            f"select 1 from (select count({key}) n from {table} where {column} = %s) x where n > 0",
            [victim.id],
        ),
    }
    for what, (statement, parameters) in reads.items():
        if _finds(scope, statement, parameters):
            through.append(what)
    if _finds_by_orm(scope, model, row[_bare(key)]):
        through.append("orm")
    forged = row | {_bare(key): str(uuid4()) if isinstance(row[_bare(key)], str) else None}
    insert = f"insert into {table} select * from jsonb_populate_record(null::{table}, %s)"
    if _comes_through(scope, insert, [json.dumps(forged)]):
        through.append("insert")
    return through


def on_closed_table(scope: TenantScope, table: str) -> list[str]:
    """The attempts on a table of the platform itself that came through."""
    name = f'public."{table}"'
    statements = (f"select 1 from {name} limit 1", f"delete from {name}", f"insert into {name} default values")
    return [statement for statement in statements if _comes_through(scope, statement)]


def still_there(model: Model, row: dict[str, Any]) -> bool:
    """Whether the platform sees the victim's row as it was."""
    with public_scope():
        found, _ = _run(
            f'select to_jsonb(t)::text from public."{model._meta.db_table}" t where "{model._meta.pk.column}" = %s',  # type: ignore[union-attr]
            [row[model._meta.pk.column]],  # type: ignore[union-attr]
        )
    return bool(found) and json.loads(found[0][0]) == row


def _finds(scope: TenantScope, statement: str, parameters: list[Any]) -> bool:
    return _unless_refused(scope, lambda: bool(_run(statement, parameters or None)[0]))


def _finds_by_orm(scope: TenantScope, model: Model, key: Any) -> bool:
    return _unless_refused(scope, lambda: model._base_manager.filter(pk=key).values_list("pk").exists())


def _copies(scope: TenantScope, statement: str) -> bool:
    def copy() -> bool:
        with connections[current_alias()].cursor() as cursor, cursor.copy(statement) as rows:
            for _ in rows:
                pass
        return True

    return _unless_refused(scope, copy)


def _unless_refused(scope: TenantScope, work: Callable[[], bool]) -> bool:
    found = False
    try:
        with _attempt(scope):
            found = work()
    except (ProgrammingError, InternalError, errors.InsufficientPrivilege) as error:
        cause = error if isinstance(error, errors.InsufficientPrivilege) else error.__cause__
        if not isinstance(cause, _REFUSED):
            raise
        return False
    except IntegrityError:
        return True
    return found


def _any_column(table: str) -> str:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "select quote_ident(a.attname) from pg_attribute a join pg_class c on c.oid = a.attrelid"
            " join pg_namespace n on n.oid = c.relnamespace where c.relname = %s and n.nspname = %s and a.attnum > 0"
            " and not a.attisdropped and a.attidentity = '' order by a.attnum limit 1",
            [table, TEMPLATE_SCHEMA],
        )
        return str(cursor.fetchone()[0])


def _bare(name: str) -> str:
    return name.strip('"')
