"""Clients over REST."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from apps.tenancy.selectors import TenantView
from tests.factories.invoices import make_client, make_open
from tests.fixtures.tenants import actor_of, in_tenant

ApiFor = Callable[..., APIClient]
ROLES = ("OWNER", "ADMIN", "ACCOUNTANT", "MEMBER", "VIEWER")


def test_a_client_is_added_read_changed_and_removed(acme: TenantView, api: ApiFor) -> None:
    program = api(acme, "MEMBER")
    made = program.post("/api/v1/clients", {"name": "Nordlys", "email": "a@nordlys.test", "phone": None})
    assert made.status_code == 201
    path = made.headers["Location"]
    assert path == f"/api/v1/clients/{made.json()['id']}"
    assert made.json()["currency"] == "EUR"
    assert program.get(path).json() == made.json()
    changed = program.patch(path, {"notes": "good payer", "currency": "sek"}).json()
    assert (changed["name"], changed["notes"], changed["currency"]) == ("Nordlys", "good payer", "SEK")
    assert program.delete(path).status_code == 204
    assert program.delete(path).status_code == 404
    assert program.patch(path, {"notes": ""}).status_code == 404
    assert program.get("/api/v1/clients").json()["data"] == []
    kept = program.get("/api/v1/clients?include_deleted=true").json()["data"]
    assert [row["id"] for row in kept] == [made.json()["id"]]
    assert kept[0]["deleted_at"] is not None


def test_pages_follow_each_other_newest_first(acme: TenantView, api: ApiFor) -> None:
    with in_tenant(acme):
        for number in range(5):
            make_client(actor_of(acme), name=f"Client {number}")
    program = api(acme)
    first = program.get("/api/v1/clients?limit=3").json()
    with in_tenant(acme):
        make_client(actor_of(acme), name="Meanwhile")
    second = program.get(f"/api/v1/clients?limit=3&cursor={first['next_cursor']}").json()
    assert [row["name"] for row in first["data"]] == ["Client 4", "Client 3", "Client 2"]
    assert [row["name"] for row in second["data"]] == ["Client 1", "Client 0"]
    assert (first["has_more"], second["has_more"], second["next_cursor"]) == (True, False, None)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=%00", "cursor=abc"])
def test_a_malformed_page_is_refused(acme: TenantView, api: ApiFor, query: str) -> None:
    assert api(acme).get(f"/api/v1/clients?{query}").status_code == 400


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "x\x00"}, "name"),
        ({"name": ["x"]}, "name"),
        ({"name": "x", "email": "nobody"}, "email"),
        ({"name": "x", "currency": "EURO"}, "currency"),
        ({"name": "x", "currency": "XXX"}, "currency"),
        ({"name": "x", "locale": "nope!"}, "locale"),
        ({"name": "x", "notes": "n" * 2001}, "notes"),
    ],
)
def test_a_bad_body_names_its_field(acme: TenantView, api: ApiFor, body: dict[str, Any], field: str) -> None:
    answer = api(acme).post("/api/v1/clients", body)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("raw", [b"{", b"[]", b"null", b'"x"', b"\xff"])
def test_a_body_that_is_no_object_is_refused(acme: TenantView, api: ApiFor, raw: bytes) -> None:
    answer = api(acme).generic("POST", "/api/v1/clients", raw, content_type="application/json")
    assert answer.status_code == 400


@pytest.mark.parametrize("role", ROLES)
def test_roles(acme: TenantView, api: ApiFor, role: str) -> None:
    with in_tenant(acme):
        client = make_client(actor_of(acme))
    program, path = api(acme, role), f"/api/v1/clients/{client.id}"
    write = 403 if role == "VIEWER" else None
    assert program.get("/api/v1/clients").status_code == 200
    assert program.get(path).status_code == 200
    assert program.post("/api/v1/clients", {"name": "New"}).status_code == (write or 201)
    assert program.patch(path, {"name": "Changed"}).status_code == (write or 200)
    assert program.delete(path).status_code == (write or 204)


@pytest.mark.parametrize("role", ROLES)
def test_another_tenants_client_is_as_unknown_as_none(
    acme: TenantView, globex: TenantView, api: ApiFor, role: str
) -> None:
    with in_tenant(acme):
        theirs = make_client(actor_of(acme)).id
    program = api(globex, role)
    write = 403 if role == "VIEWER" else 404
    for client_id in (theirs, uuid4()):
        path = f"/api/v1/clients/{client_id}"
        assert program.get(path).status_code == 404
        assert program.patch(path, {"name": "Mine"}).status_code == write
        assert program.delete(path).status_code == write
    assert program.get("/api/v1/clients?include_deleted=true").json()["data"] == []


def test_without_a_token_nothing_is_shown(anonymous_api: APIClient, acme: TenantView) -> None:
    for method in ("get", "post"):
        assert getattr(anonymous_api, method)("/api/v1/clients").status_code == 401


def test_balances_are_shown(acme: TenantView, api: ApiFor) -> None:
    with in_tenant(acme):
        issued = make_open(actor_of(acme))
    shown = api(acme).get(f"/api/v1/clients/{issued.client.id}").json()
    assert shown["balances"] == [
        {"currency": "EUR", "invoiced_minor": 11900, "paid_minor": 0, "due_minor": 11900, "overdue_minor": 0}
    ]
    assert shown["invoice_count"] == 1
