"""Prices in tiers and packages; customers' tax identifiers and balances."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.billing_stories import begin

TIERS = [
    {"up_to": 5, "unit_amount": 1000, "flat_amount": 500},
    {"up_to": 10, "unit_amount": 800},
    {"up_to": "inf", "unit_amount_decimal": "500.5"},
]


@pytest.mark.parametrize(("mode", "total"), [("graduated", 5500 + 4000 + 1001), ("volume", 6006)])
def test_tiers_are_charged_by_their_mode(client: stripe.StripeClient, mode: str, total: int) -> None:
    billing = begin(client)
    price = client.v1.prices.create(
        {
            "currency": "eur",
            "billing_scheme": "tiered",
            "tiers_mode": mode,
            "tiers": TIERS,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Calls"},
            "expand": ["tiers"],
        }  # type: ignore[typeddict-item]
    )
    assert price.tiers is not None and [tier.up_to for tier in price.tiers] == [5, 10, None]
    assert price.unit_amount is None
    assert client.v1.prices.retrieve(price.id).to_dict().get("tiers") is None
    assert billing.subscribe(price.id, 12).latest_invoice.total == total


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"tiers": [{"up_to": 5, "unit_amount": 1}]}, "tiers"),
        ({"tiers": [{"up_to": "inf", "unit_amount": 1}, {"up_to": 5, "unit_amount": 1}]}, "tiers"),
        ({"tiers": [{"up_to": "inf"}]}, "tiers[0]"),
        ({"tiers": [{"unit_amount": 1}]}, "tiers[0][up_to]"),
        ({"tiers_mode": "steep"}, "tiers_mode"),
        ({"unit_amount": 5}, "unit_amount"),
    ],
)
def test_wrong_tiers_are_refused(client: stripe.StripeClient, change: dict[str, Any], param: str) -> None:
    given = {
        "currency": "eur",
        "billing_scheme": "tiered",
        "tiers_mode": "volume",
        "tiers": TIERS,
        "product_data": {"name": "Calls"},
        **change,
    }
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.prices.create(given)  # type: ignore[arg-type]
    assert refused.value.param == param


def test_packages_are_rounded_as_said(client: stripe.StripeClient) -> None:
    billing = begin(client)
    price = billing.price(700, transform_quantity={"divide_by": 10, "round": "up"})
    assert billing.subscribe(price.id, 21).latest_invoice.total == 2100


@pytest.mark.parametrize(
    ("kind", "value", "status"),
    [
        ("eu_vat", "DE000000000", "verified"),
        ("eu_vat", "FRAB111111111", "unverified"),
        ("gb_vat", "GB222222222", "pending"),
        ("us_ein", "12-3456789", "unavailable"),
    ],
)
def test_tax_ids_are_checked_as_their_value_says(
    client: stripe.StripeClient, kind: Any, value: str, status: str
) -> None:
    customer = client.v1.customers.create({})
    tax_id = client.v1.customers.tax_ids.create(customer.id, {"type": kind, "value": value})
    later = client.v1.customers.tax_ids.retrieve(customer.id, tax_id.id)
    assert later.verification is not None and later.verification.status == status
    assert [one.id for one in client.v1.customers.tax_ids.list(customer.id)] == [tax_id.id]
    assert client.v1.customers.tax_ids.delete(customer.id, tax_id.id).deleted is True
    told = {event.type for event in client.v1.events.list()}
    assert {"customer.tax_id.created", "customer.tax_id.deleted"} <= told
    assert ("customer.tax_id.updated" in told) == (status in ("verified", "unverified"))


def test_wrong_tax_ids_are_refused_and_right_ones_stand_on_invoices(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.create({"tax_id_data": [{"type": "eu_vat", "value": "ZZ1"}]})
    assert (refused.value.code, refused.value.param) == ("tax_id_invalid", "tax_id_data[0][value]")
    billing = begin(client, tax_id_data=[{"type": "eu_vat", "value": "DE000000000"}])
    invoice = billing.subscribe(billing.price(1000).id).latest_invoice
    assert [(one.type, one.value) for one in invoice.customer_tax_ids] == [("eu_vat", "DE000000000")]
    customer = client.v1.customers.retrieve(billing.customer, {"expand": ["tax_ids", "subscriptions"]})
    assert customer.tax_ids is not None and len(customer.tax_ids.data) == 1
    assert customer.subscriptions is not None and len(customer.subscriptions.data) == 1


def test_the_balance_is_the_sum_of_its_entries(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"balance": -500}).id
    entries = client.v1.customers.balance_transactions
    entries.create(customer, {"amount": 300, "currency": "eur", "description": "Fee"})
    client.v1.customers.update(customer, {"balance": 1000})
    listed = entries.list(customer).data
    assert [(entry.amount, entry.ending_balance) for entry in listed] == [(1200, 1000), (300, -200), (-500, -500)]
    assert client.v1.customers.retrieve(customer).balance == sum(entry.amount for entry in listed)
    noted = entries.update(customer, listed[0].id, {"metadata": {"k": "v"}}).metadata
    assert noted is not None and noted.to_dict() == {"k": "v"}
    for wrong in ({"amount": 0, "currency": "eur"}, {"amount": 5, "currency": "usd"}):
        with pytest.raises(stripe.InvalidRequestError):
            entries.create(customer, wrong)  # type: ignore[arg-type]
