"""The warm pool: schemas that were built before anyone asked, so that a sign-up takes one instead of waiting.

A schema is in the pool, or a tenant's, or was never made: row and schema change in one transaction each time.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, transaction

from apps.core import ids
from apps.core.clock import utcnow
from apps.tenancy.models import PooledSchema, PoolStatus, SchemaTemplate
from apps.tenancy.roles import drop_schema
from apps.tenancy.schema_building import build_schemas
from apps.tenancy.template_schema import held_template, newest_template

# Schemas built in one transaction. Their roles come with them, and every new role makes all backends forget theirs.
BATCH = 5
REMEMBERED = timedelta(days=30)

_CLAIM = """
update tenancy_pooled_schema set status = 'CLAIMED', claimed_at = now()
 where id = (select id from tenancy_pooled_schema
              where status = 'READY' and version = %s and database_alias = %s
              order by created_at limit 1 for update skip locked)
returning schema_name
"""


@dataclass(frozen=True, slots=True)
class PoolState:
    """What is in stock, of which version, and what was taken within a day."""

    size: int
    ready: int
    stale: int
    claimed: int


def claim(template: SchemaTemplate, database_alias: str) -> str | None:
    """Take a schema of `template`'s version out of the pool, for the transaction that is open; None when it is empty.

    The name becomes the tenant's. Two transactions never get the same; a rollback puts it back.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [template.version, database_alias])
        row = cursor.fetchone()
    return str(row[0]) if row else None


def refill() -> int:
    """Fill the pool up once half of it is gone, and remove what an older template left; returns how many were built.

    One runner at a time; a batch is a transaction. Does nothing before the platform was migrated.
    """
    built = 0
    if not SchemaTemplate.objects.exists():
        return built
    version = newest_template().version
    ready = PooledSchema.objects.filter(status=PoolStatus.READY, version=version).count()
    if ready * 2 <= settings.TENANT_POOL_SIZE:
        while batch := _build_batch():
            built += batch
    while _drop_stale():
        pass
    PooledSchema.objects.filter(status=PoolStatus.CLAIMED, claimed_at__lt=utcnow() - REMEMBERED).delete()
    return built


def state() -> PoolState:
    """The pool as it is."""
    template = SchemaTemplate.objects.order_by("-created_at").first()
    ready = PooledSchema.objects.filter(status=PoolStatus.READY)
    current = ready.filter(version=template.version).count() if template else 0
    day_ago = utcnow() - timedelta(days=1)
    return PoolState(
        size=settings.TENANT_POOL_SIZE,
        ready=current,
        stale=ready.count() - current,
        claimed=PooledSchema.objects.filter(status=PoolStatus.CLAIMED, claimed_at__gte=day_ago).count(),
    )


@transaction.atomic
def _build_batch() -> int:
    if not _is_only_runner():
        return 0
    template = held_template()
    ready = PooledSchema.objects.filter(status=PoolStatus.READY, version=template.version).count()
    names = [ids.schema_name() for _ in range(min(BATCH, settings.TENANT_POOL_SIZE - ready))]
    if names:
        build_schemas(names, template.script, using=DEFAULT_DB_ALIAS)
        PooledSchema.objects.bulk_create(PooledSchema(schema_name=name, version=template.version) for name in names)
    return len(names)


@transaction.atomic
def _drop_stale() -> int:
    if not _is_only_runner():
        return 0
    version = held_template().version
    rows = PooledSchema.objects.select_for_update(skip_locked=True).filter(status=PoolStatus.READY)
    stale = list(rows.exclude(version=version)[:BATCH])
    for row in stale:
        drop_schema(row.schema_name, using=row.database_alias)
        row.delete()
    return len(stale)


def _is_only_runner() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(hashtext('tenancy.pool'))")
        return bool(cursor.fetchone()[0])
