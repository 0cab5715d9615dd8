"""Collecting over REST: the checkout at the gateway and payments noted by hand."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.audit.models import AuditEntry
from apps.core.actor import Origin
from apps.core.clock import utcnow
from apps.core.errors import IllegalState
from apps.core.tenants import tenant_scope
from apps.invoices import selectors, services
from apps.invoices.errors import InvoiceNotFound
from apps.invoices.models import Invoice
from apps.invoices.selectors import InvoiceView
from apps.payments import selectors as payments
from apps.tenancy.selectors import TenantView
from tests.factories.invoices import make_open
from tests.fixtures.processes import Sandbox
from tests.fixtures.tenants import actor_of, in_tenant
from tests.invoices.test_lifecycle import balances

ApiFor = Callable[..., APIClient]


@pytest.fixture
def issued(acme: TenantView) -> InvoiceView:
    with in_tenant(acme):
        return make_open(actor_of(acme))


@pytest.fixture
def path(issued: InvoiceView) -> str:
    return f"/api/v1/invoices/{issued.id}"


@pytest.fixture
def program(acme: TenantView, api: ApiFor) -> APIClient:
    return api(acme, "ACCOUNTANT")


def test_a_payment_noted_by_hand_pays(program: APIClient, acme: TenantView, path: str) -> None:
    paid_at = (utcnow() - timedelta(days=2)).replace(microsecond=0)
    posted = {"amount_minor": 1900, "method": "bank_transfer", "reference": "RF18", "paid_at": paid_at.isoformat()}
    made = program.post(f"{path}/payments", posted)
    assert made.status_code == 201, made.content
    shown = made.json()
    assert (shown["status"], shown["method"], shown["is_manual"]) == ("succeeded", "bank_transfer", True)
    assert made.headers["Location"] == f"/api/v1/payments/{shown['id']}"
    part = program.get(path).json()
    assert (part["status"], part["is_partially_paid"], part["amount_due_minor"]) == ("open", True, 10_000)
    assert program.post(f"{path}/payments", {"amount_minor": 10_000, "method": "cash"}).status_code == 201
    paid = program.get(path).json()
    assert (paid["status"], paid["amount_paid_minor"], paid["amount_due_minor"]) == ("paid", 11_900, 0)
    listed = program.get(f"{path}/payments").json()
    assert [row["amount_minor"] for row in listed["data"]] == [10_000, 1_900]
    assert (listed["has_more"], listed["next_cursor"]) == (False, None)
    with in_tenant(acme):
        assert balances(actor_of(acme)) == {"1000": 11_900, "4000": -10_000, "2200": -1_900}


@pytest.mark.parametrize(
    ("posted", "field", "code"),
    [
        ({"amount_minor": 0, "method": "cash"}, "amount_minor", "out_of_range"),
        ({"amount_minor": -5, "method": "cash"}, "amount_minor", "out_of_range"),
        ({"amount_minor": 11_901, "method": "cash"}, "amount_minor", "exceeds_due"),
        ({"amount_minor": 10**30, "method": "cash"}, "amount_minor", "exceeds_due"),
        ({"amount_minor": "x", "method": "cash"}, "amount_minor", "invalid"),
        ({"method": "cash"}, "amount_minor", "required"),
        ({"amount_minor": 1}, "method", "required"),
        ({"amount_minor": 1, "method": "barter"}, "method", "unknown"),
        ({"amount_minor": 1, "method": "cash", "paid_at": "2999-01-01T00:00:00Z"}, "paid_at", "in_future"),
        ({"amount_minor": 1, "method": "cash", "paid_at": "soon"}, "paid_at", "invalid"),
        ({"amount_minor": 1, "method": "cash", "reference": "x" * 201}, "reference", "max_length"),
    ],
)
def test_a_payment_that_cannot_be_is_refused(
    program: APIClient, path: str, posted: dict[str, Any], field: str, code: str
) -> None:
    answer = program.post(f"{path}/payments", posted)
    assert answer.status_code == 400, answer.content
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]
    assert program.get(f"{path}/payments").json()["data"] == []


def test_what_is_paid_or_void_takes_no_more(program: APIClient, path: str) -> None:
    program.post(f"{path}/payments", {"amount_minor": 11_900, "method": "cash"})
    for answer in (
        program.post(f"{path}/payments", {"amount_minor": 1, "method": "cash"}),
        program.post(f"{path}/pay"),
        program.post(f"{path}/void"),
    ):
        assert answer.status_code == 409
        assert answer.json()["allowed_actions"] == ["send", "duplicate"]


def test_pay_answers_a_pending_payment_and_where_to_pay_it(
    program: APIClient, path: str, issued: InvoiceView, stripe_sandbox: Sandbox
) -> None:
    answer = program.post(f"{path}/pay")
    assert answer.status_code == 201, answer.content
    payment = answer.json()["payment"]
    assert (payment["status"], payment["amount_minor"], payment["invoice_id"]) == ("pending", 11_900, str(issued.id))
    assert answer.json()["payment_url"].startswith(stripe_sandbox.url)
    again = program.post(f"{path}/pay").json()
    assert (again["payment"]["id"], again["payment_url"]) == (payment["id"], answer.json()["payment_url"])


def test_pay_asks_for_what_is_left(program: APIClient, path: str, stripe_sandbox: Sandbox) -> None:
    program.post(f"{path}/payments", {"amount_minor": 1_900, "method": "cash"})
    assert program.post(f"{path}/pay").json()["payment"]["amount_minor"] == 10_000


def test_a_payment_by_hand_gives_up_the_waiting_checkout(
    program: APIClient, path: str, stripe_sandbox: Sandbox
) -> None:
    first = program.post(f"{path}/pay").json()["payment"]
    program.post(f"{path}/payments", {"amount_minor": 1_900, "method": "cash"})
    listed = {row["id"]: row for row in program.get(f"{path}/payments").json()["data"]}
    assert listed[first["id"]]["status"] == "canceled"


def test_voiding_gives_up_the_waiting_checkout(program: APIClient, path: str, stripe_sandbox: Sandbox) -> None:
    program.post(f"{path}/pay")
    assert program.post(f"{path}/void").status_code == 200
    assert [row["status"] for row in program.get(f"{path}/payments").json()["data"]] == ["canceled"]


def test_a_gateway_that_is_down_leaves_a_payment_that_can_be_tried_again(
    program: APIClient, path: str, stripe_sandbox: Sandbox, settings: Any
) -> None:
    settings.STRIPE_API_HOST = "http://127.0.0.1:9"
    refused = program.post(f"{path}/pay")
    assert refused.status_code == 502
    [payment] = program.get(f"{path}/payments").json()["data"]
    assert payment["status"] == "pending"
    settings.STRIPE_API_HOST = stripe_sandbox.url
    answer = program.post(f"{path}/pay")
    assert answer.status_code == 201, answer.content
    assert answer.json()["payment"]["id"] == payment["id"]


def test_the_customer_pays_by_his_link(acme: TenantView, issued: InvoiceView, stripe_sandbox: Sandbox) -> None:
    origin = Origin(source="WEB", ip="198.51.100.7")
    with in_tenant(acme):
        token = Invoice.objects.get().link_token or ""
    with tenant_scope(acme.scope):
        checkout = services.pay_by_link(token=token, origin=origin)
    assert checkout.url.startswith(stripe_sandbox.url)
    with in_tenant(acme):
        payment = payments.payment_view(payment_id=checkout.payment_id)
    assert (payment.status, payment.purpose_id, payment.payer_email) == ("PENDING", issued.id, "ap@ionian.test")
    made = AuditEntry.objects.filter(entity_id=str(payment.id)).earliest("id")
    assert (made.actor_kind, made.ip) == ("CUSTOMER", "198.51.100.7")


def test_a_link_pays_only_what_is_due_and_only_where_it_belongs(
    acme: TenantView, globex: TenantView, issued: InvoiceView
) -> None:
    with in_tenant(acme):
        token = Invoice.objects.get().link_token or ""
        services.void_invoice(actor=actor_of(acme), invoice_id=issued.id)
    with tenant_scope(acme.scope), pytest.raises(IllegalState):
        services.pay_by_link(token=token, origin=Origin())
    with tenant_scope(globex.scope), pytest.raises(InvoiceNotFound):
        services.pay_by_link(token=token, origin=Origin())
    with in_tenant(acme):
        assert selectors.hosted_invoice(token=token).status == "VOID"


@pytest.mark.parametrize(("role", "code"), [("MEMBER", 403), ("VIEWER", 403)])
def test_who_may_not_take_payments_cannot(acme: TenantView, api: ApiFor, path: str, role: str, code: int) -> None:
    program = api(acme, role)
    assert program.post(f"{path}/pay").status_code == code
    assert program.post(f"{path}/payments", {"amount_minor": 1, "method": "cash"}).status_code == code
    assert program.get(f"{path}/payments").status_code == 200
