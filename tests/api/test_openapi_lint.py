"""The OpenAPI document is fit to be read and to make clients of: named, described, with examples, nothing loose."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

Operation = tuple[str, str, dict[str, Any]]
UNSAFE = ("post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> list[Operation]:
    """Path, method and operation, of all."""
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_is_named_and_described(document: dict[str, Any], operations: list[Operation]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(ids) == len(set(ids))
    for path, method, operation in operations:
        told = f"{method} {path}"
        assert re.fullmatch(r"[a-z0-9_]+", operation["operationId"]), told
        assert operation["tags"], told
        is_list = method == "get" and "has_more" in _shape(document, operation).get("properties", {})
        assert operation["operationId"].endswith("_list") or not is_list, told
        assert operation.get("description"), told
        assert re.fullmatch(r"\S.{2,58}[^.\s]", operation.get("summary", "")), f"{told}: {operation.get('summary')}"
    names = [operation["summary"] for _, _, operation in operations]
    assert len(names) == len(set(names)), sorted(name for name in set(names) if names.count(name) > 1)


def test_path_parameters_are_declared(operations: list[Operation]) -> None:
    for path, method, operation in operations:
        named = {item["name"] for item in operation.get("parameters", []) if item.get("in") == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", path)), f"{method} {path}"
        query = [item for item in operation.get("parameters", []) if item.get("in") == "query"]
        assert all(item["schema"].get("type") or item["schema"].get("$ref") for item in query), f"{method} {path}"


def test_every_body_and_answer_has_an_example_that_is_valid(
    document: dict[str, Any], operations: list[Operation]
) -> None:
    for path, method, operation in operations:
        parts = {"body": operation.get("requestBody", {}), **operation["responses"]}
        for kind, part in parts.items():
            for content in (content for media, content in part.get("content", {}).items() if media.endswith("json")):
                assert content["examples"], f"{method} {path} {kind}"
                for name, example in content["examples"].items():
                    value = (resolved(document, example) if "$ref" in example else example)["value"]
                    problems = [error.message for error in validator(document, content).iter_errors(value)]
                    assert problems == [], f"{method} {path} {kind} {name}: {problems}"


def test_every_refusal_is_a_problem_document(operations: list[Operation]) -> None:
    problem = {"$ref": "#/components/schemas/Problem"}
    for path, method, operation in operations:
        told = f"{method} {path}"
        refusals = {status for status in operation["responses"] if int(status) >= 400}
        for status in refusals:
            content = operation["responses"][status]["content"]
            assert content.keys() == {"application/problem+json"}, f"{told} {status}"
            assert content["application/problem+json"]["schema"] == problem, f"{told} {status}"
        assert refusals >= {"429", "503"}, told
        if any(operation.get("security", [])):
            assert refusals >= ({"401", "403"} if method not in UNSAFE else {"400", "401", "403", "409", "422"}), told
        if "{" in path:
            assert "404" in refusals, told
        assert any(int(status) < 300 for status in operation["responses"]), told


def test_whoever_must_be_known_has_a_scheme_that_is_declared(
    document: dict[str, Any], operations: list[Operation]
) -> None:
    schemes = document["components"]["securitySchemes"]
    assert all(scheme["description"] for scheme in schemes.values())
    for path, method, operation in operations:
        for requirement in operation.get("security", []):
            assert requirement.keys() <= schemes.keys(), f"{method} {path}"


def test_every_answer_tells_of_its_headers(document: dict[str, Any], operations: list[Operation]) -> None:
    for path, method, operation in operations:
        takes_key = any(item["name"] == "Idempotency-Key" for item in operation.get("parameters", []))
        for status, answer in operation["responses"].items():
            told = answer["headers"].keys()
            assert told >= {"X-Correlation-ID", "RateLimit", "RateLimit-Policy"}, f"{method} {path} {status}"
            assert ("Retry-After" in told) >= (status in ("429", "503")), f"{method} {path} {status}"
            assert ("Idempotent-Replayed" in told) == (takes_key and status < "500" and status not in ("401", "403"))
            for header in answer["headers"].values():
                shape = header["schema"]
                assert (resolved(document, shape) if "$ref" in shape else shape)["type"], f"{method} {path} {status}"


def test_every_unsafe_call_that_takes_a_key_says_so(operations: list[Operation]) -> None:
    takes = {
        f"{method} {path}"
        for path, method, operation in operations
        for item in operation.get("parameters", [])
        if (item["name"], item["in"]) == ("Idempotency-Key", "header")
    }
    secured = {f"{method} {path}" for path, method, operation in operations if any(operation.get("security", []))}
    unsafe = {f"{method} {path}" for path, method, _ in operations if method in UNSAFE}
    # Of those without credentials, signing up alone belongs to somebody: whom the body names.
    assert takes == (secured & unsafe) | {"post /api/v1/auth/signup"}


def _shape(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    schema = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return resolved(document, schema) if "$ref" in schema else schema


def test_nothing_is_loose(document: dict[str, Any]) -> None:
    components = document["components"]
    kinds = ("schemas", "parameters", "examples")
    declared = {f"#/components/{kind}/{name}" for kind in kinds for name in components.get(kind, {})}
    assert set(references(document)) == declared


def validator(document: dict[str, Any], content: dict[str, Any]) -> Draft202012Validator:
    """Of the content's schema, formats included."""
    whole = {**content["schema"], "components": document["components"]}
    return Draft202012Validator(whole, format_checker=FormatChecker(["uuid", "date", "email"]))


def resolved(document: dict[str, Any], reference: dict[str, str]) -> dict[str, Any]:
    """What a ``$ref`` within the document means."""
    found: Any = document
    for step in reference["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def references(part: Any) -> Iterator[str]:
    """Every ``$ref`` in it."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)
