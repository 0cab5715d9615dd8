"""What lets a tenant's schema move to another server, and lets transactions be pooled: kept from the first day."""

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps as registry
from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models

from apps.tenancy import schema_script
from tests.architecture.test_structure import side

REPOSITORY = Path(__file__).resolve().parents[2]
# What a session keeps beyond its transaction, and what two servers would count apart.
OF_A_SESSION = re.compile(
    r"\bpg_(?:try_)?advisory_(?:un)?lock(?:_shared)?\s*\(|\bcreate\s+temp(?:orary)?\b|^\s*listen\s+\w+|\bsetval\s*\("
    r"|^\s*prepare\s+\w+\s+as\b|\bdeclare\s+\w+\s+cursor\s+with\s+hold\b",
    re.IGNORECASE | re.MULTILINE,
)
# Citus keeps a table that a function or a DO block makes on the coordinator, without an error.
MADE_INSIDE = re.compile(r"\bdo\s+\$|\bexecute\s+(?:format\s*\()?\s*'\s*create\s+table", re.IGNORECASE)


def statements() -> list[tuple[str, str]]:
    """Every text in the apps that is not documentation, with its place."""
    found = []
    for path in sorted((REPOSITORY / "apps").rglob("*.py")):
        tree = ast.parse(path.read_text())
        documentation = {
            node.body[0].value
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documentation:
                found.append((f"{path.relative_to(REPOSITORY)}:{node.lineno}", node.value))
    return found


def test_nothing_belongs_to_a_session() -> None:
    assert [place for place, text in statements() if OF_A_SESSION.search(text)] == []


def test_no_table_is_made_inside_a_function() -> None:
    assert [place for place, text in statements() if MADE_INSIDE.search(text)] == []


def test_no_tenants_table_points_at_content_types() -> None:
    wrong = [
        f"{model._meta.label}.{field.name}"
        for model in registry.get_models()
        if model._meta.app_config.name in settings.TENANT_APPS and side(model) == "tenant"
        for field in model._meta.get_fields()
        if isinstance(field, GenericForeignKey)
        or (isinstance(field, models.ForeignKey) and field.related_model is ContentType)
    ]
    assert wrong == []


@pytest.mark.django_db
def test_every_table_of_a_tenant_has_a_primary_key_and_its_rows_no_shared_counter() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select c.relname from pg_class c where c.relnamespace = %s::regnamespace and c.relkind = 'r'"
            " and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)",
            [schema_script.TEMPLATE_SCHEMA],
        )
        assert cursor.fetchall() == []
        # Identity columns number rows on one server alone; the history of migrations is never merged.
        cursor.execute(
            "select c.relname, a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid"
            " where c.relnamespace = %s::regnamespace and a.attidentity <> '' and c.relname <> 'django_migrations'",
            [schema_script.TEMPLATE_SCHEMA],
        )
        assert cursor.fetchall() == []


@pytest.mark.django_db
def test_the_script_names_no_schema() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select script from tenancy_schema_template order by created_at desc limit 1")
        (script,) = cursor.fetchone()
    # All but the functions that triggers call, which stand once.
    tables = re.sub(r"EXECUTE FUNCTION public\.\w+\(\)", "", script)
    assert not re.search(rf"\b(?:public|{schema_script.TEMPLATE_SCHEMA})\.", tables)
