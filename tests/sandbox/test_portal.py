"""The customer portal: configurations, sessions, and the hosted page."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.process import Sandbox

CARD = {"card_number": "4242 4242 4242 4242", "expiry": "12 / 40", "cvc": "123", "name": "A. Payer"}


@pytest.fixture
def customer(client: stripe.StripeClient) -> Any:
    """A customer without a card."""
    return client.v1.customers.create({"email": "ap@ionian.example", "name": "Ionian Yachts"})


def _open(client: stripe.StripeClient, customer: str, **more: Any) -> Any:
    return client.v1.billing_portal.sessions.create(
        {"customer": customer, "return_url": "http://shop.localhost/account", **more}
    )


def _page(url: str) -> str:
    answer = httpx.get(url, trust_env=False)
    assert answer.status_code == 200
    return answer.text


def _act(url: str, action: str, **fields: str) -> httpx.Response:
    return httpx.post(f"{url}/{action}", data=fields, trust_env=False)


def test_a_session_opens_with_the_default_configuration(
    client: stripe.StripeClient, sandbox: Sandbox, customer: Any
) -> None:
    session = _open(client, customer.id, expand=["configuration"])
    assert session.url == f"{sandbox.url}/p/session/{session.id}"
    assert session.configuration.is_default and session.configuration.features.subscription_cancel.enabled
    assert _open(client, customer.id).configuration == session.configuration.id
    text = _page(session.url)
    assert "Add a card" in text and "Sandbox" in text and "http://shop.localhost/account" in text
    assert httpx.get(f"{sandbox.url}/p/session/bps_none", trust_env=False).status_code == 404


def test_configurations_say_what_the_page_offers(client: stripe.StripeClient, customer: Any) -> None:
    configuration = client.v1.billing_portal.configurations.create(
        {"features": {"invoice_history": {"enabled": True}}, "business_profile": {"headline": "Your plan with us"}}
    )
    assert not configuration.features.payment_method_update.enabled
    session = _open(client, customer.id, configuration=configuration.id)
    text = _page(session.url)
    assert "Your plan with us" in text and "Invoices" in text and "Add a card" not in text
    assert _act(session.url, "card", **CARD).status_code == 422
    changed = client.v1.billing_portal.configurations.update(
        configuration.id, {"features": {"payment_method_update": {"enabled": True}}, "metadata": {"k": "v"}}
    )
    assert changed.features.payment_method_update.enabled and changed.features.invoice_history.enabled
    assert "Add a card" in _page(session.url)
    client.v1.billing_portal.configurations.update(configuration.id, {"active": False})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        _open(client, customer.id, configuration=configuration.id)
    assert refused.value.param == "configuration"
    listed = client.v1.billing_portal.configurations.list({"active": False})
    assert [item.id for item in listed] == [configuration.id]


def test_a_card_is_added_chosen_and_removed(client: stripe.StripeClient, customer: Any) -> None:
    url = _open(client, customer.id).url
    for number in ("4242 4242 4242 4242", "5555 5555 5555 4444"):
        assert _act(url, "card", **CARD | {"card_number": number}).status_code == 303
    second, first = client.v1.payment_methods.list({"customer": customer.id}).data
    settings = client.v1.customers.retrieve(customer.id).invoice_settings
    assert settings.default_payment_method == second.id
    assert _act(url, "remove", payment_method=second.id).status_code == 422
    assert _act(url, "default", payment_method=first.id).status_code == 303
    assert _act(url, "remove", payment_method=second.id).status_code == 303
    assert [item.id for item in client.v1.payment_methods.list({"customer": customer.id})] == [first.id]
    assert "•••• 4242" in _page(url)


def test_a_card_of_another_customer_is_not_touched(client: stripe.StripeClient, customer: Any) -> None:
    other = client.v1.customers.create({"payment_method": "pm_card_visa"})
    [method] = client.v1.payment_methods.list({"customer": other.id}).data
    for action in ("default", "remove"):
        assert _act(_open(client, customer.id).url, action, payment_method=method.id).status_code == 422
    assert client.v1.payment_methods.retrieve(method.id).customer == other.id


def test_a_refused_card_is_said_and_not_kept(client: stripe.StripeClient, customer: Any) -> None:
    url = _open(client, customer.id).url
    answer = _act(url, "card", **CARD | {"card_number": "4000 0000 0000 0002"})
    assert answer.status_code == 402 and "Your card was declined." in answer.text
    assert _act(url, "card", **CARD | {"expiry": "soon"}).status_code == 422
    assert client.v1.payment_methods.list({"customer": customer.id}).data == []


def test_the_bank_may_ask_before_a_card_is_kept(client: stripe.StripeClient, customer: Any) -> None:
    url = _open(client, customer.id).url
    asked = _act(url, "card", **CARD | {"card_number": "4000 0025 0000 3155"})
    challenge = httpx.URL(asked.headers["location"])
    decided = httpx.post(
        challenge.copy_with(query=None),
        data={"client_secret": challenge.params["client_secret"], "answer": "complete"},
        trust_env=False,
    )
    assert decided.status_code == 303 and f"{url.split('/', 3)[3]}?done=card" in decided.headers["location"]
    [method] = client.v1.payment_methods.list({"customer": customer.id}).data
    settings = client.v1.customers.retrieve(customer.id).invoice_settings
    assert settings.default_payment_method == method.id


def test_details_are_changed(client: stripe.StripeClient, customer: Any) -> None:
    url = _open(client, customer.id).url
    done = _act(url, "details", name="Ionian AG", email="billing@ionian.example", line1="Quay 1", country="GR")
    assert done.status_code == 303
    changed = client.v1.customers.retrieve(customer.id)
    assert (changed.name, changed.email, changed.address.line1) == ("Ionian AG", "billing@ionian.example", "Quay 1")
    assert _act(url, "details", name="x", email="nothing").status_code == 422


@pytest.fixture
def subscribed(client: stripe.StripeClient, customer: Any) -> tuple[Any, Any, Any]:
    """A subscription of the customer, with a larger plan beside its own."""
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})
    small, large = (
        client.v1.prices.create(
            {
                "currency": "eur",
                "unit_amount": amount,
                "recurring": {"interval": "month"},
                "product_data": {"name": name},
            }
        )
        for name, amount in (("Small plan", 900), ("Large plan", 2900))
    )
    subscription = client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": small.id}]})
    return subscription, small, large


def test_plan_and_quantity_are_changed(
    client: stripe.StripeClient, customer: Any, subscribed: tuple[Any, Any, Any]
) -> None:
    subscription, _, large = subscribed
    url = _open(client, customer.id).url
    text = _page(url)
    assert "Small plan" in text and "Large plan" in text and "Renews on" in text
    done = _act(url, "change", subscription=subscription.id, price=large.id, quantity="3")
    assert done.status_code == 303
    [item] = client.v1.subscriptions.retrieve(subscription.id)["items"].data
    assert (item.price.id, item.quantity) == (large.id, 3)
    for wrong in ({"price": "price_none"}, {"quantity": "0"}, {"quantity": "many"}):
        assert _act(url, "change", subscription=subscription.id, **wrong).status_code == 422


def test_a_subscription_is_canceled_with_a_reason_and_kept_after_all(
    client: stripe.StripeClient, customer: Any, subscribed: tuple[Any, Any, Any]
) -> None:
    subscription = subscribed[0]
    after = {"type": "redirect", "redirect": {"return_url": "http://shop.localhost/canceled"}}
    flow = {
        "type": "subscription_cancel",
        "subscription_cancel": {"subscription": subscription.id},
        "after_completion": after,
    }
    url = _open(client, customer.id, flow_data=flow).url
    assert "Add a card" in _page(url)
    done = _act(url, "cancel", subscription=subscription.id, feedback="too_expensive", comment="Maybe later")
    assert done.headers["location"] == "http://shop.localhost/canceled"
    ending = client.v1.subscriptions.retrieve(subscription.id)
    assert ending.cancel_at_period_end
    assert (ending.cancellation_details.feedback, ending.cancellation_details.comment) == (
        "too_expensive",
        "Maybe later",
    )
    assert _act(url, "keep", subscription=subscription.id).status_code == 303
    assert not client.v1.subscriptions.retrieve(subscription.id).cancel_at_period_end


def test_a_subscription_of_another_customer_is_not_touched(
    client: stripe.StripeClient, subscribed: tuple[Any, Any, Any]
) -> None:
    other = client.v1.customers.create({})
    assert _act(_open(client, other.id).url, "cancel", subscription=subscribed[0].id).status_code == 422
    assert not client.v1.subscriptions.retrieve(subscribed[0].id).cancel_at_period_end


def test_canceling_can_take_effect_at_once(
    client: stripe.StripeClient, customer: Any, subscribed: tuple[Any, Any, Any]
) -> None:
    configuration = client.v1.billing_portal.configurations.create(
        {"features": {"subscription_cancel": {"enabled": True, "mode": "immediately"}}}
    )
    url = _open(client, customer.id, configuration=configuration.id).url
    assert _act(url, "cancel", subscription=subscribed[0].id).status_code == 303
    assert client.v1.subscriptions.retrieve(subscribed[0].id).status == "canceled"
    assert "There is no subscription." in _page(url)
