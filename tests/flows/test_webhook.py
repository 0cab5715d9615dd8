"""Stripe's messages as they reach the web process: several at once, twice, forged."""

import json
from functools import partial
from typing import Any

import httpx

from apps.payments.models import GatewayEvent
from tests.factories.payments import events, signature
from tests.fixtures.processes import wait_until
from tests.fixtures.stack import WEBHOOK_SECRET, Stack
from tests.fixtures.threads import at_once
from tests.flows.story import Person, pay


def deliver(stack: Stack, event: dict[str, Any], secret: str = WEBHOOK_SECRET) -> httpx.Response:
    payload = json.dumps(event).encode()
    headers = {
        "Host": "localhost",
        "Content-Type": "application/json",
        "Stripe-Signature": signature(payload, secret=secret),
    }
    return httpx.post(f"{stack.url}/webhooks/stripe/payments/", content=payload, headers=headers, timeout=30)


def paid_in_silence(stack: Stack, owner: Person) -> tuple[str, list[dict[str, Any]]]:
    """An invoice that is paid at Stripe, and what Stripe has to tell of it."""
    invoice_id = str(owner.open_invoice()["id"])
    url = owner.checkout(invoice_id)
    stack.sandbox.control("deliveries/hold")
    pay(stack, url)
    return invoice_id, events(stack.sandbox)


def test_the_same_message_four_times_at_once_counts_once(stack: Stack, owner: Person) -> None:
    invoice_id, told = paid_in_silence(stack, owner)
    (completed,) = [event for event in told if event["type"] == "checkout.session.completed"]
    answers = at_once([partial(deliver, stack, completed)] * 4)
    assert [answer.status_code for answer in answers if isinstance(answer, httpx.Response)] == [200] * 4
    owner.wait_until_paid(invoice_id)
    assert GatewayEvent.objects.filter(event_id=completed["id"]).count() == 1
    assert owner.entries().count("payment.succeeded") == 1
    assert len([row for row in owner.api("GET", "/notifications")["data"] if row["kind"] == "INVOICE_PAID"]) == 1


def test_every_message_in_the_wrong_order_and_twice_counts_once(stack: Stack, owner: Person) -> None:
    invoice_id, told = paid_in_silence(stack, owner)
    for event in [*reversed(told), *told]:
        assert deliver(stack, event).status_code == 200
    owner.wait_until_paid(invoice_id)
    wait_until(lambda: not GatewayEvent.objects.filter(processed_at=None).exists(), what="all to be processed")
    assert owner.entries() == ["invoice.finalized", "payment.fee", "payment.succeeded"]


def test_a_forged_message_is_refused_and_not_kept(stack: Stack, owner: Person) -> None:
    invoice_id, told = paid_in_silence(stack, owner)
    GatewayEvent.objects.all().delete()
    for event in told:
        refused = deliver(stack, event, secret="whsec_" + "0" * 32)
        assert (refused.status_code, refused.headers["content-type"]) == (400, "application/problem+json")
    assert not GatewayEvent.objects.exists()
    assert owner.invoice(invoice_id)["status"] == "open"
