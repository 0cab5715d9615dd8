"""What a person and a customer do over HTTP, step by step, against the running product."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from django.conf import settings
from websockets.sync.client import ClientConnection, connect

from apps.iam.models import Membership, Role
from apps.tenancy import rollout
from apps.tenancy import selectors as tenancy
from apps.tenancy.selectors import TenantView
from tests.fixtures.plain import PLAIN
from tests.fixtures.processes import wait_until
from tests.fixtures.stack import Stack
from tests.fixtures.tenants import PASSWORD

CUSTOMER = "ap@ionian.test"
_numbers = itertools.count(1)


class Person:
    """Somebody with a token in one workspace."""

    def __init__(self, stack: Stack, email: str, tenant: str = "") -> None:
        self.stack, self.email, self.key, self.token = stack, email, tenant, ""

    @property
    def tenant(self) -> TenantView:
        """The workspace as it is now."""
        return tenancy.tenant_by_key_or_slug(self.key)

    def send(self, method: str, path: str, body: Any = None, host: str = settings.PLATFORM_HOST) -> httpx.Response:
        """One request, whatever its answer."""
        headers = {"Host": host} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        return self.stack.http.request(method, path, json=body, headers=headers)

    def api(self, method: str, path: str, body: Any = None, expect: int = 200) -> Any:
        """One call below ``/api/v1`` that must be answered with `expect`."""
        answer = self.send(method, f"/api/v1{path}", body)
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def sign_in(self) -> None:
        """Get a token."""
        body = {"email": self.email, "password": PASSWORD, "tenant": self.key}
        self.token = self.api("POST", "/auth/signin", body)["access"]

    def status(self) -> str:
        """How far the sign-up is."""
        return str(self.api("GET", f"/auth/signup/{self.key}")["status"])

    def wait_until_active(self) -> None:
        """Return once the workspace can be used, signed in."""
        wait_until(lambda: self.status() == "ACTIVE", what="provisioning")
        if rollout.is_single() and not Membership.objects.filter(tenant_id=self.tenant.id, role=Role.OWNER).exists():
            # Who signs up joins as a member there; the flows are an owner's.
            self.stack.manage("make_owner", self.email)
        self.sign_in()

    def open_invoice(self, unit_price_minor: int = 10000) -> dict[str, Any]:
        """An issued invoice over 119 % of the price."""
        client = self.api("POST", "/clients", {"name": "Ionian Yachts", "email": CUSTOMER}, 201)
        line = {"description": "Sails", "quantity": "1", "unit_price_minor": unit_price_minor, "tax_rate": "19.00"}
        body = {"client_id": client["id"], "currency": "EUR", "due_date": "2099-12-31", "lines": [line]}
        draft = self.api("POST", "/invoices", body, 201)
        return dict(self.api("POST", f"/invoices/{draft['id']}/finalize"))

    def invoice(self, invoice_id: str) -> dict[str, Any]:
        """The invoice as it is now."""
        return dict(self.api("GET", f"/invoices/{invoice_id}"))

    def payments(self, invoice_id: str) -> list[dict[str, Any]]:
        """Its payments, newest first."""
        return list(self.api("GET", f"/invoices/{invoice_id}/payments")["data"])

    def checkout(self, invoice_id: str) -> str:
        """Open a checkout; its page."""
        return str(self.api("POST", f"/invoices/{invoice_id}/pay", expect=201)["payment_url"])

    def wait_until_paid(self, invoice_id: str) -> dict[str, Any]:
        """Return the invoice once it is paid."""
        wait_until(lambda: self.invoice(invoice_id)["status"] == "paid", what="the invoice to be paid")
        return self.invoice(invoice_id)

    def entries(self) -> list[str]:
        """The kinds of the ledger's entries, sorted; every currency balances."""
        for row in self.api("GET", "/ledger/trial-balance")["data"]:
            assert row["debit_minor"] == row["credit_minor"], row
        return sorted(entry["kind"] for entry in self.api("GET", "/ledger/entries?limit=100")["data"])

    @contextmanager
    def listen(self, cursor: str = "") -> Iterator[ClientConnection]:
        """His live notifications: those to come, with a cursor also those after it."""
        url = self.stack.socket_url + (f"?cursor={cursor}" if cursor else "")
        with connect(url, origin=f"http://{settings.PLATFORM_HOST}", open_timeout=60) as socket:
            socket.send(json.dumps({"type": "auth", "access": self.token}))
            assert json.loads(socket.recv(timeout=60))["type"] == "hello"
            yield socket


def sign_up(stack: Stack) -> Person:
    """A new person with a new workspace, which a worker is about to provision."""
    number = next(_numbers)
    person = Person(stack, f"mira{number}@flows.test")
    names = {"first_name": "Mira", "last_name": "Okafor", "tenant_name": f"Flow Studio {number}"}
    made = person.api("POST", "/auth/signup", {"email": person.email, "password": PASSWORD, **names}, 201)
    person.key = made["tenant"]["key"]
    return person


def member(stack: Stack, tenant: TenantView, role: str = "OWNER") -> Person:
    """A member of a workspace that was made without HTTP."""
    person = Person(stack, f"{role.lower()}@{tenant.slug}.test", tenant.key)
    person.sign_in()
    return person


def pay(stack: Stack, url: str, card: str = "pm_card_visa") -> None:
    """The customer pays on Stripe's page."""
    answer = stack.sandbox.control(f"checkout/sessions/{url.rsplit('/', 1)[1]}/complete", payment_method=card)
    assert answer.status_code == 200, answer.text


def next_notification(socket: ClientConnection, words: str) -> dict[str, Any]:
    """The next live notification that holds `words`."""
    while True:
        message = json.loads(socket.recv(timeout=60))
        if message["type"] == "notification" and words in message["title"] + message["body"]:
            return dict(message)


def sessions(stack: Stack) -> list[dict[str, Any]]:
    """Every checkout that was opened at Stripe."""
    key = stack.environment["STRIPE_SECRET_KEY"]
    headers = {"Authorization": f"Bearer {key}"}
    return list(
        httpx.get(f"{stack.sandbox.url}/v1/checkout/sessions", headers=headers, timeout=10, verify=PLAIN).json()["data"]
    )


def kept_waiting(stack: Stack) -> int:
    """How many calls Stripe keeps waiting for their answer."""
    return int(httpx.get(f"{stack.sandbox.url}/_sandbox/health", timeout=10, verify=PLAIN).json()["waiting"])


def let_stripe_go_on(stack: Stack) -> None:
    """No more faults; calls that were kept waiting go on."""
    httpx.delete(f"{stack.sandbox.url}/_sandbox/faults", timeout=10, verify=PLAIN)
    wait_until(lambda: kept_waiting(stack) == 0, what="Stripe to go on")
