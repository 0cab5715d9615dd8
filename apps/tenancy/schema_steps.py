"""Migrating the template while writing down, as text, what each migration did to it."""

from typing import Any

from django.db import migrations, transaction
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED, Field

from apps.core.ids import uuid7

# Django's own operations speak to the database through the schema editor alone; others may do anything.
_KNOWN = ("django.db.migrations.operations.", "django.contrib.postgres.operations")
FLUSH_CONSTRAINTS = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED;"
_SAVE = """
insert into public.tenancy_schema_step (id, app, name, sql, is_text) values (%s, %s, %s, %s, %s)
    on conflict (app, name) do update set sql = excluded.sql, is_text = excluded.is_text
"""


def can_be_text(migration: Migration) -> bool:
    """Whether the statements that `migration` runs in one schema are right for every other.

    Not so where it runs Python, commits in between, or fills a column from a default that differs at each call: one
    secret would become every tenant's.
    """
    return bool(migration.atomic) and all(_is_text(operation) for operation in migration.operations)


def _is_text(operation: Operation) -> bool:
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        return all(_is_text(inner) for inner in operation.database_operations)
    if not operation.reduces_to_sql or not type(operation).__module__.startswith(_KNOWN):
        return False
    if isinstance(operation, migrations.AddField | migrations.AlterField):
        return _default_is_constant(operation.field)
    return True


def _default_is_constant(field: "Field[Any, Any]") -> bool:
    if field.default is NOT_PROVIDED or not callable(field.default):
        return True
    return bool(field.get_default() == field.get_default())


class RecordingEditor(DatabaseSchemaEditor):
    """Runs every statement and keeps its text."""

    def __init__(self, connection: Any, *, atomic: bool) -> None:
        super().__init__(connection, atomic=atomic)
        self.statements: list[str] = []

    def execute(self, sql: Any, params: Any = ()) -> None:
        """Run one statement; parameters become part of the text, as PostgreSQL's DDL asks anyway."""
        text = str(sql) if params is None else str(self.connection.ops.compose_sql(str(sql), params))
        self.statements.append(text.rstrip().rstrip(";"))
        super().execute(text, None)


class RecordingExecutor(MigrationExecutor):
    """Django's executor, which stores each migration's statements in the transaction that runs them."""

    def apply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False, fake_initial: bool = False
    ) -> ProjectState:
        """Run, record as applied and store as text, all or nothing (save for migrations that want no transaction)."""
        if not migration.atomic:
            state = super().apply_migration(state, migration, fake, fake_initial)
            self._save(migration, [], is_text=False)
            return state
        with transaction.atomic(using=self.connection.alias):
            is_text = can_be_text(migration)
            with RecordingEditor(self.connection, atomic=True) as editor:
                state = migration.apply(state, editor)
            self.record_migration(migration)  # type: ignore[call-arg, arg-type]  # the stubs are older than Django 5.2's
            schema = str(getattr(self.connection, "schema_name", ""))
            if any(schema in statement for statement in editor.statements):
                is_text = False
            self._save(migration, editor.statements if is_text else [], is_text=is_text)
        return state

    def _save(self, migration: Migration, statements: list[str], *, is_text: bool) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(_SAVE, [uuid7(), migration.app_label, migration.name, ";\n".join(statements), is_text])


def script_of(steps: list[tuple[str, str, str]]) -> str:
    """One message that takes a schema through `steps` (app, name, statements) and writes them into its history.

    Constraint checks that a step left for the end run between the steps: no table can be altered while they wait.
    """
    parts: list[str] = []
    for app, name, statements in steps:
        if parts:
            parts.append(FLUSH_CONSTRAINTS)
        if statements:
            parts.append(f"{statements};")
        parts.append(f"INSERT INTO django_migrations (app, name, applied) VALUES ('{app}', '{name}', now());")
    return "\n".join(parts)
