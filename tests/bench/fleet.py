"""Many tenants quickly: rows and schemas in batches, without members or books."""

from uuid import UUID

import psutil
from django.conf import settings
from django.db import connection, connections, transaction

from apps.core import ids
from apps.core.tenants import public_scope
from apps.tenancy.models import Domain, ProvisioningStep, Tenant, TenantStatus
from apps.tenancy.roles import drop_schema
from apps.tenancy.schema_building import build_schemas
from apps.tenancy.template_schema import held_template

BATCH = 25


def fill_up_to(count: int) -> None:
    """Active tenants until there are `count`."""
    while (missing := count - Tenant.objects.count()) > 0:
        _more(min(BATCH, missing))


@transaction.atomic
def _more(count: int) -> None:
    template = held_template()
    tenants = []
    for _ in range(count):
        key = ids.tenant_key()
        tenants.append(
            Tenant(
                key=key,
                slug=f"fleet-{key}",
                name=f"Fleet {key}",
                status=TenantStatus.ACTIVE,
                provisioning_step=ProvisioningStep.READY,
                schema_version=template.version,
            )
        )
    Tenant.objects.bulk_create(tenants)
    Domain.objects.bulk_create(
        Domain(domain=f"{tenant.slug}.{settings.PLATFORM_HOST}", tenant=tenant, is_primary=True) for tenant in tenants
    )
    build_schemas([tenant.schema_name for tenant in tenants], template.script, using="default")


def catalogue_bytes() -> int:
    """Tables of the catalogue with their indexes, of this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select sum(pg_total_relation_size(oid)) from pg_class"
            " where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r'"
        )
        return int(cursor.fetchone()[0])


def backend_bytes() -> int:
    """What the server process behind this connection holds for itself alone."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        return int(psutil.Process(cursor.fetchone()[0]).memory_full_info().uss)


def forget_connection() -> None:
    """The next statement gets a fresh server process."""
    with public_scope():
        connections["default"].close()


def empty_but_for(kept: set[UUID]) -> None:
    """Remove every tenant that is not among `kept`."""
    for tenant in Tenant.objects.exclude(pk__in=kept):
        drop_schema(tenant.schema_name)
        tenant.delete()
