"""The web process killed between the steps of the checkout saga, and Stripe's answer overtaken by its webhook."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from apps.core.clock import utcnow
from apps.payments.models import Payment
from tests.fixtures.processes import wait_until
from tests.fixtures.stack import WEB, Stack
from tests.fixtures.tenants import in_tenant
from tests.flows.story import Person, kept_waiting, let_stripe_go_on, pay, sessions

SESSIONS = "/v1/checkout/sessions"


@contextmanager
def a_call_in_the_air(owner: Person, invoice_id: str) -> Iterator["Future[httpx.Response]"]:
    """The call that opens a checkout, sent and not yet answered because Stripe keeps it waiting."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(owner.send, "POST", f"/api/v1/invoices/{invoice_id}/pay")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("finished_by", ["the customer", "the reconciler"])
def test_killed_while_stripe_opens_the_session(stack: Stack, owner: Person, when: str, finished_by: str) -> None:
    invoice_id = owner.open_invoice()["id"]
    stack.sandbox.control("faults", status="timeout", path=SESSIONS, method="POST", when=when)
    with a_call_in_the_air(owner, invoice_id) as answer:
        wait_until(lambda: kept_waiting(stack) == 1, what="the web process to ask")
        stack.kill(WEB)
        with pytest.raises(httpx.HTTPError):
            answer.result(60)
    let_stripe_go_on(stack)
    stack.ensure(WEB)
    (pending,) = owner.payments(invoice_id)
    assert pending["status"] == "pending"

    if finished_by == "the reconciler":
        with in_tenant(owner.tenant):
            Payment.objects.update(next_check_at=utcnow())
        stack.run_task("payments.reconcile_payments", "payments")
        wait_until(lambda: _session_url(owner), what="the session to be noted")
    url = owner.checkout(invoice_id)
    assert [session["url"] for session in sessions(stack)] == [url]
    pay(stack, url)
    owner.wait_until_paid(invoice_id)
    (paid,) = owner.payments(invoice_id)
    assert (paid["id"], paid["status"]) == (pending["id"], "succeeded")
    assert owner.entries().count("payment.succeeded") == 1


def test_the_webhook_comes_before_the_session_is_noted(stack: Stack, owner: Person) -> None:
    invoice_id = owner.open_invoice()["id"]
    stack.sandbox.control("faults", status="timeout", path=SESSIONS, method="POST", when="after")
    with a_call_in_the_air(owner, invoice_id) as answer:
        wait_until(lambda: kept_waiting(stack) == 1, what="the web process to ask")
        (session,) = sessions(stack)
        pay(stack, session["url"])
        owner.wait_until_paid(invoice_id)
        assert _session_url(owner) == ""
        let_stripe_go_on(stack)
        assert answer.result(60).status_code in (201, 409)
    (payment,) = owner.payments(invoice_id)
    assert (payment["status"], payment["amount_minor"]) == ("succeeded", 11900)
    assert owner.entries().count("payment.succeeded") == 1
    assert len(sessions(stack)) == 1


def _session_url(owner: Person) -> str:
    with in_tenant(owner.tenant):
        return Payment.objects.get().session_url
