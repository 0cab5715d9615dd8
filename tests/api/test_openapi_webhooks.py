"""The document's `webhooks` name every event there is, with bodies, headers and answers that hold."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from apps.webhooks.catalogue import CATALOGUE, EVENT_TYPES
from tests.api.test_openapi_lint import resolved

Told = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
def told(document: dict[str, Any]) -> list[Told]:
    """Each event's name and the operation that tells of it."""
    return [(name, item["post"]) for name, item in document["webhooks"].items()]


def test_it_tells_of_every_event_and_no_other(document: dict[str, Any]) -> None:
    assert document["webhooks"].keys() == CATALOGUE.keys()
    assert all(item.keys() == {"post"} for item in document["webhooks"].values())


def test_each_is_named_and_described(document: dict[str, Any], told: list[Told]) -> None:
    ids = [operation["operationId"] for _, operation in told]
    others = {one["operationId"] for item in document["paths"].values() for one in item.values()}
    assert len({*ids, *others}) == len(ids) + len(others)
    for name, operation in told:
        assert re.fullmatch(r"[a-z0-9_]+", operation["operationId"]), name
        assert operation["summary"] == name and operation["tags"], name
        assert operation["description"].startswith(CATALOGUE[name].told), name


def test_each_has_the_headers_and_the_scheme_of_a_signed_call(document: dict[str, Any], told: list[Told]) -> None:
    for name, operation in told:
        headers = [resolved(document, parameter) for parameter in operation["parameters"]]
        assert [one["name"] for one in headers] == ["webhook-id", "webhook-timestamp", "webhook-signature"], name
        for one in headers:
            assert one["in"] == "header" and one["required"] and one["description"], name
            Draft202012Validator(one["schema"]).validate(one["example"])
        (scheme,) = operation["security"][0]
        assert document["components"]["securitySchemes"][scheme]["name"] == "webhook-signature"


def test_each_says_which_answers_are_expected(told: list[Told]) -> None:
    for name, operation in told:
        assert operation["responses"].keys() == {"2XX", "410", "default"}, name
        assert all(answer["description"] for answer in operation["responses"].values()), name


def test_each_example_is_valid_and_of_its_own_type_alone(document: dict[str, Any], told: list[Told]) -> None:
    examples = {name: example for name, operation in told for example in _examples(operation)}
    assert examples.keys() == CATALOGUE.keys()
    for name, operation in told:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        whole = {**schema, "components": document["components"]}
        validator = Draft202012Validator(whole, format_checker=FormatChecker(["uuid", "date", "email"]))
        assert [error.message for error in validator.iter_errors(examples[name])] == [], name
        other = next(each.name for each in EVENT_TYPES if each.name != name)
        assert not validator.is_valid({**examples[name], "type": other}), name
        for member in examples[name]:
            rest = {key: value for key, value in examples[name].items() if key != member}
            assert not validator.is_valid(rest), f"{name} without {member}"


def _examples(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for example in operation["requestBody"]["content"]["application/json"]["examples"].values():
        yield example["value"]
