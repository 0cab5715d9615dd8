"""Taking one schema to the template's version: its tables, its history and its row in one transaction."""

import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import cast

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState

from apps.core.postgres.base import DatabaseWrapper
from apps.core.tenants import owner_transaction
from apps.tenancy.models import SchemaStep
from apps.tenancy.pending import Kind, SchemaUnit, labels_of
from apps.tenancy.schema_steps import FLUSH_CONSTRAINTS, script_of
from apps.tenancy.template_schema import newest_template

_WRITE_VERSION = {
    Kind.TENANT: "update public.tenancy_tenant set schema_version = %s where schema_name = %s and schema_version = %s",
    Kind.POOL: "update public.tenancy_pooled_schema set version = %s"
    " where schema_name = %s and version = %s and status = 'READY'",
}


class MovedOn(Exception):
    """The schema's row is no longer what the query for pending schemas saw: purged, or migrated by someone else."""


class HistoryDiffers(Exception):
    """The schema's own history is not what its version says; Django's executor has to look at it."""


@dataclass(frozen=True)
class Target:
    """The template's version, and every migration in the order in which the template took them."""

    version: str
    steps: list[tuple[str, str, str, bool]]
    _scripts: dict[str, str | None] = field(default_factory=dict)

    def script_for(self, applied: str) -> str | None:
        """The text that leads from `applied` (of `SchemaUnit`) to here; None where Python has to run."""
        if applied not in self._scripts:
            has = set(_names(applied))
            missing = [step for step in self.steps if f"{step[0]}.{step[1]}" not in has]
            is_text = bool(has) and all(step[3] for step in missing)
            self._scripts[applied] = script_of([step[:3] for step in missing]) if is_text else None
        return self._scripts[applied]


def target() -> Target:
    """What every schema should become.

    Raises:
        TemplateMissing: the platform was never migrated.
    """
    template = newest_template()
    known = {f"{step.app}.{step.name}": step for step in SchemaStep.objects.all()}
    steps = []
    for name in template.migrations:
        app, _, migration = name.partition(".")
        step = known.get(name)
        steps.append((app, migration, step.sql if step else "", bool(step and step.is_text)))
    return Target(template.version, steps)


def upgrade_by_text(unit: SchemaUnit, script: str, version: str, *, lock_timeout_ms: int) -> None:
    """Run `script` in the unit's schema.

    Raises:
        MovedOn, HistoryDiffers: nothing was done.
        django.db.Error: nothing was done; a lock that was not free in time is an OperationalError.
    """
    with ExitStack() as transactions:
        if unit.database_alias != DEFAULT_DB_ALIAS:
            transactions.enter_context(transaction.atomic())
        transactions.enter_context(owner_transaction(unit.schema_name, using=unit.database_alias))
        # First, because whoever suspends or purges a tenant takes its row before its tables, too.
        _write_version(unit, version)
        with connections[unit.database_alias].cursor() as cursor:
            cursor.execute(
                f"SET LOCAL lock_timeout = {lock_timeout_ms}; SELECT app || '.' || name FROM django_migrations"
            )
            cursor.nextset()
            if {name for (name,) in cursor.fetchall()} != set(_names(unit.applied)):
                raise HistoryDiffers
            # Parameters would make it a prepared statement, which holds one command only.
            cursor.execute(script)


class ExecutorUpgrade:
    """Django's own executor, one schema after the other; the state of the models is made once for each history."""

    def __init__(self) -> None:
        self._states: dict[frozenset[tuple[str, str]], ProjectState] = {}

    def run(self, unit: SchemaUnit, version: str, *, lock_timeout_ms: int) -> None:
        """Migrate the unit's schema, all or nothing unless one of the migrations refuses a transaction.

        Raises:
            MovedOn: nothing was done.
            Exception: whatever a migration's Python raised.
        """
        wrapper = cast(DatabaseWrapper, connections[unit.database_alias])
        with wrapper.pinned_to(unit.schema_name):
            with wrapper.cursor() as cursor:
                cursor.execute(f"set lock_timeout = {lock_timeout_ms}")
            executor = MigrationExecutor(wrapper)
            labels = labels_of(settings.TENANT_APPS)
            targets = [node for node in executor.loader.graph.leaf_nodes() if node[0] in labels]
            plan = [migration for migration, _ in executor.migration_plan(targets)]
            history = frozenset(executor.loader.applied_migrations)
            if history not in self._states:
                of_applied = executor._create_project_state  # type: ignore[attr-defined]  # not in the stubs
                self._states[history] = of_applied(with_applied_migrations=True)
            state = self._states[history].clone()
            with ExitStack() as transactions:
                if whole := all(migration.atomic for migration in plan):
                    transactions.enter_context(transaction.atomic(using=unit.database_alias))
                for migration in plan:
                    state = executor.apply_migration(state, migration)
                    if whole:
                        with wrapper.cursor() as cursor:
                            cursor.execute(FLUSH_CONSTRAINTS)
                _write_version(unit, version)


def _write_version(unit: SchemaUnit, version: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_WRITE_VERSION[unit.kind], [version, unit.schema_name, unit.version])
        if cursor.rowcount != 1:
            raise MovedOn


def _names(applied: str) -> list[str]:
    names: list[str] = json.loads(applied)
    return names
