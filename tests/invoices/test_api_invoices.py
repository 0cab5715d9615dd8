"""Invoices over REST: shapes, filters, states, faults, roles, walls."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.invoices import services
from apps.tenancy.selectors import TenantView
from tests.factories.invoices import body, line, make_client, make_draft, make_open
from tests.fixtures.tenants import actor_of, in_tenant

ApiFor = Callable[..., APIClient]
ROLES = ("OWNER", "ADMIN", "ACCOUNTANT", "MEMBER", "VIEWER")
INVOICES = "/api/v1/invoices"
SHAPE = {
    "id", "number", "status", "version", "is_overdue", "is_partially_paid", "sent_at", "viewed_at", "finalized_at",
    "paid_at", "voided_at", "uncollectible_at", "client", "brand_id", "currency", "issue_date", "due_date",
    "subtotal_minor",
    "discount_minor", "tax_minor", "total_minor", "amount_paid_minor", "amount_due_minor", "surplus_minor",
    "tax_breakdown", "lines", "hosted_url", "pdf_url", "allowed_actions", "notes", "metadata", "seller", "buyer",
    "created_at", "updated_at",
}  # fmt: skip


@pytest.fixture
def client_id(acme: TenantView) -> str:
    with in_tenant(acme):
        return str(make_client(actor_of(acme)).id)


@pytest.fixture
def program(acme: TenantView, api: ApiFor) -> APIClient:
    return api(acme)


def first_line(**values: Any) -> list[dict[str, Any]]:
    return [{"description": "Work", "quantity": "1", "unit_price_minor": 100, "tax_rate": "0", **values}]


def test_a_draft_answers_as_documented(program: APIClient, client_id: str) -> None:
    made = program.post(INVOICES, body(client_id, discount_minor=500, notes="n", metadata={"order": "7"}))
    assert made.status_code == 201
    shown = made.json()
    assert set(shown) == SHAPE
    assert made.headers["Location"] == f"{INVOICES}/{shown['id']}"
    assert (shown["status"], shown["number"], shown["hosted_url"], shown["pdf_url"]) == ("draft", None, None, None)
    assert (shown["subtotal_minor"], shown["discount_minor"]) == (10_000, 500)
    assert (shown["tax_minor"], shown["total_minor"], shown["amount_due_minor"]) == (1_805, 11_305, 11_305)
    assert shown["tax_breakdown"] == [{"rate": "19.00", "base_minor": 9_500, "tax_minor": 1_805}]
    assert shown["client"] == {"id": client_id, "name": "Ionian Yachts"}
    only = shown["lines"][0]
    assert (only["quantity"], only["tax_rate"], only["item_type"], only["net_minor"]) == (
        "2", "19.00", "product", 10_000,
    )  # fmt: skip
    assert program.get(made.headers["Location"]).json() == shown


@pytest.mark.parametrize(
    ("written", "shown"), [("2", "2"), ("0.500000", "0.5"), (2, "2"), (1.25, "1.25"), ("1000000", "1000000")]
)
def test_quantities_are_exact_strings(program: APIClient, client_id: str, written: Any, shown: str) -> None:
    made = program.post(INVOICES, body(client_id, lines=first_line(quantity=written))).json()
    assert made["lines"][0]["quantity"] == shown


@pytest.mark.parametrize(("written", "shown"), [("19", "19.00"), ("8.125", "8.125"), ("7.7000", "7.70"), (0, "0.00")])
def test_rates_are_exact_strings(program: APIClient, client_id: str, written: Any, shown: str) -> None:
    made = program.post(INVOICES, body(client_id, lines=first_line(tax_rate=written))).json()
    assert made["lines"][0]["tax_rate"] == shown


def test_the_life_of_an_invoice(program: APIClient, client_id: str) -> None:
    path = program.post(INVOICES, body(client_id)).headers["Location"]
    changed = program.patch(path, {"notes": "new", "version": 1}).json()
    assert (changed["notes"], changed["total_minor"], changed["version"]) == ("new", 11_900, 2)
    issued = program.post(f"{path}/finalize").json()
    assert (issued["status"], issued["number"]) == ("open", f"INV-{date.today().year}-0001")
    assert issued["hosted_url"].endswith("/")
    assert issued["pdf_url"].endswith(f"{path}/pdf")
    sent = program.post(f"{path}/send").json()
    assert sent["sent_at"] is not None
    copy = program.post(f"{path}/duplicate")
    assert (copy.status_code, copy.json()["status"]) == (201, "draft")
    assert copy.headers["Location"] == f"{INVOICES}/{copy.json()['id']}"
    assert program.delete(copy.headers["Location"]).status_code == 204
    lost = program.post(f"{path}/uncollectible").json()
    assert lost["status"] == "uncollectible"
    void = program.post(f"{path}/void").json()
    assert (void["status"], void["allowed_actions"], void["amount_due_minor"]) == ("void", ["duplicate"], 0)


def test_an_illegal_action_names_the_legal_ones(program: APIClient, client_id: str) -> None:
    path = program.post(INVOICES, body(client_id)).headers["Location"]
    for action in ("send", "void", "uncollectible", "pay"):
        answer = program.post(f"{path}/{action}")
        assert answer.status_code == 409, action
        problem = answer.json()
        assert problem["code"] == "illegal_state"
        assert problem["allowed_actions"] == ["finalize", "edit", "delete", "duplicate"]
    assert program.get(f"{path}/pdf").status_code == 409
    program.post(f"{path}/finalize")
    for refused in (
        program.post(f"{path}/finalize"),
        program.patch(path, {"notes": "late"}),
        program.delete(path),
    ):
        assert refused.status_code == 409
        assert "duplicate" in refused.json()["allowed_actions"]


def test_a_stale_edit_is_a_conflict(program: APIClient, client_id: str) -> None:
    path = program.post(INVOICES, body(client_id)).headers["Location"]
    assert program.patch(path, {"notes": "first", "version": 1}).status_code == 200
    second = program.patch(path, {"notes": "second", "version": 1})
    assert (second.status_code, second.json()["code"], second.json()["version"]) == (409, "stale_edit", 2)
    assert program.get(path).json()["notes"] == "first"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"lines": []}, "lines"),
        ({"lines": None}, "lines"),
        ({"lines": "x"}, "lines"),
        ({"lines": first_line() * 501}, "lines"),
        ({"lines": [1]}, "lines.0"),
        ({"lines": first_line(quantity="0")}, "lines.0.quantity"),
        ({"lines": first_line(quantity="-1")}, "lines.0.quantity"),
        ({"lines": first_line(quantity="1e400")}, "lines.0.quantity"),
        ({"lines": first_line(quantity="NaN")}, "lines.0.quantity"),
        ({"lines": first_line(quantity="0.0000001")}, "lines.0.quantity"),
        ({"lines": first_line(quantity=True)}, "lines.0.quantity"),
        ({"lines": first_line(unit_price_minor=-1)}, "lines.0.unit_price_minor"),
        ({"lines": first_line(unit_price_minor=10**30)}, "lines.0.unit_price_minor"),
        ({"lines": first_line(unit_price_minor=19.99)}, "lines.0.unit_price_minor"),
        ({"lines": first_line(unit_price_minor=10**12, tax_rate="1")}, "lines"),
        ({"lines": first_line(tax_rate="101")}, "lines.0.tax_rate"),
        ({"lines": first_line(tax_rate="-0.5")}, "lines.0.tax_rate"),
        ({"lines": first_line(discount_minor=101)}, "lines.0.discount_minor"),
        ({"lines": first_line(item_type="gift")}, "lines.0.item_type"),
        ({"lines": first_line(description="")}, "lines.0.description"),
        ({"lines": [*first_line(), {"quantity": "1", "unit_price_minor": 1}]}, "lines.1.description"),
        ({"currency": "EUX"}, "currency"),
        ({"currency": ""}, "currency"),
        ({"currency": None}, "currency"),
        ({"due_date": "2026-02-30"}, "due_date"),
        ({"due_date": "soon"}, "due_date"),
        ({"issue_date": "2100-01-01"}, "due_date"),
        ({"discount_minor": -1}, "discount_minor"),
        ({"discount_minor": 10_001}, "discount_minor"),
        ({"discount_minor": 10**40}, "discount_minor"),
        ({"client_id": "x"}, "client_id"),
        ({"metadata": [1]}, "metadata"),
        ({"metadata": {"k": [1]}}, "metadata.k"),
        ({"metadata": {"k": "\x00"}}, "metadata.k"),
        ({"notes": "n" * 2001}, "notes"),
    ],
)
def test_a_bad_body_names_its_field(program: APIClient, client_id: str, values: dict[str, Any], field: str) -> None:
    # Escaped, because half of a surrogate pair cannot be sent in UTF-8.
    posted = json.dumps(body(client_id) | values)
    answer = program.generic("POST", INVOICES, posted, content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert program.get(INVOICES).json()["data"] == []


@pytest.mark.parametrize("name", ["client_id", "currency", "due_date", "lines"])
def test_what_is_required_is_named(program: APIClient, client_id: str, name: str) -> None:
    posted = body(client_id)
    del posted[name]
    answer = program.post(INVOICES, posted)
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(name, "required")]


def test_an_unknown_or_deleted_client_is_not_found(program: APIClient, client_id: str) -> None:
    assert program.post(INVOICES, body(uuid4())).status_code == 404
    program.delete(f"/api/v1/clients/{client_id}")
    assert program.post(INVOICES, body(client_id)).status_code == 404


def test_another_tenants_client_is_not_found(globex: TenantView, api: ApiFor, client_id: str) -> None:
    assert api(globex).post(INVOICES, body(client_id)).status_code == 404


@pytest.fixture
def one_of_each(acme: TenantView) -> dict[str, str]:
    actor = actor_of(acme)
    with in_tenant(acme):
        draft = make_draft(actor, currency="USD")
        opened = make_open(actor, issue_date=date(2026, 3, 1))
        overdue = make_open(actor, issue_date=date(2020, 1, 1), due_date=date(2020, 1, 31))
        part = make_open(actor)
        services.settle(
            actor=actor, invoice_id=part.id, kind=services.SettlementKind.PAYMENT, payment_id=uuid4(),
            amount_minor=1, currency="EUR", settled_at=part.created_at,
        )  # fmt: skip
        paid = make_open(actor, lines=(line(unit_price_minor=0),))
        void = services.void_invoice(actor=actor, invoice_id=make_open(actor).id)
        lost = services.mark_uncollectible(actor=actor, invoice_id=make_open(actor).id)
    return {
        "draft": str(draft.id), "open": str(opened.id), "overdue": str(overdue.id), "partially_paid": str(part.id),
        "paid": str(paid.id), "void": str(void.id), "uncollectible": str(lost.id),
    }  # fmt: skip


@pytest.mark.parametrize("status", ["draft", "overdue", "partially_paid", "paid", "void", "uncollectible"])
def test_a_status_filters(program: APIClient, one_of_each: dict[str, str], status: str) -> None:
    found = program.get(f"{INVOICES}?status={status}").json()["data"]
    assert [row["id"] for row in found] == [one_of_each[status]]


def test_open_includes_overdue_and_partially_paid(program: APIClient, one_of_each: dict[str, str]) -> None:
    found = {row["id"]: row for row in program.get(f"{INVOICES}?status=open").json()["data"]}
    assert set(found) == {one_of_each[name] for name in ("open", "overdue", "partially_paid")}
    assert found[one_of_each["overdue"]]["is_overdue"]
    assert found[one_of_each["partially_paid"]]["is_partially_paid"]


def test_other_filters(program: APIClient, one_of_each: dict[str, str]) -> None:
    def found(query: str) -> list[str]:
        return [row["id"] for row in program.get(f"{INVOICES}?{query}").json()["data"]]

    assert found("currency=usd") == [one_of_each["draft"]]
    assert found("from=2020-01-01&to=2020-01-01") == [one_of_each["overdue"]]
    assert found("q=inv-2020-0001") == [one_of_each["overdue"]]
    assert len(found("q=IONIAN")) == 7
    assert found("q=%25") == []
    client = program.get(f"{INVOICES}/{one_of_each['paid']}").json()["client"]["id"]
    assert found(f"client_id={client}") == [one_of_each["paid"]]
    assert found(f"client_id={uuid4()}") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=lost", "status"),
        ("client_id=x", "client_id"),
        ("from=yesterday", "from"),
        ("to=2026-02-30", "to"),
        ("currency=EURO", "currency"),
    ],
)
def test_a_bad_filter_is_refused(program: APIClient, query: str, field: str) -> None:
    answer = program.get(f"{INVOICES}?{query}")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_list_costs_the_same_however_long_it_is(acme: TenantView, program: APIClient) -> None:
    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert program.get(f"{INVOICES}?limit=50").status_code == 200
        return len(captured)

    with in_tenant(acme):
        make_open(actor_of(acme))
    few = statements()
    with in_tenant(acme):
        for _ in range(10):
            make_open(actor_of(acme))
    assert statements() == few


ACTIONS = ("finalize", "send", "void", "uncollectible", "duplicate", "pay")


@pytest.mark.parametrize("role", ROLES)
def test_another_tenants_invoice_is_as_unknown_as_none(
    acme: TenantView, globex: TenantView, api: ApiFor, role: str
) -> None:
    with in_tenant(acme):
        theirs = make_open(actor_of(acme)).id
    program = api(globex, role)
    for invoice_id in (theirs, uuid4()):
        path = f"{INVOICES}/{invoice_id}"
        answers = {
            "read": program.get(path),
            "change": program.patch(path, {"notes": "mine"}),
            "delete": program.delete(path),
            "pdf": program.get(f"{path}/pdf"),
            "payments": program.get(f"{path}/payments"),
            "record": program.post(f"{path}/payments", {"amount_minor": 1, "method": "cash"}),
        } | {action: program.post(f"{path}/{action}") for action in ACTIONS}
        for name, answer in answers.items():
            assert answer.status_code in (404, 403), name
            assert "INV-" not in answer.content.decode(), name
        if role == "OWNER":
            assert {answer.status_code for answer in answers.values()} == {404}
    assert program.get(INVOICES).json()["data"] == []


MAY = {
    "create": {"OWNER", "ADMIN", "ACCOUNTANT", "MEMBER"},
    "finalize": {"OWNER", "ADMIN", "ACCOUNTANT", "MEMBER"},
    "send": {"OWNER", "ADMIN", "ACCOUNTANT", "MEMBER"},
    "duplicate": {"OWNER", "ADMIN", "ACCOUNTANT", "MEMBER"},
    "record": {"OWNER", "ADMIN", "ACCOUNTANT"},
    "uncollectible": {"OWNER", "ADMIN", "ACCOUNTANT"},
    "void": {"OWNER", "ADMIN", "ACCOUNTANT"},
}


@pytest.mark.parametrize("role", ROLES)
def test_roles(acme: TenantView, api: ApiFor, client_id: str, role: str) -> None:
    program = api(acme, role)
    with in_tenant(acme):
        draft, issued, other = (make_draft(actor_of(acme)), make_open(actor_of(acme)), make_open(actor_of(acme)))
    codes = {
        "create": program.post(INVOICES, body(client_id)).status_code,
        "finalize": program.post(f"{INVOICES}/{draft.id}/finalize").status_code,
        "send": program.post(f"{INVOICES}/{issued.id}/send").status_code,
        "duplicate": program.post(f"{INVOICES}/{issued.id}/duplicate").status_code,
        "record": program.post(f"{INVOICES}/{issued.id}/payments", {"amount_minor": 1, "method": "cash"}).status_code,
        "uncollectible": program.post(f"{INVOICES}/{other.id}/uncollectible").status_code,
        "void": program.post(f"{INVOICES}/{other.id}/void").status_code,
    }
    assert {name: code for name, code in codes.items() if (code == 403) != (role not in MAY[name])} == {}
    assert {code for name, code in codes.items() if role in MAY[name]} <= {200, 201}
    assert program.get(INVOICES).status_code == 200
    assert program.get(f"{INVOICES}/{issued.id}").status_code == 200
    assert program.get(f"{INVOICES}/{issued.id}/payments").status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/invoices/1", "/api/v1/invoices/zzz/finalize", "/api/v1/invoices/"])
def test_a_path_that_leads_nowhere_is_a_problem_document(program: APIClient, path: str) -> None:
    answer = program.get(path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
