"""Products and prices."""

from __future__ import annotations

import pytest
import stripe


def test_a_product_with_its_default_price(client: stripe.StripeClient) -> None:
    product = client.v1.products.create(
        {
            "id": "seat",
            "name": "Seat",
            "default_price_data": {"currency": "eur", "unit_amount": 900, "recurring": {"interval": "month"}},
            "marketing_features": [{"name": "All of it"}],
            "package_dimensions": {"height": 1, "length": 2.5, "weight": 3, "width": 4},
            "expand": ["default_price"],
        }
    )
    price = product.default_price
    assert isinstance(price, stripe.Price) and price.recurring is not None
    assert (price.unit_amount, price.type, price.recurring.interval_count) == (900, "recurring", 1)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.products.create({"id": "seat", "name": "Again"})
    assert refused.value.code == "resource_already_exists"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.products.delete("seat")


def test_products_change_are_listed_and_deleted(client: stripe.StripeClient) -> None:
    kept, gone = (client.v1.products.create({"name": name}) for name in ("Kept", "Gone"))
    client.v1.products.update(kept.id, {"active": False, "description": "Off", "url": "https://example.com/p"})
    assert client.v1.products.delete(gone.id).deleted is True
    assert [item.id for item in client.v1.products.list({"active": False})] == [kept.id]
    assert [item.id for item in client.v1.products.list({"ids": [kept.id, gone.id]})] == [kept.id]
    types = [event.type for event in client.v1.events.list()]
    assert types == ["product.deleted", "product.updated", "product.created", "product.created"]


def test_prices_are_found_by_lookup_key_and_give_it_up(client: stripe.StripeClient) -> None:
    first = client.v1.prices.create(
        {"currency": "eur", "unit_amount": 100, "product_data": {"name": "Plan"}, "lookup_key": "plan"}
    )
    second = {"currency": "eur", "unit_amount": 200, "product": first.product, "lookup_key": "plan"}
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.prices.create(second)
    moved = client.v1.prices.create({**second, "transfer_lookup_key": True})
    assert [item.id for item in client.v1.prices.list({"lookup_keys": ["plan"]})] == [moved.id]
    assert client.v1.prices.retrieve(first.id).lookup_key is None


def test_fractions_of_a_cent_are_kept_as_text(client: stripe.StripeClient) -> None:
    price = client.v1.prices.create(
        {"currency": "usd", "unit_amount_decimal": "0.125", "product_data": {"name": "Call"}}
    )
    assert (price.unit_amount, str(price.unit_amount_decimal)) == (None, "0.125")


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"unit_amount": ""}, "unit_amount"),
        ({"unit_amount": 5, "unit_amount_decimal": "5"}, "unit_amount_decimal"),
        ({"unit_amount_decimal": "-1"}, "unit_amount_decimal"),
        ({"unit_amount_decimal": "NaN"}, "unit_amount_decimal"),
        ({}, "unit_amount"),
        ({"unit_amount": 5, "product": "prod_none"}, "product"),
        ({"unit_amount": 5, "recurring": {"interval": "eon"}}, "recurring[interval]"),
    ],
)
def test_wrong_prices_are_refused(client: stripe.StripeClient, change: dict[str, object], param: str) -> None:
    given = {"currency": "eur", "product": client.v1.products.create({"name": "P"}).id, **change}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.prices.create(given)  # type: ignore[arg-type]
    assert refused.value.param == param


def test_a_price_can_be_put_away_but_not_repriced(client: stripe.StripeClient) -> None:
    price = client.v1.prices.create({"currency": "eur", "unit_amount": 100, "product_data": {"name": "Plan"}})
    assert client.v1.prices.update(price.id, {"active": False, "nickname": "old"}).active is False
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.prices.update(price.id, {"unit_amount": 200})  # type: ignore[typeddict-unknown-key]
    assert refused.value.code == "parameter_unknown"
