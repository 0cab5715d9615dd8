"""Every list: what it takes, what it refuses, what comes along, and how few queries it asks however long it is."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.core.errors import PermissionRefused
from apps.core.rest.listing import Listing
from apps.invoices import selectors, services
from apps.payments import selectors as payments
from apps.tenancy.selectors import TenantView
from tests.api.problem import problem
from tests.api.routes import ROUTES, Route
from tests.factories.crowds import crowd
from tests.factories.invoices import make_client, make_draft, make_open
from tests.fixtures.clients import ApiFor
from tests.fixtures.tenants import actor_of, in_tenant

INVOICES = "/api/v1/invoices"
# Lists by the name of their route. Those with parameters hang on another resource.
LISTS: dict[str, Listing] = {
    route.name: route.listing for route in ROUTES if route.listing is not None and not route.view.is_one
}
PAGED = [name for name, listing in LISTS.items() if listing.keys]


@pytest.fixture
def program(acme: TenantView, api: ApiFor) -> APIClient:
    return api(acme)


def refusals(answer: Any) -> dict[str, str]:
    return {error["field"]: error["detail"] for error in problem(answer, 400)["errors"]}


def test_whatever_answers_a_list_says_what_it_takes(acme: TenantView, program: APIClient) -> None:
    ids = {"invoice_id": invoice_of(acme)}
    for route in (route for route in ROUTES if "GET" in route.methods):
        if route.parameters and route.parameters[0] not in ids:
            continue
        answer = program.get(route.path(ids.get(route.parameters[0]) if route.parameters else None))
        is_list = answer["Content-Type"] == "application/json" and "next_cursor" in answer.json()
        assert is_list == (route.name in LISTS), route.name


@pytest.mark.parametrize("name", LISTS)
def test_what_is_unknown_is_refused_with_what_there_is(acme: TenantView, program: APIClient, name: str) -> None:
    route, listing = next(route for route in ROUTES if route.name == name), LISTS[name]
    path = route.path(invoice_of(acme) if route.parameters else None)
    told = refusals(program.get(path, {"colour": "red", "fields": f"{listing.fields[0]},nonsense"}))
    assert told.keys() == {"colour", "fields"}
    assert all(parameter in told["colour"] for parameter in listing.names)
    assert "“nonsense”" in told["fields"]
    assert all(field in told["fields"] for field in listing.fields)
    if listing.keys:
        assert "-created_at" in refusals(program.get(path, {"ordering": "nonsense"}))["ordering"]


def invoice_of(tenant: TenantView) -> Any:
    with in_tenant(tenant):
        return make_draft(actor_of(tenant)).id


@pytest.mark.parametrize("query", ["limit=1&limit=2", "fields=id&fields=number", "status=open&status=open"])
def test_what_stands_twice_is_refused(program: APIClient, query: str) -> None:
    refused = problem(program.get(f"/api/v1/invoices?{query}"), 400)
    assert [(error["field"], error["code"]) for error in refused["errors"]] == [(query.partition("=")[0], "duplicate")]


@pytest.mark.parametrize(
    ("path", "query", "told"),
    [
        ("/api/v1/clients", {"include_deleted": "maybe"}, {"include_deleted": "It is true or false."}),
        ("/api/v1/api-keys", {"include_revoked": "2"}, {"include_revoked": "It is true or false."}),
        ("/api/v1/members", {"q": "a\x00"}, {"q": "The text holds a null character."}),
        ("/api/v1/clients", {"expand": "owner"}, {"expand": "There is no such parameter"}),
    ],
)
def test_a_value_that_means_nothing_is_refused(program: APIClient, path: str, query: Any, told: dict[str, str]) -> None:
    answer = problem(program.get(path, query), 400)
    assert [error["field"] for error in answer["errors"]] == [*told]
    assert all(error["detail"].startswith(told[error["field"]]) for error in answer["errors"])


@pytest.mark.parametrize("value", ["true", "True", "1", "false", "0", ""])
def test_a_switch_is_on_or_off(program: APIClient, value: str) -> None:
    assert program.get("/api/v1/clients", {"include_deleted": value}).status_code == 200


def test_orders_and_their_cursors(acme: TenantView, program: APIClient) -> None:
    with in_tenant(acme):
        client = make_client(actor_of(acme))
        for number in (3, 1, 2):
            make_draft(actor_of(acme), client_id=client.id, discount_minor=number)
    first = program.get(INVOICES, {"ordering": "total_minor", "limit": 2}).json()
    assert [row["discount_minor"] for row in first["data"]] == [3, 2]
    query = {"ordering": "total_minor", "limit": 2, "cursor": first["next_cursor"]}
    rest = program.get(INVOICES, query).json()
    assert ([row["discount_minor"] for row in rest["data"]], rest["has_more"]) == ([1], False)
    for other in ("-total_minor", "due_date", ""):
        refused = program.get(INVOICES, {**query, "ordering": other})
        assert problem(refused, 400)["errors"][0]["code"] == "other_ordering"
    elsewhere = program.get("/api/v1/payments", {"ordering": "amount_minor", "cursor": first["next_cursor"]})
    assert problem(elsewhere, 400)["errors"][0]["field"] == "cursor"


def test_fields_are_those_that_were_asked_for(acme: TenantView, program: APIClient) -> None:
    with in_tenant(acme):
        made = make_draft(actor_of(acme))
    rows = program.get(INVOICES, {"fields": "id, total_minor"}).json()["data"]
    assert rows == [{"id": str(made.id), "total_minor": made.total_minor}]
    rows = program.get(INVOICES, {"fields": "id", "expand": "payments"}).json()["data"]
    assert rows == [{"id": str(made.id), "payments": []}]


def test_relations_come_along(acme: TenantView, program: APIClient) -> None:
    owner = actor_of(acme)
    with in_tenant(acme):
        made = make_open(owner)
        payment_id = services.record_manual_payment(actor=owner, invoice_id=made.id, amount_minor=100, method="CASH")
    client = program.get(f"/api/v1/clients/{made.client.id}").json()
    payment = program.get(f"/api/v1/payments/{payment_id}").json()
    one = program.get(f"{INVOICES}/{made.id}", {"expand": "client,payments"}).json()
    row = program.get(INVOICES, {"expand": "client,payments"}).json()["data"][0]
    for shown in (one, row):
        assert shown["client"].items() <= client.items()
        assert "address" in shown["client"]
        assert [found["id"] for found in shown["payments"]] == [payment["id"]]
    plain = program.get(INVOICES).json()["data"][0]
    for shown in (
        program.get(f"/api/v1/payments/{payment_id}", {"expand": "invoice"}).json(),
        program.get("/api/v1/payments", {"expand": "invoice"}).json()["data"][0],
    ):
        assert shown["invoice"] == plain
    assert refusals(program.get(f"{INVOICES}/{made.id}", {"expand": "lines"}))["expand"].endswith("client, payments.")
    assert "limit" in refusals(program.get(f"{INVOICES}/{made.id}", {"limit": "5"}))


def test_nobody_expands_what_he_may_not_see(acme: TenantView) -> None:
    nobody = actor_of(acme, "VIEWER")
    object.__setattr__(nobody, "permissions", frozenset({"invoices:read"}))
    with in_tenant(acme):
        for refused in (
            lambda: selectors.clients_by_ids(actor=nobody, client_ids=[uuid4()]),
            lambda: payments.payments_by_purpose_ids(actor=nobody, purpose="invoice", purpose_ids=[uuid4()]),
        ):
            with pytest.raises(PermissionRefused):
                refused()
        nobody = actor_of(acme, "VIEWER")
        object.__setattr__(nobody, "permissions", frozenset({"payments:read"}))
        with pytest.raises(PermissionRefused):
            selectors.invoices_by_ids(actor=nobody, invoice_ids=[uuid4()])


def test_no_list_asks_more_queries_the_longer_it_is(acme: TenantView, program: APIClient) -> None:
    owner, invoice_id = actor_of(acme), invoice_of(acme)

    def counted(route: Route) -> tuple[int, int]:
        query = {"limit": "100"} if LISTS[route.name].keys else {}
        if LISTS[route.name].expansions:
            query["expand"] = ",".join(one.name for one in LISTS[route.name].expansions)
        path = route.path(invoice_id if route.parameters else None)
        with CaptureQueriesContext(connection) as asked:
            answer = program.get(path, query)
        assert answer.status_code == 200, answer.content
        return len(answer.json()["data"]), len(asked)

    crowd(acme, owner, 3, "few")
    routes = [route for route in ROUTES if route.name in LISTS]
    few = {route.name: counted(route) for route in routes}
    crowd(acme, owner, 57, "many")
    many = {route.name: counted(route) for route in routes}
    whole = {"series-list", "webhook-event-types"}
    assert {name for name in LISTS if many[name][0] < few[name][0] + 30} == whole
    assert {name: asked for name, (_, asked) in many.items()} == {name: asked for name, (_, asked) in few.items()}


def test_the_tests_know_every_relation() -> None:
    assert [one.name for one in LISTS["invoice-list"].expansions] == ["client", "payments"]
    assert [one.name for one in LISTS["payment-list"].expansions] == ["invoice"]
