"""What the import linter cannot see: doors between apps, foreign keys across sides, forgotten migrations."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps as registry
from django.conf import settings
from django.contrib import admin
from django.core.management import call_command
from django.db import connection, models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from apps.core.tenants import tenant_transaction
from apps.tenancy.selectors import TenantView

REPOSITORY = Path(__file__).resolve().parents[2]
APPS = {path.parent.name for path in REPOSITORY.glob("apps/*/apps.py")}
DOORS = {"services", "selectors", "events", "errors"}
MORE_DOORS = {
    # How the API shows a thing is also what webhooks tell of it.
    "iam": {"adopting", "api.presenters", "permissions", "middleware", "pages", "restoring", "stepping_up", "tokens"},
    "invoices": {"api.presenters"},
    "payments": {"api.presenters"},
    "ledger": {"accounts"},
    "tenancy": {
        "adopting",
        "brands",
        "default_workspace",
        "proving",
        "proof_messages",
        "deleting",
        "due_work",
        "rollout",
        "hosts",
        "logos",
        "profile",
        "subdomains",
        "jobs",
        "operator_admin",
        "operators",
        "schema_building",
    },
}
BANNED_NAMES = re.compile(r"(^|/)(utils?|helpers?|common|misc|managers?)(\.py$|/)")


def sources(folder: str = "apps") -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((REPOSITORY / folder).rglob("*.py")):
        if "migrations" not in path.parts:
            yield path, ast.parse(path.read_text())


def app_of(path: Path) -> str:
    return path.relative_to(REPOSITORY / "apps").parts[0]


def _doors(path: list[str], names: set[str]) -> set[str]:
    """The modules of an app that are entered; of its API each module is a door of its own."""
    if not path:
        return names
    if path == ["api"]:
        return {f"api.{name}" for name in names}
    return {".".join(path[:2]) if path[0] == "api" else path[0]}


def test_other_apps_are_entered_by_their_doors() -> None:
    wrong = []
    for path, tree in sources():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("apps."):
                continue
            _, target, *rest = (node.module or "").split(".")
            if target in (app_of(path), "core"):
                continue
            entered = _doors(rest, {alias.name for alias in node.names})
            allowed = DOORS | MORE_DOORS.get(target, set())
            if path.name == "models.py" or path.name.endswith("_models.py"):
                allowed |= {"models"}  # a foreign key downwards, on the same side: see the test below
            if not entered <= allowed:
                wrong.append(f"{path.relative_to(REPOSITORY)}: {node.module} {entered - allowed}")
    assert wrong == []


def test_no_imports_inside_functions() -> None:
    wrong = []
    for folder in ("apps", "config"):
        for path, tree in sources(folder):
            for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)):
                for node in ast.walk(function):
                    if isinstance(node, ast.Import | ast.ImportFrom):
                        wrong.append(f"{path.relative_to(REPOSITORY)}:{node.lineno}")
    assert wrong == []


def test_no_drawers_without_a_name() -> None:
    files = [str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "apps").rglob("*.py")]
    assert [name for name in files if BANNED_NAMES.search(name)] == []


def test_no_sql_sets_anything_for_a_session() -> None:
    statement = re.compile(r"\bSET\s+(SESSION\b|search_path|ROLE\b|app\.)", re.IGNORECASE)
    wrong = []
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for match in statement.finditer(node.value):
                    before = node.value[: match.start()].rstrip().upper()
                    if not before.endswith("LOCAL") and "``" not in node.value and "\n" not in node.value[:1]:
                        wrong.append(f"{path.relative_to(REPOSITORY)}:{node.lineno} {match.group()}")
    assert wrong == []


def side(model: type[models.Model]) -> str:
    name = f"{model._meta.app_label}.{model._meta.model_name}"
    if name in settings.SHARED_MODELS:
        return "shared"
    return "tenant" if model._meta.app_config.name in settings.TENANT_APPS else "shared"


def own_models() -> list[type[models.Model]]:
    return [model for model in registry.get_models() if model.__module__.startswith("apps.")]


def test_no_foreign_key_crosses_between_shared_and_tenant_tables() -> None:
    wrong = [
        f"{model._meta.label}.{field.name}"
        for model in own_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and side(model) != side(field.related_model)
    ]
    assert wrong == []


def test_every_key_is_a_uuid() -> None:
    natural = {"tenancy.SchemaTemplate"}
    wrong = [
        model._meta.label
        for model in own_models()
        if not model._meta.auto_created
        and model._meta.label not in natural
        and not isinstance(model._meta.pk, models.UUIDField | models.OneToOneField)
    ]
    assert wrong == []


def test_amounts_are_integers() -> None:
    wrong = [
        f"{model._meta.label}.{field.name}"
        for model in own_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.FloatField)
        or (field.name.endswith("_minor") and not isinstance(field, models.BigIntegerField))
    ]
    assert wrong == []


def test_every_table_stands_on_its_side(acme: TenantView) -> None:
    with tenant_transaction(acme.scope), connection.cursor() as cursor:
        for model in own_models():
            cursor.execute(
                "select relnamespace::regnamespace::text from pg_class where oid = to_regclass(%s)",
                [f'"{model._meta.db_table}"'],
            )
            row = cursor.fetchone()
            assert row is not None, model._meta.label
            assert row[0].strip('"') == (acme.schema_name if side(model) == "tenant" else "public"), model._meta.label


def test_no_migration_is_missing() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    wanted = ProjectState.from_apps(registry)
    changes = MigrationAutodetector(loader.project_state(), wanted).changes(graph=loader.graph)
    assert {label: found for label, found in changes.items() if label in APPS} == {}


def test_operators_get_no_admin_that_goes_past_the_services() -> None:
    import_module("config.urls_public")
    ours = {model._meta.app_label for model in admin.site._registry}
    assert ours <= APPS


@pytest.mark.django_db
def test_the_deployment_check_finds_no_error() -> None:
    call_command("check", fail_level="ERROR")
