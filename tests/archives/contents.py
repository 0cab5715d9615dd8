"""What a whole installation holds, as checksums."""

import hashlib
from contextlib import nullcontext
from uuid import UUID

from django.db import connection

from apps.core.tenants import owner_transaction

_TABLES = """
select n.nspname, c.relname, exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id')
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind = 'r' and (n.nspname = 'public' or n.nspname like 't\\_%%' or n.nspname = 'tenant_template')
 order by 1, 2
"""
# The jobs themselves tell of every attempt.
_IGNORED = {"archives_job"}


def digest_of(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def checksums(*, without: UUID | None = None) -> dict[str, str]:
    """A digest of the rows of every table; `without`: save those of one tenant."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        tables = cursor.fetchall()
        cursor.execute("select schema_name from tenancy_tenant where id = %s", [without])
        own = {row[0] for row in cursor.fetchall()}
    for schema, table, has_owner in tables:
        if schema in own or table in _IGNORED:
            continue
        condition = "true"
        if without is not None and has_owner and schema == "public":
            condition = f"tenant_id is distinct from '{without}'"
        elif without is not None and (schema, table) == ("public", "tenancy_tenant"):
            condition = f"id <> '{without}'"
        # The tables' owner reads every schema, the platform's role every row of the shared tables.
        with nullcontext() if schema == "public" else owner_transaction(schema), connection.cursor() as cursor:
            cursor.execute(
                f"select coalesce(md5(string_agg(t::text, '' order by t::text)), '')"
                f' from "{schema}"."{table}" t where {condition}'
            )
            found[f"{schema}.{table}"] = cursor.fetchone()[0]
    return found
