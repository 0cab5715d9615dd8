"""A migration of a shared table reads none of its rows while those of all tenants wait for them."""

import re
from collections.abc import Iterator

from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

# Written before there was a release: they have only ever run on empty tables, or on those of a trial.
BEFORE_THE_FIRST_RELEASE = {
    "archives.0002_imports_one_at_a_time",
    "iam.0004_invitations_and_bans",
    "iam.0007_custom_roles",
    "iam.0007_second_factors",
    "notifications.0004_unread_newest_first",
    "tenancy.0004_deletion_and_default_workspace",
}
READS_ROWS = re.compile(
    r"\bcreate (unique )?index (?!concurrently)"
    r"|\badd constraint (?!.*(using index|not valid))|\bset not null|\balter (column )?\S+ (set data )?type",
    re.IGNORECASE,
)


def _of_shared_tables() -> Iterator[tuple[str, Operation, ProjectState, set[str]]]:
    """Operations in their order, each with the state before it and the models that its own migration has made."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    state = ProjectState()
    for node in loader.graph._generate_plan(loader.graph.leaf_nodes(), at_end=True):  # type: ignore[attr-defined]
        migration, made = loader.graph.nodes[node], set[str]()
        for operation in migration.operations:
            if isinstance(operation, migrations.CreateModel):
                made.add(operation.name_lower)
            if type(migration).__module__.startswith("apps."):
                for one in _in_the_database(operation):
                    if _is_shared(node[0], one):
                        yield ".".join(node), one, state, made
            operation.state_forwards(node[0], state)


def _is_shared(label: str, operation: Operation) -> bool:
    model = getattr(operation, "model_name_lower", "")
    return f"apps.{label}" not in settings.TENANT_APPS or f"{label}.{model}" in settings.SHARED_MODELS


def _in_the_database(operation: Operation) -> list[Operation]:
    is_split = isinstance(operation, migrations.SeparateDatabaseAndState)
    return list(operation.database_operations) if is_split else [operation]


def _reads_rows(label: str, operation: Operation, state: ProjectState, made: set[str]) -> bool:
    if isinstance(operation, migrations.RunSQL):
        return any(READS_ROWS.search(statement) for statement in _statements(operation))
    if getattr(operation, "model_name_lower", "") in made:
        return False
    if isinstance(operation, migrations.AddIndex):
        return not isinstance(operation, AddIndexConcurrently)
    if isinstance(operation, migrations.AddConstraint):
        return not isinstance(operation, AddConstraintNotValid)
    if isinstance(operation, migrations.AlterField):
        before = state.models[label, operation.model_name_lower].fields[operation.name]
        return (before.null and not operation.field.null) or (_has_index(operation.field) and not _has_index(before))
    return isinstance(operation, migrations.AddField) and _has_index(operation.field)


def _statements(operation: migrations.RunSQL) -> list[str]:
    given = [operation.sql] if isinstance(operation.sql, str) else operation.sql
    return [" ".join((one if isinstance(one, str) else one[0]).split()) for one in given]


def _has_index(field: models.Field) -> bool:
    return field.unique or field.db_index


def test_shared_tables_are_changed_while_people_work() -> None:
    found = {
        name
        for name, operation, state, made in _of_shared_tables()
        if _reads_rows(name.partition(".")[0], operation, state, made)
    }

    assert found == BEFORE_THE_FIRST_RELEASE, "see docs/operations.md, “Migrations of shared tables”"
