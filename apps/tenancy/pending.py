"""Which schemas are behind: one query over shared tables, whatever the number of tenants."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.apps import apps as registry
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

# A tenant without a version has no schema yet; one whose schema is gone (purged) has nothing to migrate. READY rows of
# the pool are schemas like any other. The last part tells of the template itself, for which nobody else asks.
_BEHIND = """
select 'TENANT', t.key, t.schema_name, t.database_alias, t.schema_version, coalesce(s.migrations, '[]')::text
  from public.tenancy_tenant t
  left join public.tenancy_schema_template s on s.version = t.schema_version
 where t.schema_version <> '' and s.migration_digest is distinct from %(digest)s
   and (t.database_alias <> 'default' or exists (select from pg_namespace n where n.nspname = t.schema_name))
union all
select 'POOL', '', p.schema_name, p.database_alias, p.version, coalesce(s.migrations, '[]')::text
  from public.tenancy_pooled_schema p
  left join public.tenancy_schema_template s on s.version = p.version
 where p.status = 'READY' and s.migration_digest is distinct from %(digest)s
union all
select 'TEMPLATE', '', '', 'default', '', '[]'
 where not exists (select from public.tenancy_schema_template where migration_digest = %(digest)s)
"""


class Kind(StrEnum):
    """What a schema is for."""

    TENANT = "TENANT"
    POOL = "POOL"
    TEMPLATE = "TEMPLATE"


@dataclass(frozen=True, slots=True)
class SchemaUnit:
    """A schema that lacks migrations: what it says it has, and where it is."""

    kind: Kind
    key: str
    schema_name: str
    database_alias: str
    version: str
    applied: str

    @property
    def label(self) -> str:
        """How people call it."""
        return self.key or (f"pooled {self.schema_name}" if self.kind is Kind.POOL else self.kind.lower())


def labels_of(app_names: Iterable[str]) -> set[str]:
    """The labels of the apps in a setting such as ``TENANT_APPS``."""
    names = set(app_names)
    return {
        config.label
        for config in registry.get_app_configs()
        if config.name in names or f"{type(config).__module__}.{type(config).__name__}" in names
    }


def wanted_migrations() -> list[str]:
    """Every migration that this code wants in a tenant's schema, as ``app.name``, in no particular order."""
    graph = MigrationLoader(None, ignore_no_migrations=True).graph
    labels = labels_of(settings.TENANT_APPS)
    wanted = {node for leaf in graph.leaf_nodes() if leaf[0] in labels for node in graph.forwards_plan(leaf)}
    return sorted(f"{app}.{name}" for app, name in wanted)


def digest_of(migrations: Iterable[str]) -> str:
    """One text for a set of migrations; equal sets have equal digests."""
    return hashlib.sha256("\n".join(sorted(migrations)).encode()).hexdigest()


def schemas_behind(digest: str) -> list[SchemaUnit]:
    """The schemas (and the template, as a unit of its own) whose migrations are not those of `digest`."""
    with connection.cursor() as cursor:
        cursor.execute(_BEHIND, {"digest": digest})
        return [SchemaUnit(Kind(row[0]), *row[1:]) for row in cursor.fetchall()]
