"""Whether schemas that should be alike are: their catalogues are compared with the template's, rights included."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import connections

from apps.core.clock import utcnow
from apps.tenancy.models import SchemaReport, SchemaTemplate, Tenant
from apps.tenancy.roles import TENANT_TABLE_RIGHTS
from apps.tenancy.schema_script import TEMPLATE_SCHEMA
from apps.tenancy.template_schema import newest_template

# Schemas compared in one statement, and lines of differences that are kept of one.
CHUNK = 50
KEPT_LINES = 40

# PostgreSQL prints some expressions with other casts and brackets once they were parsed from its own print, and not
# null constraints go by whatever name they got first.
_FACTS = """
with facts(schema, fact) as (
    select n.nspname, concat_ws(' ', 'column', c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod),
                                case when a.attnotnull then 'not null' end,
                                case when a.attidentity <> '' then 'identity ' || a.attidentity::text end,
                                case when a.attgenerated <> '' then 'generated' end,
                                pg_get_expr(d.adbin, d.adrelid))
      from pg_namespace n
      join pg_class c on c.relnamespace = n.oid and c.relkind = 'r'
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where n.nspname = any(%(schemas)s)
    union all
    select n.nspname, concat_ws(' ', 'constraint', c.relname || '.' || k.conname, pg_get_constraintdef(k.oid))
      from pg_namespace n
      join pg_class c on c.relnamespace = n.oid
      join pg_constraint k on k.conrelid = c.oid and k.contype <> 'n'
     where n.nspname = any(%(schemas)s)
    union all
    select n.nspname, pg_get_indexdef(i.indexrelid) || case when i.indisvalid then '' else ' invalid' end
      from pg_namespace n
      join pg_class c on c.relnamespace = n.oid
      join pg_index i on i.indexrelid = c.oid
     where n.nspname = any(%(schemas)s)
    union all
    select n.nspname, pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text
      from pg_namespace n
      join pg_class c on c.relnamespace = n.oid
      join pg_trigger t on t.tgrelid = c.oid and not t.tgisinternal
     where n.nspname = any(%(schemas)s)
    union all
    select n.nspname, pg_get_functiondef(p.oid)
      from pg_namespace n
      join pg_proc p on p.pronamespace = n.oid and p.prokind = 'f'
     where n.nspname = any(%(schemas)s)
    union all
    -- What a tenant's tables should be like, which the template's are not: only what deviates is a fact.
    select n.nspname, concat_ws(' ', 'rights', c.relname, 'owned by', pg_get_userbyid(c.relowner), r.held,
                                case when c.relrowsecurity then 'row level security' end)
      from pg_namespace n
      join pg_class c on c.relnamespace = n.oid and c.relkind in ('r', 'p', 'v')
      cross join lateral (select string_agg(pg_get_userbyid(a.grantee) || ' ' || a.privilege_type, ', '
                                            order by pg_get_userbyid(a.grantee), a.privilege_type) as held
                            from aclexplode(c.relacl) a where a.grantee <> c.relowner) r
     where n.nspname = any(%(schemas)s) and n.nspname <> %(template)s
       and (pg_get_userbyid(c.relowner) <> %(owner)s or r.held is distinct from %(rights)s or c.relrowsecurity)
    union all
    select n.nspname, concat_ws(' ', 'rights on the schema: owned by', pg_get_userbyid(n.nspowner), r.held)
      from pg_namespace n
      cross join lateral (select string_agg(pg_get_userbyid(a.grantee) || ' ' || a.privilege_type, ', '
                                            order by pg_get_userbyid(a.grantee), a.privilege_type) as held
                            from aclexplode(n.nspacl) a where a.grantee <> n.nspowner) r
     where n.nspname = any(%(schemas)s) and n.nspname <> %(template)s
       and (pg_get_userbyid(n.nspowner) <> %(owner)s or r.held is distinct from n.nspname || ' USAGE')
), plain(schema, fact) as (
    select schema, regexp_replace(replace(fact, schema || '.', ''),
                                  '::(character varying|text)(\\[\\])?|[()]', '', 'g') from facts
)
"""
_DIGESTS = _FACTS + "select schema, md5(string_agg(fact, E'\\n' order by fact)) from plain group by schema"
_BOTH_WAYS = (
    _FACTS
    + """
select case when min(schema) = %(template)s then 'missing: ' else 'of its own: ' end || fact
  from plain group by fact having count(*) = 1 order by fact
"""
)


def drifted(schemas: Sequence[str], *, using: str = "default") -> set[str]:
    """Those of `schemas` whose catalogue is not the template's; one that does not exist counts as drifted."""
    with connections[using].cursor() as cursor:
        cursor.execute(_DIGESTS, _parameters(schemas))
        digests: dict[str, str] = dict(cursor.fetchall())
    return {name for name in schemas if digests.get(name) != digests.get(TEMPLATE_SCHEMA)}


def differences(schema: str, *, using: str = "default") -> list[str]:
    """What only one of the two has, `schema` or the template, and rights on `schema` that are not a tenant's."""
    with connections[using].cursor() as cursor:
        cursor.execute(_BOTH_WAYS, _parameters([schema]))
        return [line for (line,) in cursor.fetchall()]


def _parameters(schemas: Sequence[str]) -> dict[str, Any]:
    rights = ", ".join(f"{settings.DATABASE_TENANT_ROLE} {right}" for right in sorted(TENANT_TABLE_RIGHTS))
    return {
        "schemas": [*schemas, TEMPLATE_SCHEMA],
        "template": TEMPLATE_SCHEMA,
        "owner": settings.DATABASE_OWNER_ROLE,
        "rights": rights,
    }


def check_schemas(limit: int) -> int:
    """Compare the `limit` tenants that were not looked at for longest; returns how many differ.

    Only tenants of the template's version: those that are behind differ rightly.
    """
    if not SchemaTemplate.objects.exists():
        return 0
    seen = SchemaReport.objects.exclude(checked_at=None)
    current = Tenant.objects.filter(schema_version=newest_template().version, database_alias="default")
    names = set(current.values_list("schema_name", flat=True))
    checked = dict(seen.filter(schema_name__in=names).values_list("schema_name", "checked_at"))
    turn = sorted(names, key=lambda name: (name in checked, checked.get(name), name))[:limit]
    found = 0
    for begin in range(0, len(turn), CHUNK):
        chunk = turn[begin : begin + CHUNK]
        differing = drifted(chunk)
        found += len(differing)
        now = utcnow()
        SchemaReport.objects.bulk_create(
            (
                SchemaReport(schema_name=name, checked_at=now, drift=_text(name) if name in differing else "")
                for name in chunk
            ),
            update_conflicts=True,
            unique_fields=["schema_name"],
            update_fields=["checked_at", "drift"],
        )
    return found


def _text(schema: str) -> str:
    lines = differences(schema)
    rest = [f"and {len(lines) - KEPT_LINES} more"] if len(lines) > KEPT_LINES else []
    return "\n".join([*lines[:KEPT_LINES], *rest])
