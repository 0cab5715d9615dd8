"""Migrating the shared tables, the template schema and the tenants' schemas."""

from collections.abc import Callable
from typing import cast

from django.core.management import call_command
from django.db import connection, transaction

from apps.core.postgres.base import DatabaseWrapper
from apps.tenancy import schema_script
from apps.tenancy.models import SchemaTemplate, Tenant, TenantStatus

Report = Callable[[str], None]


def migrate_platform(report: Report) -> str:
    """Bring shared tables, the template and every tenant's schema up to date; returns the template's version.

    Safe to repeat and to interrupt: each schema is migrated on its own and says in its row what it has.
    """
    migrate_schema("public")
    report("shared tables are up to date")
    version = build_template()
    report(f"template {version[:12]} is up to date")
    behind = Tenant.objects.filter(status__in=(TenantStatus.ACTIVE, TenantStatus.SUSPENDED)).exclude(
        schema_version=version
    )
    for tenant in list(behind):
        migrate_schema(tenant.schema_name)
        Tenant.objects.filter(pk=tenant.pk).update(schema_version=version)
        report(f"{tenant.key} is up to date")
    return version


def migrate_schema(schema: str) -> None:
    """Run Django's migrations on one schema, on a connection that is that schema's alone."""
    with cast(DatabaseWrapper, connection).pinned_to(schema):
        # Called by class path: django-tenants replaces the plain command by one that loops over all schemas.
        call_command("migrate_one_schema", verbosity=0, interactive=False)


def build_template() -> str:
    """Migrate the template schema, read the script off it and store it; returns its version."""
    with connection.cursor() as cursor:
        cursor.execute(f"create schema if not exists {schema_script.TEMPLATE_SCHEMA}")
    migrate_schema(schema_script.TEMPLATE_SCHEMA)
    with cast(DatabaseWrapper, connection).pinned_to(schema_script.TEMPLATE_SCHEMA):
        version, script = schema_script.build()
    with transaction.atomic():
        SchemaTemplate.objects.get_or_create(version=version, defaults={"script": script})
    return version
