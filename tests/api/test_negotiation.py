"""The form of an answer is what ``Accept`` weighs most."""

import pytest
from django.test import Client

from apps.tenancy.selectors import TenantView
from tests.api.problem import problem
from tests.fixtures.clients import ApiFor

JSON, YAML = "application/json", "application/yaml; charset=utf-8"


@pytest.mark.parametrize(
    "accept",
    ["*/*;q=0", "application/json;q=0", "application/json;q=0, */*", "application/*;q=0.0, */*", "text/html", ""],
)
def test_what_weighs_nothing_is_not_acceptable(acme: TenantView, api: ApiFor, accept: str) -> None:
    assert problem(api(acme).get("/api/v1/me", headers={"Accept": accept}), 406)["code"] == "not_acceptable"


@pytest.mark.parametrize(
    "accept", ["*/*;q=0.1", "text/html, */*;q=0.5", "application/json;q=much", "application/json;q=7", "application/*"]
)
def test_whatever_weighs_something_is(acme: TenantView, api: ApiFor, accept: str) -> None:
    assert api(acme).get("/api/v1/me", headers={"Accept": accept})["Content-Type"] == JSON


def test_indented_json_is_a_form_of_its_own(acme: TenantView, api: ApiFor) -> None:
    answer = api(acme).get("/api/v1/me", headers={"Accept": "application/json; indent=4; q=0.9"})
    assert answer.content.startswith(b'{\n    "id"')


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("application/json, application/yaml;q=0.1", JSON),
        ("application/json;q=0.2, application/yaml;q=0.3", YAML),
        ("application/json, */*", JSON),
        ("*/*;q=0.9, application/yaml;q=0.8", "application/vnd.oai.openapi; charset=utf-8"),
    ],
)
def test_of_several_forms_the_heaviest_is_taken(db: None, accept: str, form: str) -> None:
    answer = Client(SERVER_NAME="localhost").head("/api/schema/", headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, form)
