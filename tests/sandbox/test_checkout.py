"""Checkout sessions: created, paid, declined, expired."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import stripe

from tests.sandbox.process import Sandbox
from tests.sandbox.stories import complete, open_session


def test_a_session_has_its_page_and_lines_and_no_intent_yet(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    session = open_session(
        client, 1250, client_reference_id="inv-7", metadata={"invoice": "7"}, expand=["line_items.data.price.product"]
    )
    assert session.url == f"{sandbox.url}/c/pay/{session.id}"
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    assert (session.amount_total, session.currency, session.client_reference_id) == (1250, "eur", "inv-7")
    [line] = session.line_items.data
    assert (line.amount_total, line.quantity, line.price.product.name) == (1250, 1, "Invoice 1")
    assert "line_items" not in client.v1.checkout.sessions.retrieve(session.id)


def test_completing_pays_and_carries_the_metadata(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    session = open_session(client, 4200, payment_intent_data={"metadata": {"payment": "p1"}, "description": "Inv 7"})
    done = complete(sandbox, session.id, email="ap@ionian.example", name="A. Payer")
    assert (done["status"], done["payment_status"], done["url"]) == ("complete", "paid", None)
    assert done["customer_details"]["email"] == "ap@ionian.example"
    expand = ["payment_intent.latest_charge.balance_transaction"]
    intent = client.v1.checkout.sessions.retrieve(session.id, {"expand": expand}).payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (intent.status, intent.amount_received, intent.metadata["payment"]) == ("succeeded", 4200, "p1")
    assert (charge.paid, charge.description, charge.metadata["payment"]) == (True, "Inv 7", "p1")
    assert charge.balance_transaction.fee == 152  # 121.8 rounded up, plus 30
    assert charge.balance_transaction.net == 4048


def test_a_declined_card_leaves_the_session_open(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    session = open_session(client)
    refused = complete(sandbox, session.id, "pm_card_visa_chargeDeclinedInsufficientFunds", status=402)["error"]
    assert (refused["type"], refused["code"], refused["decline_code"]) == (
        "card_error",
        "card_declined",
        "insufficient_funds",
    )
    again = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert again.status == "open"
    assert again.payment_intent.status == "requires_payment_method"
    assert complete(sandbox, session.id)["payment_status"] == "paid"
    intents = client.v1.payment_intents.list()
    assert [intent.id for intent in intents] == [again.payment_intent.id]
    assert [charge.status for charge in client.v1.charges.list()] == ["succeeded", "failed"]


def test_many_completions_at_once_charge_once(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    session = open_session(client)
    url = f"{sandbox.url}/_sandbox/checkout/sessions/{session.id}/complete"
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: httpx.post(url, json={}, trust_env=False).status_code, range(8)))
    assert sorted(statuses) == [200] + [409] * 7
    assert len(client.v1.charges.list().data) == 1


def test_three_d_secure_can_be_passed_or_failed(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    session = open_session(client)
    method = "pm_card_authenticationRequired"
    failed = complete(sandbox, session.id, method, authentication="fail")
    assert (failed["status"], failed["payment_status"]) == ("open", "unpaid")
    passed = complete(sandbox, session.id, method)
    assert passed["status"] == "complete"
    charge = client.v1.charges.list().data[0]
    assert charge.payment_method_details.card.three_d_secure.result == "authenticated"


def test_an_expired_session_cannot_be_paid(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    session = open_session(client)
    complete(sandbox, session.id, "pm_card_chargeDeclined", status=402)
    expired = client.v1.checkout.sessions.expire(session.id, {"expand": ["payment_intent"]})
    assert (expired.status, expired.url, expired.payment_intent.status) == ("expired", None, "canceled")
    complete(sandbox, session.id, status=409)
    with pytest.raises(stripe.InvalidRequestError, match="status of expired"):
        client.v1.checkout.sessions.expire(session.id)


def test_expiry_is_between_half_an_hour_and_a_day(client: stripe.StripeClient) -> None:
    now = int(time.time())
    assert open_session(client, expires_at=now + 3600).expires_at == now + 3600
    for wrong in (now + 60, now + 90_000):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            open_session(client, expires_at=wrong)
        assert refused.value.param == "expires_at"


def test_a_customer_is_kept_or_made(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    customer = client.v1.customers.create({"email": "ap@ionian.example", "name": "Ionian Yachts"})
    session = open_session(client, customer=customer.id)
    assert session.customer_details.email == "ap@ionian.example"
    assert complete(sandbox, session.id)["customer"] == customer.id
    guest = open_session(client, customer_creation="always", customer_email="new@example.com")
    made = complete(sandbox, guest.id)["customer"]
    assert client.v1.customers.retrieve(made).email == "new@example.com"
    listed = client.v1.checkout.sessions.list({"customer": customer.id, "status": "complete"})
    assert [item.id for item in listed] == [session.id]


def test_a_stored_price_can_be_sold_several_times(client: stripe.StripeClient) -> None:
    product = client.v1.products.create({"name": "Seat"})
    price = client.v1.prices.create({"currency": "usd", "unit_amount_decimal": "10.5", "product": product.id})
    session = client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "http://shop.localhost/",
            "line_items": [{"price": price.id, "quantity": 13}],
        }
    )
    assert session.amount_total == 137  # 136.5 rounded half up
    assert len(client.v1.checkout.sessions.line_items.list(session.id).data) == 1


def test_manual_capture_completes_unpaid(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    session = open_session(client, payment_intent_data={"capture_method": "manual"})
    done = complete(sandbox, session.id)
    assert (done["status"], done["payment_status"]) == ("complete", "unpaid")
    assert client.v1.payment_intents.capture(done["payment_intent"]).status == "succeeded"


def test_nothing_to_pay_completes_without_an_intent(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    done = complete(sandbox, open_session(client, 0).id)
    assert (done["status"], done["payment_status"], done["payment_intent"]) == ("complete", "no_payment_required", None)


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"line_items": []}, "line_items", "parameter_missing"),
        ({"mode": "subscription"}, "line_items", None),
        ({"success_url": "nowhere"}, "success_url", "url_invalid"),
        ({"surprise": "1"}, "surprise", "parameter_unknown"),
        ({"customer": "cus_none"}, "customer", "resource_missing"),
        ({"line_items": [{"price": "price_none", "quantity": 1}]}, "line_items[0][price]", "resource_missing"),
        (
            {"line_items": [{"price_data": {"currency": "eur", "unit_amount": 9, "product_data": {"name": "x"}}}]},
            "line_items[0][quantity]",
            "parameter_missing",
        ),
    ],
)
def test_wrong_sessions_are_refused(
    client: stripe.StripeClient, change: dict[str, object], param: str, code: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_session(client, **change)
    assert (refused.value.param, refused.value.code) == (param, code)


@pytest.mark.parametrize("typed", [True, False])
def test_a_promotion_code_lowers_a_payment(client: stripe.StripeClient, sandbox: Sandbox, typed: bool) -> None:
    coupon = client.v1.coupons.create({"percent_off": 25, "duration": "once"})
    code = client.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "SPRING", "max_redemptions": 1}
    )
    if typed:
        session = open_session(client, 4200, allow_promotion_codes=True)
        page = f"{session.url}/code"
        assert httpx.post(page, data={"promotion_code": "AUTUMN"}, trust_env=False).status_code == 422
        assert httpx.post(page, data={"promotion_code": "spring"}, trust_env=False).status_code == 303
    else:
        session = open_session(client, 4200, discounts=[{"promotion_code": code.id}])
    lowered = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["line_items"]})
    assert (lowered.amount_subtotal, lowered.amount_total, lowered.total_details.amount_discount) == (4200, 3150, 1050)
    assert "€31.50" in httpx.get(session.url, trust_env=False).text
    late = open_session(client, 4200, discounts=[{"promotion_code": code.id}])
    done = complete(sandbox, session.id)
    assert client.v1.payment_intents.retrieve(done["payment_intent"]).amount_received == 3150
    assert not client.v1.promotion_codes.retrieve(code.id).active
    assert client.v1.coupons.retrieve(coupon.id).times_redeemed == 1
    complete(sandbox, late.id, status=400)


def test_the_intent_of_a_session_is_not_for_others(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    session = open_session(client)
    complete(sandbox, session.id, "pm_card_chargeDeclined", status=402)
    intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent
    with pytest.raises(stripe.InvalidRequestError, match="Checkout Session"):
        client.v1.payment_intents.confirm(intent, {"payment_method": "pm_card_visa"})
    with pytest.raises(stripe.InvalidRequestError, match="Checkout Session"):
        client.v1.payment_intents.cancel(intent)
