"""Payment intents: confirmed, declined, authenticated, captured, canceled."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import stripe

from tests.sandbox.process import Sandbox
from tests.sandbox.stories import pay


def test_created_then_confirmed(client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create(
        {"amount": 2000, "currency": "EUR", "payment_method_types": ["card"], "metadata": {"k": "v"}}
    )
    assert (intent.status, intent.currency, intent.amount_received) == ("requires_payment_method", "eur", 0)
    updated = client.v1.payment_intents.update(intent.id, {"amount": 2500, "payment_method": "pm_card_visa"})
    assert updated.status == "requires_confirmation"
    paid = client.v1.payment_intents.confirm(intent.id, {"expand": ["latest_charge"]})
    assert (paid.status, paid.amount_received) == ("succeeded", 2500)
    assert isinstance(paid.latest_charge, stripe.Charge) and paid.latest_charge.captured
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.confirm(intent.id)
    assert refused.value.code == "payment_intent_unexpected_state"


@pytest.mark.parametrize(
    ("method", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
        ("pm_card_radarBlock", "card_declined", "fraudulent"),
    ],
)
def test_declines_are_kept_and_can_be_tried_again(
    client: stripe.StripeClient, method: str, code: str, decline_code: str | None
) -> None:
    with pytest.raises(stripe.CardError) as refused:
        pay(client, method=method)
    error = refused.value.error
    assert error is not None and error.payment_intent is not None
    assert (refused.value.http_status, error.code, error.to_dict().get("decline_code")) == (402, code, decline_code)
    intent = client.v1.payment_intents.retrieve(error.payment_intent.id, {"expand": ["latest_charge"]})
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error is not None and intent.last_payment_error.code == code
    assert isinstance(intent.latest_charge, stripe.Charge) and intent.latest_charge.status == "failed"
    again = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert (again.status, again.last_payment_error) == ("succeeded", None)
    types = [event.type for event in client.v1.events.list({"limit": 100})]
    assert {"charge.failed", "payment_intent.payment_failed", "payment_intent.succeeded"} <= set(types)


@pytest.mark.parametrize(("answer", "status"), [("complete", "succeeded"), ("fail", "requires_payment_method")])
def test_three_d_secure_leads_to_the_bank_and_back(
    client: stripe.StripeClient, sandbox: Sandbox, answer: str, status: str
) -> None:
    intent = client.v1.payment_intents.create(
        {
            "amount": 3000,
            "currency": "eur",
            "payment_method": "pm_card_authenticationRequired",
            "confirm": True,
            "return_url": "http://shop.localhost/after?order=7",
        }
    )
    assert intent.status == "requires_action"
    assert intent.next_action is not None and intent.next_action.redirect_to_url is not None
    url = intent.next_action.redirect_to_url.url or ""
    assert "Complete authentication" in httpx.get(url, trust_env=False).text
    left = httpx.post(url, data={"answer": answer}, trust_env=False)
    told = parse_qs(urlsplit(left.headers["Location"]).query)
    assert left.status_code == 303
    assert told["order"] == ["7"] and told["payment_intent"] == [intent.id]
    assert told["redirect_status"] == ["succeeded" if answer == "complete" else "failed"]
    assert client.v1.payment_intents.retrieve(intent.id).status == status
    assert httpx.post(url, data={"answer": answer}, trust_env=False).status_code == 409


def test_the_bank_page_needs_the_secret(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    intent = pay(client, method="pm_card_authenticationRequired")
    assert intent.next_action.type == "use_stripe_sdk"
    for secret in ("", "wrong", "ü"):
        answer = httpx.get(f"{sandbox.url}/c/3ds/{intent.id}", params={"client_secret": secret}, trust_env=False)
        assert answer.status_code == 404


def test_a_customer_who_is_away_cannot_authenticate(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"payment_method": "pm_card_authenticationRequired"})
    [method] = client.v1.customers.payment_methods.list(customer.id).data
    with pytest.raises(stripe.CardError) as refused:
        pay(client, customer=customer.id, method=method.id, off_session=True)
    assert refused.value.code == "authentication_required"
    with pytest.raises(stripe.CardError):
        pay(client, method="pm_card_authenticationRequired", error_on_requires_action=True)


def test_manual_capture_takes_all_or_less(client: stripe.StripeClient) -> None:
    held = pay(client, 5000, capture_method="manual")
    assert (held.status, held.amount_capturable, held.amount_received) == ("requires_capture", 5000, 0)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.capture(held.id, {"amount_to_capture": 5001})
    assert refused.value.code == "amount_too_large"
    taken = client.v1.payment_intents.capture(
        held.id, {"amount_to_capture": 3000, "expand": ["latest_charge.balance_transaction"]}
    )
    assert (taken.status, taken.amount_received, taken.amount_capturable) == ("succeeded", 3000, 0)
    charge = taken.latest_charge
    assert isinstance(charge, stripe.Charge) and isinstance(charge.balance_transaction, stripe.BalanceTransaction)
    assert (charge.amount_captured, charge.balance_transaction.amount) == (3000, 3000)


def test_canceling_releases_and_ends(client: stripe.StripeClient) -> None:
    held = pay(client, 5000, capture_method="manual")
    gone = client.v1.payment_intents.cancel(held.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")
    for action in (client.v1.payment_intents.cancel, client.v1.payment_intents.confirm):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            action(held.id)
        assert refused.value.code == "payment_intent_unexpected_state"


def test_redirecting_methods_need_a_return_address(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.create(
            {"amount": 500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
        )
    assert refused.value.param == "return_url"
    assert client.v1.payment_intents.list().data == []


def test_a_card_kept_for_later_is_attached(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({})
    paid = pay(client, customer=customer.id, setup_future_usage="off_session")
    [method] = client.v1.customers.payment_methods.list(customer.id).data
    assert paid.payment_method == method.id
    assert [item.id for item in client.v1.payment_intents.list({"customer": customer.id})] == [paid.id]


def test_after_payment_only_words_can_change(client: stripe.StripeClient) -> None:
    paid = pay(client)
    assert client.v1.payment_intents.update(paid.id, {"metadata": {"k": "v"}}).metadata["k"] == "v"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.update(paid.id, {"amount": 100})
