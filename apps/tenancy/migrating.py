"""Migrating the shared tables, the template schema and the tenants' schemas.

django-tenants' own ``migrate_schemas`` plans and renders every app for every schema; here each schema is asked
only for the apps that live in it.
"""

from collections.abc import Callable, Iterable
from typing import cast

from django.apps import apps as registry
from django.conf import settings
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from apps.core.postgres.base import DatabaseWrapper
from apps.tenancy import schema_script
from apps.tenancy.models import SchemaTemplate, Tenant, TenantStatus

Report = Callable[[str], None]

# dj-stripe's history renders the state of 60 models 520 times: 40 seconds to make empty tables. On a database
# that never saw it, its tables are made from its models and the history is recorded as applied; later releases'
# migrations run as usual.
_MADE_FROM_MODELS = "djstripe"


def migrate_platform(report: Report) -> str:
    """Bring shared tables, the template and every tenant's schema up to date; returns the template's version.

    Safe to repeat and to interrupt: each schema is migrated on its own and says in its row what it has.
    """
    migrate_shared()
    report("shared tables are up to date")
    version = build_template()
    report(f"template {version[:12]} is up to date")
    behind = Tenant.objects.filter(status__in=(TenantStatus.ACTIVE, TenantStatus.SUSPENDED)).exclude(
        schema_version=version
    )
    for tenant in list(behind):
        migrate_tenant_schema(tenant.schema_name)
        Tenant.objects.filter(pk=tenant.pk).update(schema_version=version)
        report(f"{tenant.key} is up to date")
    return version


def migrate_shared() -> None:
    """Migrate ``public``."""
    labels = _labels(settings.SHARED_APPS)
    with _wrapper().pinned_to("public"):
        executor = MigrationExecutor(connection)
        is_new = _MADE_FROM_MODELS in labels and not _has_history(executor, _MADE_FROM_MODELS)
        if is_new:
            _migrate(executor, labels - {_MADE_FROM_MODELS})
            _make_from_models(executor, _MADE_FROM_MODELS)
            executor = MigrationExecutor(connection)
        if _migrate(executor, labels) or is_new:
            emit_post_migrate_signal(verbosity=0, interactive=False, db=connection.alias)


def migrate_tenant_schema(schema: str) -> None:
    """Migrate one tenant's schema, on a connection that is that schema's alone."""
    with _wrapper().pinned_to(schema):
        _migrate(MigrationExecutor(connection), _labels(settings.TENANT_APPS))


def build_template() -> str:
    """Migrate the template schema, read the script off it and store it; returns its version."""
    with connection.cursor() as cursor:
        cursor.execute(f"create schema if not exists {schema_script.TEMPLATE_SCHEMA}")
    migrate_tenant_schema(schema_script.TEMPLATE_SCHEMA)
    with _wrapper().pinned_to(schema_script.TEMPLATE_SCHEMA):
        version, script = schema_script.build()
    with transaction.atomic():
        SchemaTemplate.objects.get_or_create(version=version, defaults={"script": script})
    return version


def _migrate(executor: MigrationExecutor, labels: Iterable[str]) -> bool:
    wanted = set(labels)
    targets = [node for node in executor.loader.graph.leaf_nodes() if node[0] in wanted]
    plan = executor.migration_plan(targets)
    if plan:
        executor.recorder.ensure_schema()
        executor.migrate(targets, plan=plan)
    return bool(plan)


def _has_history(executor: MigrationExecutor, label: str) -> bool:
    return any(app == label for app, _ in executor.loader.applied_migrations)


def _make_from_models(executor: MigrationExecutor, label: str) -> None:
    with transaction.atomic():
        with connection.schema_editor() as editor:
            for model in registry.get_app_config(label).get_models(include_auto_created=True):
                if not model._meta.auto_created and model._meta.managed and not model._meta.proxy:
                    editor.create_model(model)
        for app, name in executor.loader.graph.nodes:
            if app == label:
                executor.recorder.record_applied(app, name)


def _labels(app_names: Iterable[str]) -> set[str]:
    names = set(app_names)
    return {
        config.label
        for config in registry.get_app_configs()
        if config.name in names or f"{type(config).__module__}.{type(config).__name__}" in names
    }


def _wrapper() -> DatabaseWrapper:
    return cast(DatabaseWrapper, connection)
