"""Rights and row-level security on the shared tables: what a tenant's role may touch, and which rows it sees.

Every table in ``public`` with a ``tenant_id`` gets a forced policy without anybody naming it; a table without one is
closed to tenants unless the settings open it. Runs at the end of every migration and changes only what differs.
"""

import hashlib
from dataclasses import dataclass

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from apps.core.tenants import owner_transaction

TENANT_COLUMN = "tenant_id"
ALL_RIGHTS = "SELECT, INSERT, UPDATE, DELETE"
# After a SET LOCAL has ended the setting reads as an empty text, not as null.
CURRENT_TENANT = "nullif(current_setting('app.tenant_id', true), '')::uuid"

_TABLES = """
select c.relname, c.relrowsecurity and c.relforcerowsecurity,
       exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = %(column)s
                  and not a.attisdropped),
       array(select p.polname::text from pg_policy p where p.polrelid = c.oid order by 1),
       array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0
                and not a.attisdropped order by a.attnum)
  from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1
"""


@dataclass(frozen=True, slots=True)
class SharedTable:
    """A table in ``public``: its columns, whether it holds tenants' rows, and what guards it now."""

    name: str
    is_forced: bool
    has_tenant: bool
    policies: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def rows(self) -> str:
        """The condition on rows that a tenant's role sees and writes; empty when the table knows no tenants."""
        named: str = settings.TENANT_ROWS.get(self.name, "")
        return (named or (f"{TENANT_COLUMN} = {{tenant}}" if self.has_tenant else "")).format(tenant=CURRENT_TENANT)

    @property
    def rights(self) -> str:
        """What a tenant's role may do with those rows; empty for nothing."""
        named: str | None = settings.TENANT_RIGHTS.get(self.name)
        return (ALL_RIGHTS if self.has_tenant else "") if named is None else named


def shared_tables(*, using: str = DEFAULT_DB_ALIAS) -> list[SharedTable]:
    """Every table in ``public``."""
    with connections[using].cursor() as cursor:
        cursor.execute(_TABLES, {"column": TENANT_COLUMN})
        return [SharedTable(row[0], row[1], row[2], tuple(row[3]), tuple(row[4])) for row in cursor.fetchall()]


def secure_shared_tables(*, using: str = DEFAULT_DB_ALIAS) -> int:
    """Bring rights and policies of the shared tables to what the settings say; returns how many tables changed.

    A policy's name holds the digest of its text, so a table that is right already is not locked.
    """
    changed = 0
    with owner_transaction(using=using):
        tables = shared_tables(using=using)
        with connections[using].cursor() as cursor:
            cursor.execute(_rights_sql(tables))
            for table in tables:
                if statements := _policies_sql(table):
                    cursor.execute(statements)
                    changed += 1
    return changed


def _rights_sql(tables: list[SharedTable]) -> str:
    platform, tenants = settings.DATABASE_PLATFORM_ROLE, settings.DATABASE_TENANT_ROLE
    parts = [
        f"GRANT USAGE ON SCHEMA public TO {platform}, {tenants}",
        f"GRANT {ALL_RIGHTS} ON ALL TABLES IN SCHEMA public TO {platform}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {platform}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {tenants}",
    ]
    for table in tables:
        # Revoking a table's rights leaves those on single columns, so they are named with each grant.
        columns = ", ".join(f'"{column}"' for column in table.columns)
        parts.append(f'REVOKE ALL ({columns}) ON public."{table.name}" FROM {tenants}')
        if table.rights:
            rights = table.rights.format(**_column_lists(table))
            parts.append(f'GRANT {rights} ON public."{table.name}" TO {tenants}')
    return "; ".join(parts)


def _column_lists(table: SharedTable) -> dict[str, str]:
    hidden = settings.TENANT_HIDDEN_COLUMNS.get(table.name, frozenset())
    fixed = settings.TENANT_FIXED_COLUMNS.get(table.name, frozenset())
    return {
        "visible": ", ".join(f'"{column}"' for column in table.columns if column not in hidden),
        "changeable": ", ".join(f'"{column}"' for column in table.columns if column not in fixed),
    }


def _policies_sql(table: SharedTable) -> str:
    wanted = _wanted_policies(table)
    if set(table.policies) == set(wanted) and table.is_forced == bool(wanted):
        return ""
    name = f'public."{table.name}"'
    switch = "ENABLE ROW LEVEL SECURITY, FORCE" if wanted else "DISABLE ROW LEVEL SECURITY, NO FORCE"
    parts = [f"DROP POLICY {policy} ON {name}" for policy in table.policies if policy not in wanted]
    parts += [
        f"CREATE POLICY {policy} ON {name} {body}" for policy, body in wanted.items() if policy not in table.policies
    ]
    return "; ".join([f"ALTER TABLE {name} {switch} ROW LEVEL SECURITY", *parts])


def _wanted_policies(table: SharedTable) -> dict[str, str]:
    if not table.rows:
        return {}
    bodies = {
        "tenant": f"TO {settings.DATABASE_TENANT_ROLE} USING ({table.rows})",
        "platform": f"TO {settings.DATABASE_PLATFORM_ROLE} USING (true)",
        # FORCE hides rows from the owner as well, and a data migration would change nothing in silence.
        "owner": f"TO {settings.DATABASE_OWNER_ROLE} USING (true)",
    }
    return {f"{kind}_{hashlib.sha256(body.encode()).hexdigest()[:8]}": body for kind, body in bodies.items()}
