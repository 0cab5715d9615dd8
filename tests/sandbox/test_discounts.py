"""Coupons, promotion codes and the discounts they become."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.billing_stories import DAY, START, begin, instant, sums_up
from tests.sandbox.process import Sandbox


def _totals(billing: Any) -> list[int]:
    return [invoice.total for invoice in billing.invoices()]


@pytest.mark.parametrize(
    ("coupon", "totals"),
    [
        ({"percent_off": 25, "duration": "once"}, [750, 1000, 1000]),
        ({"percent_off": 25, "duration": "forever"}, [750, 750, 750]),
        ({"percent_off": 33.35, "duration": "repeating", "duration_in_months": 2}, [666, 666, 1000]),
        ({"amount_off": 300, "currency": "eur", "duration": "once"}, [700, 1000, 1000]),
        ({"amount_off": 5000, "currency": "eur", "duration": "once"}, [0, 1000, 1000]),
        ({"percent_off": 100, "duration": "repeating", "duration_in_months": 1}, [0, 1000, 1000]),
    ],
)
def test_coupons_last_as_long_as_they_say(
    client: stripe.StripeClient, coupon: dict[str, Any], totals: list[int]
) -> None:
    billing = begin(client)
    made = client.v1.coupons.create(coupon)  # type: ignore[arg-type]
    subscription = billing.subscribe(billing.price(1000).id, discounts=[{"coupon": made.id}])
    assert subscription.status == "active"
    billing.advance(instant("2027-03-01"))
    billing.advance(instant("2027-04-01"))
    assert _totals(billing) == totals
    assert all(sums_up(invoice) for invoice in billing.invoices())
    assert client.v1.coupons.retrieve(made.id).times_redeemed == 1
    left = [] if coupon["duration"] != "forever" else subscription.discounts
    assert billing.again(subscription).discounts == left


def test_a_used_up_or_late_coupon_is_not_redeemed(client: stripe.StripeClient) -> None:
    billing = begin(client)
    coupon = client.v1.coupons.create({"id": "LAUNCH", "percent_off": 10, "max_redemptions": 1})
    price = billing.price(1000).id
    billing.subscribe(price, discounts=[{"coupon": coupon.id}])
    assert client.v1.coupons.retrieve("LAUNCH").valid is False
    with pytest.raises(stripe.InvalidRequestError) as refused:
        billing.subscribe(price, discounts=[{"coupon": "LAUNCH"}])
    assert refused.value.code == "coupon_expired"
    assert client.v1.coupons.delete("LAUNCH").deleted is True
    assert client.v1.coupons.create({"id": "LAUNCH", "percent_off": 5}).times_redeemed == 0


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({}, "percent_off"),
        ({"percent_off": 10, "amount_off": 10, "currency": "eur"}, "percent_off"),
        ({"percent_off": 101}, "percent_off"),
        ({"percent_off": 0}, "percent_off"),
        ({"amount_off": 10}, "currency"),
        ({"amount_off": 0, "currency": "eur"}, "amount_off"),
        ({"percent_off": 10, "duration": "repeating"}, "duration_in_months"),
        ({"percent_off": 10, "duration": "weekly"}, "duration"),
        ({"percent_off": 10, "redeem_by": 1}, "redeem_by"),
        ({"percent_off": 10, "applies_to": {"products": ["prod_none"]}}, "applies_to[products][0]"),
    ],
)
def test_wrong_coupons_are_refused(client: stripe.StripeClient, given: dict[str, Any], param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.coupons.create(given)  # type: ignore[arg-type]
    assert refused.value.param == param


def test_a_coupon_for_some_products_leaves_the_others(client: stripe.StripeClient) -> None:
    billing = begin(client)
    team, seat = billing.price(1000), billing.price(500)
    coupon = client.v1.coupons.create(
        {"percent_off": 50, "applies_to": {"products": [str(team.product)]}, "expand": ["applies_to"]}
    )
    assert coupon.applies_to is not None and coupon.applies_to.products == [team.product]
    subscription = client.v1.subscriptions.create(
        {
            "customer": billing.customer,
            "items": [{"price": team.id}, {"price": seat.id}],
            "discounts": [{"coupon": coupon.id}],
            "expand": ["latest_invoice.discounts.source.coupon"],
        }
    )
    invoice: Any = subscription.latest_invoice
    assert invoice.total == 1000
    assert invoice.discounts[0].source.coupon.percent_off == 50


def _code(client: stripe.StripeClient, **more: Any) -> Any:
    coupon = client.v1.coupons.create({"percent_off": 20, "duration": "forever"})
    return client.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "Summer", **more}
    )


def test_a_promotion_code_is_redeemed_and_counted(client: stripe.StripeClient) -> None:
    billing = begin(client)
    code = _code(client, max_redemptions=1, metadata={"campaign": "7"})
    subscription = billing.subscribe(
        billing.price(1000).id, discounts=[{"promotion_code": code.id}], expand=["discounts", "latest_invoice"]
    )
    assert subscription.latest_invoice.total == 800
    assert subscription.discounts[0].promotion_code == code.id
    after = client.v1.promotion_codes.retrieve(code.id, {"expand": ["promotion.coupon"]})
    assert (after.active, after.times_redeemed) == (False, 1)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.promotion_codes.update(code.id, {"active": True})


@pytest.mark.parametrize(
    ("restriction", "code"),
    [
        (
            {"restrictions": {"minimum_amount": 5000, "minimum_amount_currency": "eur"}},
            "promotion_code_minimum_amount_not_met",
        ),
        ({"restrictions": {"first_time_transaction": True}}, "promotion_code_customer_not_first_time"),
        ({"active": False}, "resource_missing"),
    ],
)
def test_a_promotion_code_has_its_limits(client: stripe.StripeClient, restriction: dict[str, Any], code: str) -> None:
    billing = begin(client)
    billing.subscribe(billing.price(1000).id)
    promotion = _code(client, **restriction)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        billing.subscribe(billing.price(1000).id, discounts=[{"promotion_code": promotion.id}])
    assert refused.value.code == code


def test_codes_are_for_one_customer_when_said_so_and_unique_while_active(client: stripe.StripeClient) -> None:
    billing, other = begin(client), begin(client)
    promotion = _code(client, customer=other.customer)
    with pytest.raises(stripe.InvalidRequestError):
        billing.subscribe(billing.price(1000).id, discounts=[{"promotion_code": promotion.id}])
    everyone = client.v1.coupons.create({"percent_off": 5}).id
    with pytest.raises(stripe.InvalidRequestError) as taken:
        client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": everyone}, "code": "SUMMER"})
    assert taken.value.code == "resource_already_exists"
    client.v1.promotion_codes.update(promotion.id, {"active": False})
    client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": everyone}, "code": "SUMMER"})
    assert [one.customer for one in client.v1.promotion_codes.list({"code": "summer", "active": True})] == [None]


def test_a_customers_discount_reaches_what_has_none_of_its_own(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    billing = begin(client)
    coupon = client.v1.coupons.create({"percent_off": 10, "duration": "forever"})
    sandbox.control("POST", f"customers/{billing.customer}/discount", {"coupon": coupon.id})
    assert billing.subscribe(billing.price(1000).id).latest_invoice.total == 900
    customer = client.v1.customers.retrieve(billing.customer, {"expand": ["discount.source.coupon"]})
    assert customer.discount is not None and isinstance(customer.discount.source.coupon, stripe.Coupon)
    assert customer.discount.source.coupon.id == coupon.id
    assert client.v1.customers.delete_discount(billing.customer).deleted is True
    assert client.v1.customers.retrieve(billing.customer).discount is None


def test_changed_discounts_end_the_earlier_ones(client: stripe.StripeClient) -> None:
    billing = begin(client)
    first, second = (client.v1.coupons.create({"percent_off": off, "duration": "forever"}).id for off in (10, 50))
    subscription = billing.subscribe(billing.price(1000).id, discounts=[{"coupon": first}])
    [kept] = subscription.discounts
    both = billing.change(subscription, discounts=[{"discount": kept}, {"coupon": second}])
    assert len(both.discounts) == 2
    billing.advance(START + 29 * DAY)
    assert billing.again(subscription).latest_invoice.total == 450
    assert billing.change(subscription, discounts="").discounts == []
    assert billing.event_types("customer.discount") == [
        "customer.discount.created",
        "customer.discount.created",
        "customer.discount.deleted",
        "customer.discount.deleted",
    ]
