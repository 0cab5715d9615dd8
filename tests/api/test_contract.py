"""What the OpenAPI document allows or forbids, as each role: no error of ours, no answer that it does not tell of.

Schemathesis makes the calls and judges the answers. A few calls an operation run with the suite, always the same ones;
`make contract` runs many, others every time.
"""

import os
import re
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
import requests
import schemathesis
from django.db import transaction
from django.http import HttpResponse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from rest_framework.test import APIClient
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from apps.tenancy.selectors import TenantView
from tests.api import matrix
from tests.api.problem import problem
from tests.api.test_pages import belongings_of
from tests.fixtures.clients import ApiFor

EXAMPLES = int(os.environ.get("INSULA_CONTRACT_EXAMPLES", "1"))
JUDGES = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
# What depends on somebody outside, who is not there in tests.
OUTSIDE = {502, 503}
MODES = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
Caller = tuple[str, APIClient]


@pytest.fixture
def callers(acme: TenantView, api: ApiFor, anonymous_api: APIClient) -> list[Caller]:
    """One of each role, and somebody without credentials."""
    known = [(role, api(acme, role)) for role in matrix.ROLES.values()]
    return [*known, ("nobody", anonymous_api)]


@pytest.mark.timeout(3600)
def test_every_answer_is_one_that_the_document_tells_of(
    document: dict[str, Any], acme: TenantView, callers: list[Caller]
) -> None:
    schema = schemathesis.openapi.from_dict(deepcopy(document))
    belongings = belongings_of(acme)
    wrong: dict[str, str] = {}
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        ids = {name: str(belongings[name]) for name in re.findall(r"{(\w+)}", operation.path) if name in belongings}
        for case, mode in cases_of(operation, ids):
            # What is forbidden to the owner is refused to the others before anybody reads it.
            asking = callers if mode is schemathesis.GenerationMode.POSITIVE else [callers[0], callers[-1]]
            for role, client in asking:
                told = f"{operation.label} as {role}"
                if told not in wrong and (reason := misbehaviour(case, client)):
                    wrong[told] = reason
    assert wrong == {}, "\n\n".join(f"{told}: {reason}" for told, reason in wrong.items())


def cases_of(operation: Any, ids: dict[str, str]) -> list[tuple[Any, Any]]:
    """Calls as the document allows them, on things that are there, and calls as it forbids them."""
    made: list[tuple[Any, Any]] = []
    for mode in MODES:
        known = ids if mode is schemathesis.GenerationMode.POSITIVE else {}
        # An operation that takes nothing cannot be called wrongly.
        with suppress(Unsatisfiable):
            _draw(operation.as_strategy(mode, path_parameters=known or None), mode, made)
    return made


def _draw(strategy: st.SearchStrategy[Any], mode: Any, made: list[tuple[Any, Any]]) -> None:
    is_deep = EXAMPLES > 1

    @given(strategy)
    @settings(
        max_examples=EXAMPLES,
        derandomize=not is_deep,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    def draw(case: Any) -> None:
        made.append((case, mode))

    draw()


def misbehaviour(case: Any, client: APIClient) -> str:
    """What is wrong with the answer to `case`, or nothing. Nothing that the call does stays."""
    request = requests.Request(**case.as_transport_kwargs(base_url="http://localhost")).prepare()
    before = transaction.savepoint()
    answer = _send(request, client)
    content: bytes = b"".join(answer) if answer.streaming else answer.content
    transaction.set_rollback(False)
    transaction.savepoint_rollback(before)
    told = f"{request.method} {request.url} {request.body!r:.300} → {answer.status_code} {content[:300]!r}"
    if answer.status_code >= 500 and answer.status_code not in OUTSIDE:
        return f"an error of ours: {told}"
    if answer.status_code >= 400:
        try:
            problem(answer, answer.status_code)
        except AssertionError as error:
            return str(error)
    response = schemathesis.Response(
        status_code=answer.status_code,
        headers={name: [value] for name, value in answer.items()},
        content=content,
        request=request,
        elapsed=0.1,
        verify=False,
    )
    try:
        case.validate_response(response, checks=JUDGES)
    except schemathesis.errors.SchemathesisError as error:
        return f"{error}\n{told}"
    except BaseExceptionGroup as group:
        return "\n".join([*(str(error)[:400] for error in group.exceptions), told])
    return ""


def _send(request: requests.PreparedRequest, client: APIClient) -> HttpResponse:
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
    media_type = headers.pop("HTTP_CONTENT_TYPE", "")
    headers.pop("HTTP_CONTENT_LENGTH", None)
    headers.pop("HTTP_AUTHORIZATION", None)
    body = request.body or b""
    path, _, query = str(request.path_url).partition("?")
    answer: HttpResponse = client.generic(
        str(request.method),
        path,
        body.encode() if isinstance(body, str) else body,
        content_type=str(media_type) or "application/json",
        QUERY_STRING=query,
        **headers,
    )
    return answer
