"""The OpenAPI document says what the API does: valid, complete, and what is answered is what it promises."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from apps.tenancy.selectors import TenantView
from config import openapi_document
from tests.api.problem import problem
from tests.api.routes import BY_NAME, CALLS, ROUTES
from tests.api.test_pages import belongings_of
from tests.fixtures.clients import ApiFor


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path, methods in document["paths"].items():
        for method in methods:
            yield method.upper(), re.sub(r"\{[^}]*\}", "{}", path)


def test_it_validates_without_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "schema.yml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(file))
    assert yaml.safe_load(file.read_text())["openapi"].startswith("3.1")


def test_it_holds_every_route_and_no_other(document: dict[str, Any]) -> None:
    ours = {(method, re.sub(r"\{[^}]*\}", "{}", route.template)) for method, route in CALLS}
    assert set(operations(document)) == ours


def test_it_is_served_with_its_browser(db: None) -> None:
    client = Client(SERVER_NAME="localhost")
    assert client.get("/api/schema/").status_code == 200
    assert b"swagger" in client.get("/api/docs/").content


def test_it_is_made_once_and_named_by_a_tag(db: None) -> None:
    client, kinds = Client(SERVER_NAME="localhost"), ("application/json", "application/yaml")
    tags = {}
    for kind in kinds:
        first = client.get("/api/schema/", headers={"Accept": kind, "Accept-Language": "ar"})
        again = client.get("/api/schema/", headers={"Accept": kind})
        assert (first["Cache-Control"], first["Content-Language"]) == ("public, no-cache", "en")
        assert (again.content, again["ETag"], again.cookies) == (first.content, first["ETag"], {})
        tags[kind] = first["ETag"]
        known = client.get("/api/schema/", headers={"Accept": kind, "If-None-Match": f'"x", W/{tags[kind]}'})
        assert (known.status_code, known.content, known["ETag"]) == (304, b"", tags[kind])
        assert {"Content-Type", "Content-Length"}.isdisjoint(known.headers)
        assert "Accept" in known["Vary"]
    assert len(set(tags.values())) == len(kinds)


def test_who_asks_first_says_nothing_in_it(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openapi_document, "_made", {})
    client = Client(SERVER_NAME="localhost", headers={"Accept": "application/json"})
    first = client.get("/api/schema/?version=call-0900-1234&lang=ar")
    assert b"0900" not in first.content
    assert client.get("/api/schema/").content == first.content


@pytest.mark.parametrize(("path", "accept"), [("/api/schema/", "application/yaml"), ("/api/docs/", "text/html")])
def test_what_it_refuses_is_a_problem_document_too(db: None, path: str, accept: str) -> None:
    client = Client(SERVER_NAME="localhost")
    assert problem(client.post(path, headers={"Accept": accept}), 405)["code"] == "method_not_allowed"
    assert problem(client.get(path, headers={"Accept": "image/png"}), 406)["code"] == "not_acceptable"


def test_every_example_of_a_body_is_valid(document: dict[str, Any]) -> None:
    for operation in (operation for methods in document["paths"].values() for operation in methods.values()):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        for name, example in content.get("examples", {}).items():
            problems = list(_validator(document, content["schema"]).iter_errors(example["value"]))
            assert problems == [], f"{operation['operationId']} {name}: {problems}"


def test_what_is_answered_is_what_it_promises(document: dict[str, Any], acme: TenantView, api: ApiFor) -> None:
    ids = belongings_of(acme)
    client: APIClient = api(acme)
    ledger = client.get("/api/v1/ledger/entries").json()["data"][0]["id"]
    for route in (route for route in ROUTES if "GET" in route.methods):
        if route.name in ("invoice-pdf", "export-download", "signup-status", "invitation-by-token"):
            continue
        name = route.parameters[0] if route.parameters else ""
        value = ledger if route.name == "ledger-entry" else ids.get(name)
        answer = client.get(route.path(value))
        assert answer.status_code == 200, route.name
        schema = document["paths"][_path(document, route.template)]["get"]["responses"]["200"]
        promised = schema["content"]["application/json"]["schema"]
        problems = [error.message for error in _validator(document, promised).iter_errors(answer.json())]
        assert problems == [], f"{route.name}: {problems}"


def test_sign_up_status_is_what_it_promises(document: dict[str, Any], acme: TenantView, anonymous_api: Any) -> None:
    answer = anonymous_api.get(BY_NAME["signup-status"].path(acme.key)).json()
    path = document["paths"][_path(document, BY_NAME["signup-status"].template)]["get"]
    schema = path["responses"]["200"]["content"]["application/json"]["schema"]
    assert list(_validator(document, schema).iter_errors(answer)) == []


def _path(document: dict[str, Any], template: str) -> str:
    plain = re.sub(r"\{[^}]*\}", "{}", template)
    return next(path for path in document["paths"] if re.sub(r"\{[^}]*\}", "{}", path) == plain)


def _validator(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": document["components"]})
