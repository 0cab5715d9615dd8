"""Migrating a whole database: the shared tables, the template schema, and then the tenants' schemas.

django-tenants' own ``migrate_schemas`` plans and renders every app for every schema; here each schema is asked
only for the apps that live in it, and most schemas only run what the template ran.
"""

from collections.abc import Iterable
from typing import cast

from django.apps import apps as registry
from django.conf import settings
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from apps.core.postgres.base import DatabaseWrapper
from apps.tenancy import guards, roles, row_security, schema_script
from apps.tenancy.migrating_tenants import Options, Result, migrate_schemas, only_one_run
from apps.tenancy.pending import labels_of
from apps.tenancy.progress import Progress
from apps.tenancy.template_schema import build_template

# dj-stripe's history renders the state of 60 models 520 times: 40 seconds to make empty tables. On a database
# that never saw it, its tables are made from its models and the history is recorded as applied; later releases'
# migrations run as usual.
_MADE_FROM_MODELS = "djstripe"


def migrate_platform(progress: Progress, options: Options | None = None) -> Result:
    """Bring shared tables, the template and every tenant's schema up to date.

    Safe to repeat and to interrupt: each schema is migrated on its own and says in its row what it has.
    """
    with only_one_run(progress.say):
        migrate_shared()
        progress.say("shared tables are up to date")
        if adopted := roles.adopt():
            progress.say(f"{adopted} schemas have their roles now")
        progress.say(f"template {build_template().version[:12]} is up to date")
        return migrate_schemas(progress, options)


def migrate_shared() -> None:
    """Migrate ``public``, from the roles that own it to the rights and policies on its tables."""
    roles.ensure_platform_roles()
    for schema in ("public", schema_script.TEMPLATE_SCHEMA):
        roles.own_schema(schema)
    labels = labels_of(settings.SHARED_APPS)
    with _wrapper().pinned_to("public"):
        executor = MigrationExecutor(connection)
        is_new = _MADE_FROM_MODELS in labels and not _has_history(executor, _MADE_FROM_MODELS)
        if is_new:
            _migrate(executor, labels - {_MADE_FROM_MODELS})
            _make_from_models(executor, _MADE_FROM_MODELS)
            executor = MigrationExecutor(connection)
        if _migrate(executor, labels) or is_new:
            emit_post_migrate_signal(verbosity=0, interactive=False, db=connection.alias)
    row_security.secure_shared_tables()
    guards.install()


def shared_is_behind() -> bool:
    """Whether `migrate_shared` has something to do; reads only."""
    executor = MigrationExecutor(connection)
    labels = labels_of(settings.SHARED_APPS)
    targets = [node for node in executor.loader.graph.leaf_nodes() if node[0] in labels]
    return bool(executor.migration_plan(targets)) or not guards.are_installed()


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


def _wrapper() -> DatabaseWrapper:
    return cast(DatabaseWrapper, connection)
