"""Whatever body, value or query is sent to whatever route: a clear refusal, never an error of ours."""

import copy
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from apps.tenancy.selectors import TenantView
from tests.api.problem import JSON, fine_or_problem, problem, send
from tests.api.routes import BODIES, BY_NAME
from tests.factories import invoices as invoice_factory
from tests.fixtures.tenants import actor_of, in_tenant

WITH_BODY = sorted(BODIES)


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"",
        b"[]",
        b"null",
        b'"text"',
        b"7",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b"\xff\xfe{}",
        b"\x00",
        b'{"a": "\\u0000"}',
        b'{"a": "\\ud800"}',
        b'{"' + b"a" * 100_000 + b'": 1}',
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"a": ' + b"9" * 100_000 + b"}",
    ],
    ids=lambda raw: repr(raw[:12]),
)
def test_a_body_that_is_no_object_of_ours(client: APIClient, raw: bytes) -> None:
    for method, name in WITH_BODY:
        answer = client.generic(method, BY_NAME[name].path(), raw, content_type=JSON)
        if answer.status_code >= 300:
            problem(answer, 400, 404)


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x", ""],
)
def test_a_body_in_another_form(client: APIClient, media_type: str) -> None:
    for method, name in WITH_BODY:
        answer = client.generic(method, BY_NAME[name].path(), b"name=x", content_type=media_type)
        problem(answer, 400, 415)


def test_a_body_that_is_too_large(client: APIClient) -> None:
    raw = b'{"name": "' + b"x" * (10 * 1024 * 1024) + b'"}'
    for method, name in WITH_BODY:
        answer = client.generic(method, BY_NAME[name].path(), raw, content_type=JSON)
        assert problem(answer, 413)["code"] == "body_too_large"


NASTY: list[Any] = [
    None,
    True,
    0,
    -1,
    2**63,
    -(2**63),
    10**30,
    1.5,
    -0.0,
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "\u202e\u0000",
    "x" * 10_000,
    "9" * 5_000,
    "1e999999",
    "1e-999999",
    "NaN",
    "-1",
    "٣",
    "XXX",
    "0000-00-00",
    "9999-12-31T23:59:59+23:59",
    "0001-01-01T00:00:00-23:59",
    "' or 1=1 --",
    [],
    [None],
    [[[]]],
    {},
    {"a": 1},
    {"\x00": "\x00"},
]


def _variants(body: Any, refused: list[set[str]]) -> Iterator[Any]:
    """Copies of `body` with one value anywhere in it replaced by a nasty one, or left out.

    `refused` names, for each nasty value, the fields that refused it when all had it: alone they would do the same.
    """
    for path in _paths(body):
        for value, fields in zip(NASTY, refused, strict=True):
            if ".".join(map(str, path)) not in fields:
                yield _with(body, path, value)
        yield _without(body, path)


def _everywhere(body: Any, value: Any) -> Any:
    """`body` with every value in it replaced."""
    if isinstance(body, dict):
        return {key: _everywhere(inner, value) for key, inner in body.items()}
    if isinstance(body, list):
        return [_everywhere(inner, value) for inner in body]
    return value


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _paths(inner, (*path, key))


def _with(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(body)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


def _without(body: Any, path: tuple[Any, ...]) -> Any:
    changed = copy.deepcopy(body)
    place = changed
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return changed


@pytest.mark.parametrize(("method", "name"), WITH_BODY, ids=lambda value: value)
def test_any_value_in_any_field(client: APIClient, acme: TenantView, method: str, name: str) -> None:
    with in_tenant(acme):
        draft = invoice_factory.make_draft(actor_of(acme))
    body = BODIES[method, name]
    if name == "invoice-list":
        body = {**body, "client_id": str(draft.client.id)}
    targets = {"invoice": draft.id, "client": draft.client.id}
    path = BY_NAME[name].path(targets.get(name))
    refused = []
    for value in NASTY:
        answer = send(client, method, path, _everywhere(body, value))
        fine_or_problem(answer)
        told = answer.json() if answer.status_code == 400 else {}
        refused.append({error["field"] for error in told.get("errors", [])})
    for variant in _variants(body, refused):
        fine_or_problem(send(client, method, path, variant))


QUERIES = {
    "client-list": ("limit", "cursor", "q", "include_deleted"),
    "invoice-list": ("limit", "cursor", "status", "client_id", "from", "to", "q", "currency"),
    "payment-list": ("limit", "cursor", "status", "purpose", "purpose_id", "q", "from", "to", "currency"),
    "ledger-accounts": ("currency", "as_of"),
    "ledger-entries": (
        *("limit", "cursor", "kind", "account", "currency"),
        *("source_type", "source_id", "from", "to"),
    ),
    "ledger-trial-balance": ("as_of",),
    "notification-list": ("limit", "cursor", "unread"),
    "audit-list": ("limit", "cursor", "action", "entity_type", "entity_id", "severity", "q", "from", "to"),
    "members": ("limit", "cursor", "q", "role", "status"),
}


@pytest.mark.parametrize("name", QUERIES)
def test_any_value_in_any_query_parameter(client: APIClient, name: str) -> None:
    texts = [value for value in NASTY if isinstance(value, str) and "\ud800" not in value]
    for parameter in QUERIES[name]:
        for value in [*texts, "0", "101", "%", "_", "\\", "AAAA", "A" * 22, "=" * 30, "٣" * 3, "2026-13-01", "²"]:
            fine_or_problem(client.get(BY_NAME[name].path(), {parameter: value}))
    for value in ("\x00", "x"):
        fine_or_problem(client.get(BY_NAME[name].path(), {value: value}))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"lines": []}, "lines"),
        ({"lines": [{}]}, "lines.0.description"),
        ({"currency": "XYZ"}, "currency"),
        ({"currency": "XAU"}, "currency"),
        ({"discount_minor": -1}, "discount_minor"),
        ({"discount_minor": 10**30}, "discount_minor"),
        ({"client_id": "x"}, "client_id"),
        ({"due_date": "yesterday"}, "due_date"),
    ],
)
def test_an_impossible_invoice_names_the_field(
    client: APIClient, acme: TenantView, change: dict[str, Any], field: str
) -> None:
    with in_tenant(acme):
        known = invoice_factory.make_client(actor_of(acme))
    refused = problem(client.post("/api/v1/invoices", invoice_factory.body(known.id) | change), 400)
    assert refused["code"] == "validation_failed"
    assert field in [error["field"] for error in refused["errors"]]


@pytest.mark.parametrize("price", [-1, 10**30, -(10**30)])
def test_an_impossible_price_names_the_line(client: APIClient, acme: TenantView, price: int) -> None:
    with in_tenant(acme):
        known = invoice_factory.make_client(actor_of(acme))
    body = invoice_factory.body(known.id)
    body["lines"][0]["unit_price_minor"] = price
    refused = problem(client.post("/api/v1/invoices", body), 400)
    assert refused["errors"][0]["field"] == "lines.0.unit_price_minor"


def test_every_action_in_the_wrong_state_names_the_right_ones(client: APIClient, acme: TenantView) -> None:
    owner = actor_of(acme)
    with in_tenant(acme):
        draft, issued = invoice_factory.make_draft(owner), invoice_factory.make_open(owner)
    wrong = [(draft, "send"), (draft, "void"), (draft, "uncollectible"), (draft, "pay"), (issued, "finalize")]
    for invoice, action in wrong:
        refused = problem(client.post(f"/api/v1/invoices/{invoice.id}/{action}"), 409)
        assert set(refused["allowed_actions"]) == set(client.get(f"/api/v1/invoices/{invoice.id}").json()[
            "allowed_actions"
        ]), action  # fmt: skip
    for answer in (
        send(client, "PATCH", f"/api/v1/invoices/{issued.id}", {"notes": "x"}),
        client.delete(f"/api/v1/invoices/{issued.id}"),
    ):
        assert "allowed_actions" in problem(answer, 409)


def test_nothing_that_was_refused_left_a_trace(client: APIClient) -> None:
    before = client.get("/api/v1/invoices").json()
    for raw in ({}, {"lines": []}, invoice_factory.body(uuid4())):
        problem(client.post("/api/v1/invoices", raw), 400, 404)
    assert client.get("/api/v1/invoices").json() == before
