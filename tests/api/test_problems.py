"""Every code that the code can answer with is in the catalogue, and what the database refuses has one, too."""

import ast
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

import apps
import config
from apps.core.errors import DomainError
from apps.core.rest import problems
from apps.core.rest.field_codes import MEANINGS
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from config.problem_catalogue import as_markdown, problem_kinds
from tests.api.problem import problem

ROOT = Path(__file__).parents[2]
LEFT_OUT = (".migrations", "config.settings", "config.wsgi", "config.asgi", "config.celery")


def test_every_error_of_the_code_is_in_it() -> None:
    for root in (apps, config):
        for module in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
            if not any(part in module.name for part in LEFT_OUT):
                import_module(module.name)
    assert {error.code for error in _refined(DomainError)} == {kind.code for kind in problem_kinds()}
    assert all(400 <= kind.status <= 599 and kind.title and kind.meaning for kind in problem_kinds())


def test_every_code_of_a_field_is_in_it() -> None:
    files = [file for name in ("apps", "config") for file in (ROOT / name).rglob("*.py")]
    used = {code: file for file in files for code in _field_codes(ast.parse(file.read_text()))}
    assert {code: used[code] for code in used.keys() - MEANINGS.keys()} == {}


def test_the_documentation_is_the_catalogue() -> None:
    assert (ROOT / "docs" / "problems.md").read_text() == as_markdown(), "run: manage.py write_problem_codes"


def test_the_page_has_a_place_for_every_code(acme: TenantView) -> None:
    for host in ("localhost", acme.host):
        page = Client(SERVER_NAME=host).get("/api/docs/problems").content.decode()
        assert all(f'id="{kind.code}"' in page for kind in problem_kinds())


def test_the_page_is_for_its_reader_alone_and_to_be_read(db: None) -> None:
    client = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    assert client.get("/api/docs/problems")["Cache-Control"] == "private, max-age=3600"
    assert client.head("/api/docs/problems").status_code == 200
    refused = client.post("/api/docs/problems")
    assert (problem(refused, 405)["code"], refused["Allow"]) == ("method_not_allowed", "GET, HEAD")


@pytest.mark.parametrize("path", ["/api/v1/clients/%00", "/api/a b", "/api/%25/ü", "/api/%ff"])
def test_what_was_called_is_told_as_a_reference(db: None, path: str) -> None:
    told = problem(Client(SERVER_NAME="localhost").get(path), 404)["instance"]
    assert re.fullmatch(r"(/([A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-F]{2})*)+", told), told


@pytest.mark.parametrize(
    ("statement", "status", "code"),
    [
        ("INSERT INTO pebble (id, word) VALUES (1, 'x')", 409, "already_taken"),
        ("INSERT INTO pebble (id, word, amount) VALUES (2, 'x', -1)", 400, "rule_broken"),
        ("INSERT INTO pebble (id) VALUES (2)", 400, "value_missing"),
        ("INSERT INTO pebble (id, word, parent) VALUES (2, 'x', 7)", 400, "unknown_reference"),
        ("DELETE FROM parent", 409, "still_referenced"),
        ("INSERT INTO pebble (id, word, span) VALUES (2, 'x', '[2,5)')", 409, "overlapping"),
        ("INSERT INTO pebble (id, word) VALUES (2, 'too long')", 400, "value_out_of_range"),
        ("INSERT INTO pebble (id, word) VALUES (99999999999, 'x')", 400, "value_out_of_range"),
    ],
)
def test_what_the_database_refuses_has_a_code(db: None, statement: str, status: int, code: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE parent (id int PRIMARY KEY);"
            "CREATE TABLE pebble (id int PRIMARY KEY, word varchar(3) NOT NULL, amount int CHECK (amount >= 0),"
            " parent int REFERENCES parent, span int4range, EXCLUDE USING gist (span WITH &&));"
            "INSERT INTO parent VALUES (1); INSERT INTO pebble VALUES (1, 'x', 1, 1, '[1,3)')"
        )
        with pytest.raises(DatabaseError) as failed, transaction.atomic():
            cursor.execute(statement)
    refusal = problems.refusal_of(failed.value)
    assert refusal is not None
    assert (refusal.status, refusal.code) == (status, code)
    assert "pebble" not in refusal.detail


def test_a_unique_constraint_of_a_model_names_its_fields(acme: TenantView) -> None:
    with pytest.raises(DatabaseError) as failed, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO iam_membership SELECT * FROM iam_membership LIMIT 1")
    refusal = problems.refusal_of(failed.value)
    assert refusal is not None
    assert refusal.code == "already_taken"


def test_a_field_that_is_unique_by_itself_is_named(acme: TenantView, globex: TenantView) -> None:
    with pytest.raises(DatabaseError) as failed, transaction.atomic():
        Tenant.objects.filter(key=globex.key).update(name=acme.name)
    refusal = problems.refusal_of(failed.value)
    assert refusal is not None
    assert [(one["field"], one["code"]) for one in refusal.extra["errors"]] == [("name", "taken")]


def test_the_log_names_the_rule_and_not_the_row(acme: TenantView, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING")
    with pytest.raises(DatabaseError) as failed, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE vault (word text CONSTRAINT short CHECK (length(word) < 9));"
            "INSERT INTO vault VALUES ('nobody may read this')"
        )
    problems.refusal_of(failed.value)
    assert "short" in caplog.text
    assert "nobody may read this" not in caplog.text


def test_our_own_mistakes_are_not_the_callers(db: None) -> None:
    with pytest.raises(DatabaseError) as failed, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")
    assert problems.refusal_of(failed.value) is None


def _refined(base: type[DomainError]) -> Iterator[type[DomainError]]:
    for error in base.__subclasses__():
        # What tests define is not the product's.
        if error.__module__.startswith(("apps.", "config.")):
            yield error
            yield from _refined(error)


def _field_codes(tree: ast.Module) -> Iterator[str]:
    """Literal codes, given to the error itself or to a function of the same file that hands its `code` on."""
    handing_on: dict[str, int] = {}
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        names = [argument.arg for argument in function.args.args]
        for call in _calls(function):
            if _makes_an_error(call) and len(call.args) > 1 and ast.unparse(call.args[1]) in names:
                handing_on[function.name] = names.index(ast.unparse(call.args[1]))
    for call in _calls(tree):
        place = 1 if _makes_an_error(call) else handing_on.get(ast.unparse(call.func))
        if place is not None:
            given = call.args[place : place + 1] + [word.value for word in call.keywords if word.arg == "code"]
            yield from (node.value for node in given if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _makes_an_error(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    return name.endswith(("ValidationFailed.one", "FieldError", "serializers.ValidationError"))
