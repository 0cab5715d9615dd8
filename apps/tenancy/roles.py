"""The database's roles: one owns, one serves the platform, and each tenant's schema has one of its own.

A tenant's role is named as its schema. It may use that schema alone; rights on tables come from one group, so a new
table needs no grant of its own. Nobody signs in as it: the application's login reaches it by ``SET LOCAL ROLE``
through the platform's role and inherits nothing from it. See docs/decisions/0005.
"""

import re
from collections.abc import Iterable
from typing import cast

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InternalError, connections, transaction
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg import sql

from apps.core.tenants import owner_transaction

logger = structlog.get_logger(__name__)

# Before 18 a deferred trigger ran as whoever was current at COMMIT: the ledger's checks would be refused, or worse.
MINIMUM_VERSION = 180_000
# What a tenant's role may do with each table of its schema.
TENANT_TABLE_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")
_TENANT_SCHEMA = re.compile(r"t_[a-z0-9]{16}")
_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def checked(schema: str) -> str:
    """`schema` itself, which is then safe to stand in SQL.

    Raises:
        ValueError: it has not the form that `ids.schema_name` makes.
    """
    if not _TENANT_SCHEMA.fullmatch(schema):
        raise ValueError(f"{schema!r} is not a tenant's schema name")
    return schema


def create_role_sql(schema: str) -> str:
    """The statement that makes a tenant's role; run it as owner. It empties every backend's role cache: batch it."""
    # The platform's role is NOINHERIT, so being a member gives it SET ROLE and nothing more.
    return f"CREATE ROLE {checked(schema)} NOLOGIN IN ROLE {_tenants()} ROLE {_platform()};"


def grant_schema_sql(schema: str) -> str:
    """What the role may do in its schema; run it as owner after ``CREATE SCHEMA`` and before the tables are made."""
    name = checked(schema)
    return (
        f"GRANT USAGE ON SCHEMA {name} TO {name};"
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {name} GRANT {', '.join(TENANT_TABLE_RIGHTS)} ON TABLES TO {_tenants()};"
    )


def provisioning_sql(schema: str, script: str, *, with_role: bool = True) -> str:
    """Role, schema, rights and tables of one tenant as one message for one transaction of the owner.

    `script` is a `SchemaTemplate`'s; `with_role` is false when a batch made the role before. The search path is the
    schema's until the transaction ends.
    """
    name = checked(schema)
    role = create_role_sql(name) if with_role else ""
    return f"{role}CREATE SCHEMA {name};{grant_schema_sql(name)}SET LOCAL search_path = {name};\n{script}"


def create_roles(schemas: Iterable[str], *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Make the roles of many schemas in one message; roles that exist stay as they are."""
    wanted = [checked(schema) for schema in schemas]
    with owner_transaction(using=using), connections[using].cursor() as cursor:
        cursor.execute("select rolname from pg_roles where rolname = any(%s)", [wanted])
        existing = {row[0] for row in cursor.fetchall()}
        if statements := "".join(create_role_sql(schema) for schema in wanted if schema not in existing):
            cursor.execute(statements)


def drop_roles(schemas: Iterable[str], *, using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Remove the roles of schemas that are gone; returns those that stay because something still depends on them.

    A role belongs to the whole cluster: a copy of the database beside this one keeps it alive.
    """
    kept: list[str] = []
    with owner_transaction(using=using), connections[using].cursor() as cursor:
        for schema in schemas:
            name = checked(schema)
            try:
                with transaction.atomic(using=using):
                    cursor.execute(f"DROP ROLE IF EXISTS {name}")
            except InternalError as error:
                logger.warning("tenancy.role_kept", role=name, reason=str(error))
                kept.append(name)
    return kept


def drop_schema(schema: str, *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Remove a tenant's schema with all that is in it, and its role; nothing happens when they are gone."""
    name = checked(schema)
    with owner_transaction(using=using):
        with connections[using].cursor() as cursor:
            cursor.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        drop_roles([name], using=using)


def ensure_platform_roles(*, using: str = DEFAULT_DB_ALIAS) -> None:
    """Make the owner's, the platform's and the tenants' group role where they are missing, and what joins them.

    Looks first and changes nothing that is right already. The login needs CREATEROLE only when something is missing.

    Raises:
        ImproperlyConfigured: the server is too old.
        django.db.DatabaseError: something is missing and the login may not make it; docs/operations.md names the
            statements for an administrator.
    """
    version = cast(DatabaseWrapper, connections[using]).pg_version
    if version < MINIMUM_VERSION:
        raise ImproperlyConfigured(f"PostgreSQL {version // 10000} is too old; 18 is needed.")
    for question, statement in _foundations(using):
        if _holds(question, using):
            continue
        try:
            with transaction.atomic(using=using), connections[using].cursor() as cursor:
                cursor.execute(statement)
        except DatabaseError:
            # Roles belong to the cluster: another database's migration may have made the same at this moment.
            if not _holds(question, using):
                raise


def adopt(*, using: str = DEFAULT_DB_ALIAS) -> int:
    """Give tenants' schemas without role (older ones, restored ones) owner, role and rights; returns how many."""
    with connections[using].cursor() as cursor:
        cursor.execute(_UNADOPTED, [f"^{_TENANT_SCHEMA.pattern}$", _owner()])
        found = [checked(row[0]) for row in cursor.fetchall()]
    for schema in found:
        own_schema(schema, using=using)
    create_roles(found, using=using)
    for schema in found:
        with owner_transaction(using=using), connections[using].cursor() as cursor:
            cursor.execute(
                grant_schema_sql(schema)
                + f"GRANT {', '.join(TENANT_TABLE_RIGHTS)} ON ALL TABLES IN SCHEMA {schema} TO {_tenants()};"
            )
    return len(found)


def own_schema(schema: str, *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Hand what the login itself owns in `schema` (``public``, the template, a tenant's) over to the owner role."""
    name, owner = sql.Identifier(schema), sql.Identifier(_owner())
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute(
            "select 1 from pg_namespace where nspname = %s and pg_get_userbyid(nspowner) = current_user", [schema]
        )
        # Last, because the login cannot look into a schema that it has given away.
        is_own = cursor.fetchone() is not None
        if is_own:
            cursor.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA {} TO {}").format(name, owner))
        cursor.execute(_OWNED_BY_LOGIN, {"schema": schema})
        for kind, thing in cursor.fetchall():
            cursor.execute(sql.SQL("ALTER {} {} OWNER TO {}").format(sql.SQL(kind), sql.SQL(thing), owner))
        if is_own:
            cursor.execute(sql.SQL("ALTER SCHEMA {} OWNER TO {}").format(name, owner))


_UNADOPTED = """
select n.nspname from pg_namespace n
 where n.nspname ~ %s
   and (pg_get_userbyid(n.nspowner) <> %s
        or not exists (select 1 from pg_roles r where r.rolname = n.nspname
                          and has_schema_privilege(r.oid, n.oid, 'usage')))
"""
_OWNED_BY_LOGIN = """
select case c.relkind when 'v' then 'VIEW' when 'S' then 'SEQUENCE' else 'TABLE' end,
       format('%%I.%%I', n.nspname, c.relname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = %(schema)s and pg_get_userbyid(c.relowner) = current_user
   and (c.relkind in ('r', 'p', 'v')
        or c.relkind = 'S' and not exists (select 1 from pg_depend d where d.objid = c.oid
                                              and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i')))
union all
select 'ROUTINE', p.oid::regprocedure::text
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
 where n.nspname = %(schema)s and pg_get_userbyid(p.proowner) = current_user
"""


def _foundations(using: str) -> list[tuple[str, str]]:
    owner, platform, tenants = _owner(), _platform(), _tenants()
    with connections[using].cursor() as cursor:
        cursor.execute("select quote_ident(session_user), quote_ident(current_database())")
        login, database = cursor.fetchone()
    exists = "select count(*) > 0 from pg_roles where rolname = '{}'"
    return [
        (exists.format(owner), f"CREATE ROLE {owner} NOLOGIN CREATEROLE"),
        (exists.format(platform), f"CREATE ROLE {platform} NOLOGIN NOINHERIT"),
        (exists.format(tenants), f"CREATE ROLE {tenants} NOLOGIN"),
        (
            f"select pg_has_role(session_user, '{owner}', 'SET')",
            f"GRANT {owner} TO {login} WITH INHERIT FALSE, SET TRUE",
        ),
        (
            f"select pg_has_role(session_user, '{platform}', 'USAGE')",
            f"GRANT {platform} TO {login} WITH INHERIT TRUE, SET TRUE",
        ),
        (
            f"select pg_has_role('{owner}', '{tenants}', 'MEMBER WITH ADMIN OPTION')",
            f"GRANT {tenants} TO {owner} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE",
        ),
        (
            f"select has_database_privilege('{owner}', current_database(), 'CREATE')",
            f"GRANT CREATE ON DATABASE {database} TO {owner}",
        ),
        (
            f"select has_schema_privilege('{owner}', 'public', 'CREATE')",
            f"GRANT USAGE, CREATE ON SCHEMA public TO {owner}",
        ),
    ]


def _holds(question: str, using: str) -> bool:
    with connections[using].cursor() as cursor:
        cursor.execute(question)
        return bool(cursor.fetchone()[0])


def _owner() -> str:
    return _role(settings.DATABASE_OWNER_ROLE)


def _platform() -> str:
    return _role(settings.DATABASE_PLATFORM_ROLE)


def _tenants() -> str:
    return _role(settings.DATABASE_TENANT_ROLE)


def _role(name: str) -> str:
    if not _ROLE.fullmatch(name):
        raise ImproperlyConfigured(f"{name!r}: a role is named with lower-case letters, digits and underscores.")
    return name
