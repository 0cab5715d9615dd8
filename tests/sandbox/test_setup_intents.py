"""Setup intents: a card is kept, after 3-D Secure where the bank asks for it; alone and by a checkout session."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.process import Sandbox
from tests.sandbox.stories import complete, pay

_NO_REDIRECTS = {"enabled": True, "allow_redirects": "never"}


def _set_up(client: stripe.StripeClient, method: str = "pm_card_visa", **more: Any) -> Any:
    return client.v1.setup_intents.create(
        {"payment_method": method, "confirm": True, "automatic_payment_methods": _NO_REDIRECTS, **more}
    )


def _customer(client: stripe.StripeClient) -> str:
    return client.v1.customers.create({"email": "ap@ionian.example"}).id


def test_a_card_is_kept_for_the_customer(client: stripe.StripeClient) -> None:
    customer = _customer(client)
    setup = _set_up(client, customer=customer, metadata={"why": "rent"}, expand=["payment_method", "latest_attempt"])
    assert (setup.status, setup.usage, setup.payment_method.customer) == ("succeeded", "off_session", customer)
    assert setup.latest_attempt.status == "succeeded"
    types = [event.type for event in client.v1.events.list({"type": "setup_intent.*"})]
    assert types == ["setup_intent.succeeded", "setup_intent.created"]
    assert pay(client, customer=customer, method=setup.payment_method.id, off_session=True).status == "succeeded"


def test_the_steps_can_be_taken_one_by_one(client: stripe.StripeClient) -> None:
    setup = client.v1.setup_intents.create({"payment_method_types": ["card"]})
    assert setup.status == "requires_payment_method"
    changed = client.v1.setup_intents.update(
        setup.id, {"payment_method": "pm_card_visa", "customer": _customer(client), "description": "Rent"}
    )
    assert (changed.status, changed.description) == ("requires_confirmation", "Rent")
    assert client.v1.setup_intents.confirm(setup.id).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.setup_intents.cancel(setup.id)
    assert refused.value.code == "setup_intent_unexpected_state"
    other = client.v1.setup_intents.create({})
    canceled = client.v1.setup_intents.cancel(other.id, {"cancellation_reason": "abandoned"})
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    assert {item.id for item in client.v1.setup_intents.list()} == {setup.id, other.id}


def test_a_refused_card_is_told_and_another_can_follow(client: stripe.StripeClient) -> None:
    setup = client.v1.setup_intents.create({"automatic_payment_methods": _NO_REDIRECTS, "customer": _customer(client)})
    with pytest.raises(stripe.CardError) as refused:
        client.v1.setup_intents.confirm(setup.id, {"payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds"})
    assert refused.value.json_body["error"]["decline_code"] == "insufficient_funds"
    failed = client.v1.setup_intents.retrieve(setup.id)
    assert (failed.status, failed.last_setup_error.code) == ("requires_payment_method", "card_declined")
    assert client.v1.setup_intents.confirm(setup.id, {"payment_method": "pm_card_visa"}).status == "succeeded"
    attempts = client.v1.setup_attempts.list({"setup_intent": setup.id})
    assert [attempt.status for attempt in attempts] == ["succeeded", "failed"]


@pytest.mark.parametrize(("answer", "status"), [("complete", "succeeded"), ("fail", "requires_payment_method")])
def test_the_bank_may_ask(client: stripe.StripeClient, answer: str, status: str) -> None:
    customer = _customer(client)
    setup = _set_up(
        client, "pm_card_authenticationRequiredOnSetup", customer=customer, return_url="http://shop.localhost/back"
    )
    assert (setup.status, setup.next_action.type) == ("requires_action", "redirect_to_url")
    url = setup.next_action.redirect_to_url.url
    page = httpx.get(url, trust_env=False)
    assert page.status_code == 200 and "Visa •••• 3155" in page.text
    decided = httpx.post(
        url.split("?")[0], data={"client_secret": setup.client_secret, "answer": answer}, trust_env=False
    )
    assert decided.status_code == 303
    assert f"setup_intent={setup.id}" in decided.headers["location"]
    after = client.v1.setup_intents.retrieve(setup.id)
    assert after.status == status
    if status == "succeeded":
        assert pay(client, customer=customer, method=after.payment_method, off_session=True).status == "succeeded"


def _open(client: stripe.StripeClient, **more: Any) -> Any:
    return client.v1.checkout.sessions.create(
        {"mode": "setup", "currency": "eur", "success_url": "http://shop.localhost/", **more}
    )


@pytest.mark.parametrize("method", ["pm_card_visa", "pm_card_authenticationRequired"])
def test_a_session_in_setup_mode_keeps_a_card(client: stripe.StripeClient, sandbox: Sandbox, method: str) -> None:
    customer = _customer(client)
    session = _open(client, customer=customer, setup_intent_data={"metadata": {"for": "rent"}})
    assert (session.amount_total, session.payment_status) == (None, "no_payment_required")
    done = complete(sandbox, session.id, method)
    assert done["status"] == "complete"
    setup = client.v1.setup_intents.retrieve(done["setup_intent"], {"expand": ["payment_method"]})
    assert (setup.status, setup.metadata["for"], setup.payment_method.customer) == ("succeeded", "rent", customer)


def test_a_session_in_setup_mode_ends_with_its_intent(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    session = _open(client, customer_creation="always")
    complete(sandbox, session.id, "pm_card_chargeDeclined", status=402)
    with pytest.raises(stripe.InvalidRequestError, match="Checkout Session"):
        client.v1.setup_intents.cancel(session.setup_intent)
    expired = client.v1.checkout.sessions.expire(session.id, {"expand": ["setup_intent"]})
    assert (expired.status, expired.setup_intent.status) == ("expired", "canceled")
    for wrong in ({"line_items": [{"price": "p", "quantity": 1}]}, {"currency": "xyz"}):
        with pytest.raises(stripe.InvalidRequestError):
            _open(client, **wrong)
