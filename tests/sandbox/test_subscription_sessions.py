"""Checkout sessions in the mode `subscription`."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.process import Sandbox
from tests.sandbox.stories import complete


def _session(client: stripe.StripeClient, **more: Any) -> Any:
    line = {
        "price_data": {
            "currency": "eur",
            "unit_amount": 2000,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Team"},
        },
        "quantity": 2,
    }
    return client.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "success_url": "http://shop.localhost/done?session={CHECKOUT_SESSION_ID}",
            "line_items": [line],
            **more,
        }
    )


def test_a_paid_session_has_begun_a_subscription(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    session = _session(client, subscription_data={"metadata": {"tenant": "northwind"}, "description": "Team"})
    assert (session.amount_total, session.customer_creation, session.payment_intent) == (4000, "always", None)
    complete(sandbox, session.id, email="ap@ionian.example")
    done = client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["subscription.default_payment_method", "invoice", "customer"]}
    ).to_dict()
    assert (done["status"], done["payment_status"]) == ("complete", "paid")
    subscription = done["subscription"]
    assert (subscription["status"], subscription["metadata"]) == ("active", {"tenant": "northwind"})
    assert subscription["default_payment_method"]["customer"] == done["customer"]["id"]
    assert (done["invoice"]["amount_paid"], done["customer"]["email"]) == (4000, "ap@ionian.example")
    assert client.v1.events.list({"limit": 1}).data[0].type == "checkout.session.completed"


def test_a_trial_costs_nothing_today(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    session = _session(client, subscription_data={"trial_period_days": 14})
    assert (session.amount_total, session.payment_method_collection) == (0, "always")
    page = httpx.get(session.url, trust_env=False).text
    assert (
        "Start the trial" in page and "Free until" in page and "€40.00" in page and "per month after the trial" in page
    )
    complete(sandbox, session.id)
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    assert done.payment_status == "no_payment_required"
    assert isinstance(done.subscription, stripe.Subscription)
    assert (done.subscription.status, done.subscription.default_payment_method is None) == ("trialing", False)


def test_discounts_and_tax_are_reckoned_in(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    coupon = client.v1.coupons.create({"percent_off": 25, "duration": "once"})
    code = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "HELLO"})
    rate = client.v1.tax_rates.create({"display_name": "USt", "inclusive": False, "percentage": 19})
    session = _session(
        client,
        discounts=[{"promotion_code": code.id}],
        subscription_data={"default_tax_rates": [rate.id]},
        expand=["line_items"],
    )
    assert (session.amount_subtotal, session.amount_total) == (4000, 3570)
    assert session.total_details.to_dict() == {"amount_discount": 1000, "amount_shipping": 0, "amount_tax": 570}
    complete(sandbox, session.id)
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["invoice"]})
    assert isinstance(done.invoice, stripe.Invoice) and done.invoice.amount_paid == 3570
    assert client.v1.promotion_codes.retrieve(code.id).times_redeemed == 1


def test_a_refused_card_leaves_it_open_for_another(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    session = _session(client)
    complete(sandbox, session.id, "pm_card_chargeDeclined", status=402)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    complete(sandbox, session.id)
    [subscription] = client.v1.subscriptions.list({"status": "all"}).data
    assert subscription.status == "active"


@pytest.mark.parametrize(("answer", "status"), [("complete", "complete"), ("fail", "open")])
def test_3d_secure_on_the_way(sandbox: Sandbox, client: stripe.StripeClient, answer: str, status: str) -> None:
    session = _session(client)
    complete(sandbox, session.id, "pm_card_authenticationRequired", authentication=answer)
    assert client.v1.checkout.sessions.retrieve(session.id).status == status


def test_an_expired_session_ends_what_it_began(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    session = _session(client)
    complete(sandbox, session.id, "pm_card_chargeDeclined", status=402)
    assert client.v1.checkout.sessions.expire(session.id).status == "expired"
    [subscription] = client.v1.subscriptions.list({"status": "all"}).data
    assert subscription.status == "incomplete_expired"


def test_a_customer_on_a_clock_subscribes_at_its_time(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": 1_900_000_000})
    customer = client.v1.customers.create({"test_clock": clock.id, "email": "ap@ionian.example"})
    session = _session(client, customer=customer.id)
    complete(sandbox, session.id)
    [subscription] = client.v1.subscriptions.list({"customer": customer.id}).data
    assert subscription.created == 1_900_000_000


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"customer_creation": "always"}, "customer_creation"),
        ({"payment_intent_data": {"description": "no"}}, "payment_intent_data"),
        ({"discounts": [{"coupon": "none"}]}, "discounts[0][coupon]"),
        ({"allow_promotion_codes": True, "discounts": [{"coupon": "none"}]}, "discounts"),
        ({"line_items": ""}, "line_items"),
    ],
)
def test_what_does_not_fit_the_mode_is_refused(client: stripe.StripeClient, given: dict[str, Any], param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        _session(client, **given)
    assert refused.value.param == param
