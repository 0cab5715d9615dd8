"""Sending anything, and what every refusal of the API must look like (RFC 9457, PRODUCT: errors)."""

import json
from functools import cache
from typing import Any

from django.http import HttpResponse
from rest_framework.test import APIClient

from apps.core.rest.field_codes import MEANINGS
from config.problem_catalogue import problem_kinds

JSON = "application/json"

MEMBERS = {"type", "title", "status", "detail", "instance", "code", "correlation_id"}


@cache
def _codes() -> set[str]:
    return {kind.code for kind in problem_kinds()}


def problem(answer: Any, *statuses: int) -> dict[str, Any]:
    """The problem document of `answer`, which must have one of `statuses`."""
    told = f"{answer.request['REQUEST_METHOD']} {answer.request['PATH_INFO']}: {answer.status_code}"
    assert answer.status_code in statuses, f"{told} {answer.content[:300]!r}"
    assert answer["Content-Type"].startswith("application/problem+json"), f"{told} {answer['Content-Type']}"
    body: dict[str, Any] = answer.json()
    assert body.keys() >= MEMBERS, f"{told} {body}"
    assert body["status"] == answer.status_code
    assert body["type"] == f"/api/docs/problems#{body['code']}" and body["code"] in _codes(), f"{told} {body}"
    assert {error["code"] for error in body.get("errors", [])} <= MEANINGS.keys(), f"{told} {body}"
    assert body["correlation_id"] and body["correlation_id"] == answer["X-Correlation-ID"], told
    return body


def send(client: APIClient, method: str, path: str, body: Any) -> Any:
    """`body` as JSON, or as it is when it is text or bytes."""
    raw = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.generic(method, path, raw, content_type=JSON)


def fine_or_problem(answer: HttpResponse) -> None:
    """Neither an error of ours nor a refusal without a problem document."""
    if answer.status_code >= 400:
        problem(answer, 400, 401, 402, 403, 404, 409, 413, 415, 422)
