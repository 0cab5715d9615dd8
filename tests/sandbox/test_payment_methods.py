"""Payment methods: made from test numbers, tokens and names; attached and detached."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.stories import pay


def _card(number: str = "4242424242424242", **more: object) -> dict[str, object]:
    return {"type": "card", "card": {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123", **more}}


def test_numbers_and_tokens_make_cards(client: stripe.StripeClient) -> None:
    by_number = client.v1.payment_methods.create(_card("5555 5555 5555 4444"))
    by_token = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_amex"}})
    assert by_number.card is not None and (by_number.card.brand, by_number.card.last4) == ("mastercard", "4444")
    assert by_token.card is not None and by_token.card.brand == "amex"
    assert by_number.card.fingerprint != by_token.card.fingerprint


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"number": "4242424242424241"}, "incorrect_number", "number"),
        ({"number": "4111111111111111"}, "card_declined", None),
        ({"exp_year": 2001}, "invalid_expiry_year", "exp_year"),
        ({"cvc": "12"}, "invalid_cvc", "cvc"),
    ],
)
def test_wrong_card_data_are_card_errors(
    client: stripe.StripeClient, change: dict[str, object], code: str, param: str | None
) -> None:
    with pytest.raises(stripe.CardError) as refused:
        client.v1.payment_methods.create(_card(**change))
    assert (refused.value.http_status, refused.value.code, refused.value.param) == (402, code, param)


def test_a_month_is_a_month(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_methods.create(_card(exp_month=13))
    assert refused.value.param == "card[exp_month]"


def test_attaching_keeps_a_card_and_detaching_ends_it(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({})
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    assert method.id != "pm_card_visa" and method.customer == customer.id
    assert pay(client, customer=customer.id, method=method.id).status == "succeeded"
    assert pay(client, customer=customer.id, method=method.id).status == "succeeded"
    listed = client.v1.payment_methods.list({"customer": customer.id, "type": "card"})
    assert [item.id for item in listed] == [method.id]
    assert client.v1.payment_methods.detach(method.id).customer is None
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_methods.attach(method.id, {"customer": customer.id})
    with pytest.raises(stripe.InvalidRequestError):
        pay(client, method=method.id)


def test_a_card_that_declines_is_not_attached(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({})
    with pytest.raises(stripe.CardError) as refused:
        client.v1.payment_methods.attach("pm_card_chargeDeclined", {"customer": customer.id})
    assert refused.value.code == "card_declined"
    kept = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
    with pytest.raises(stripe.CardError):
        pay(client, customer=customer.id, method=kept.id)


def test_an_unattached_method_pays_once_and_others_cannot_use_an_attached_one(client: stripe.StripeClient) -> None:
    method = client.v1.payment_methods.create(_card())
    pay(client, method=method.id)
    with pytest.raises(stripe.InvalidRequestError):
        pay(client, method=method.id)
    owner = client.v1.customers.create({"payment_method": "pm_card_visa"})
    [owned] = client.v1.customers.payment_methods.list(owner.id).data
    with pytest.raises(stripe.InvalidRequestError):
        pay(client, method=owned.id)


def test_a_kept_method_can_be_changed(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({})
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    changed = client.v1.payment_methods.update(
        method.id, {"billing_details": {"name": "A. Payer"}, "card": {"exp_month": 3, "exp_year": 2041}}
    )
    assert changed.billing_details.name == "A. Payer"
    assert changed.card is not None and (changed.card.exp_month, changed.card.exp_year) == (3, 2041)
