"""Idempotency keys."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

from tests.sandbox.process import RecordingClient, Sandbox, wait_for
from tests.sandbox.stories import pay

pytestmark = pytest.mark.over_http


def test_the_same_request_gets_the_same_answer(client: stripe.StripeClient, http: RecordingClient) -> None:
    first = client.v1.customers.create({"name": "Once"}, {"idempotency_key": "k1"})
    again = client.v1.customers.create({"name": "Once"}, {"idempotency_key": "k1"})
    assert again.id == first.id
    assert len(client.v1.customers.list().data) == 1
    created, replayed = http.headers[0], http.headers[1]
    assert "Idempotent-Replayed" not in created and replayed["Idempotent-Replayed"] == "true"
    assert replayed["Original-Request"] == created["Request-Id"]
    assert replayed["Idempotency-Key"] == "k1"


def test_other_parameters_or_another_address_are_refused(client: stripe.StripeClient) -> None:
    client.v1.customers.create({"name": "Once"}, {"idempotency_key": "k1"})
    with pytest.raises(stripe.IdempotencyError) as refused:
        client.v1.customers.create({"name": "Twice"}, {"idempotency_key": "k1"})
    assert (refused.value.http_status, refused.value.error.type) == (400, "idempotency_error")  # type: ignore[union-attr]
    with pytest.raises(stripe.IdempotencyError):
        client.v1.products.create({"name": "Once"}, {"idempotency_key": "k1"})


def test_a_decline_is_remembered(client: stripe.StripeClient) -> None:
    given = {
        "amount": 500,
        "currency": "eur",
        "confirm": True,
        "payment_method": "pm_card_chargeDeclined",
        "payment_method_types": ["card"],
    }
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            client.v1.payment_intents.create(given, {"idempotency_key": "k2"})  # type: ignore[arg-type]
    assert len(client.v1.charges.list().data) == 1


def test_refused_parameters_are_not_remembered(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.create({"email": "nobody"}, {"idempotency_key": "k3"})
    assert client.v1.customers.create({"email": "a@example.com"}, {"idempotency_key": "k3"}).email == "a@example.com"


def test_a_refund_is_made_once_however_often_it_is_sent(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    intent = pay(client, 1000)

    def refund(_: int) -> str:
        params = {"payment_intent": intent.id, "amount": 400}
        return sandbox.client(max_network_retries=5).v1.refunds.create(params, {"idempotency_key": "r1"}).id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(refund, range(6)))) == 1
    assert client.v1.charges.retrieve(intent.latest_charge).amount_refunded == 400


def test_a_request_under_way_holds_its_key(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    sandbox.control("POST", "faults", {"status": "timeout", "seconds": 30, "path": "/v1/customers"})
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(sandbox.client().v1.customers.create, {"name": "Slow"}, {"idempotency_key": "k4"})
        wait_for(lambda: sandbox.control("GET", "health")["waiting"] == 1, "the call to wait")
        with pytest.raises(stripe.APIError) as refused:
            client.v1.customers.create({"name": "Slow"}, {"idempotency_key": "k4"})
        assert (refused.value.http_status, refused.value.error.code) == (409, "idempotency_key_in_use")
        sandbox.control("DELETE", "faults")
        assert slow.result().name == "Slow"
    assert len(client.v1.customers.list().data) == 1


def test_a_key_has_at_most_255_characters(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.create({}, {"idempotency_key": "k" * 256})
