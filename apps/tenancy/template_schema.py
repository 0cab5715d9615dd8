"""The template schema: migrated like a tenant's, read into a script, and stored under a version."""

from typing import cast

from django.conf import settings
from django.db import connection, transaction

from apps.core.clock import utcnow
from apps.core.postgres.base import DatabaseWrapper
from apps.core.tenants import owner_transaction
from apps.tenancy import schema_script
from apps.tenancy.errors import TemplateMissing
from apps.tenancy.models import SchemaTemplate
from apps.tenancy.pending import digest_of, labels_of
from apps.tenancy.schema_steps import RecordingExecutor

# Whoever makes a schema from the template holds this shared until commit; see `build_template`.
_LOCK = "hashtext('tenancy.template')"


def build_template() -> SchemaTemplate:
    """Migrate the template, read the script off it and store it as the newest version.

    Returns once every transaction that makes a schema from an older version has ended: a list of the schemas that are
    behind is complete from then on.
    """
    with owner_transaction(), connection.cursor() as cursor:
        cursor.execute(f"create schema if not exists {schema_script.TEMPLATE_SCHEMA}")
    labels = labels_of(settings.TENANT_APPS)
    with cast(DatabaseWrapper, connection).pinned_to(schema_script.TEMPLATE_SCHEMA):
        executor = RecordingExecutor(connection)
        targets = [node for node in executor.loader.graph.leaf_nodes() if node[0] in labels]
        if plan := executor.migration_plan(targets):
            executor.recorder.ensure_schema()
            executor.migrate(targets, plan=plan)
        version, script = schema_script.build()
        with connection.cursor() as cursor:
            cursor.execute("select app || '.' || name from django_migrations order by id")
            applied = [name for (name,) in cursor.fetchall()]
    with transaction.atomic():
        facts = {"script": script, "migrations": applied, "migration_digest": digest_of(applied)}
        newest = SchemaTemplate.objects.order_by("-created_at").first()
        template, _ = SchemaTemplate.objects.update_or_create(version=version, defaults=facts)
        if newest is not None and newest.version != version:
            SchemaTemplate.objects.filter(pk=version).update(created_at=utcnow())
    _let_builders_finish()
    return template


def newest_template() -> SchemaTemplate:
    """The version that new schemas are made from.

    Raises:
        TemplateMissing: the platform was never migrated.
    """
    template = SchemaTemplate.objects.order_by("-created_at").first()
    if template is None:
        raise TemplateMissing
    return template


def held_template() -> SchemaTemplate:
    """`newest_template`, for a transaction that makes schemas: it stays the newest for all others until commit.

    Raises:
        TemplateMissing: the platform was never migrated.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"select pg_advisory_xact_lock_shared({_LOCK})")
    return newest_template()


def _let_builders_finish() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"select pg_advisory_xact_lock({_LOCK})")
