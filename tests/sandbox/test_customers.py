"""Customers: kept, changed, listed, deleted."""

from __future__ import annotations

import pytest
import stripe


def test_a_customer_keeps_what_is_given(client: stripe.StripeClient) -> None:
    created = client.v1.customers.create(
        {
            "email": "ap@ionian.example",
            "name": "Ionian Yachts",
            "phone": "+30 1",
            "address": {"city": "Corfu", "country": "GR"},
            "shipping": {"name": "Dock", "address": {"line1": "Quay 1"}},
            "metadata": {"tenant": "northwind", "7": "seven"},
            "preferred_locales": ["el", "en"],
            "tax_exempt": "reverse",
        }
    )
    customer = client.v1.customers.retrieve(created.id)
    assert customer.id.startswith("cus_")
    assert customer.address is not None and customer.address.city == "Corfu"
    assert customer.metadata is not None and customer.metadata.to_dict() == {"tenant": "northwind", "7": "seven"}
    assert customer.preferred_locales == ["el", "en"]


def test_metadata_is_merged_and_unset(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"metadata": {"a": "1", "b": "2"}})
    merged = client.v1.customers.update(customer.id, {"metadata": {"b": "", "c": "3"}})
    assert merged.metadata is not None and merged.metadata.to_dict() == {"a": "1", "c": "3"}
    emptied = client.v1.customers.update(customer.id, {"metadata": ""})
    assert emptied.metadata is not None and emptied.metadata.to_dict() == {}


def test_an_empty_value_unsets(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Ionian", "address": {"city": "Corfu"}})
    changed = client.v1.customers.update(customer.id, {"name": "", "address": ""})
    assert (changed.name, changed.address) == (None, None)


def test_a_deleted_customer_says_so_and_leaves_the_lists(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"email": "gone@example.com"})
    assert client.v1.customers.delete(customer.id).deleted is True
    assert client.v1.customers.retrieve(customer.id).deleted is True
    assert client.v1.customers.list({"email": "gone@example.com"}).data == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.update(customer.id, {"name": "back"})


def test_changes_are_told_with_what_was_before(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Old", "metadata": {"k": "1"}})
    client.v1.customers.update(customer.id, {"name": "Old"})
    client.v1.customers.update(customer.id, {"name": "New", "metadata": {"k": "2"}})
    client.v1.customers.delete(customer.id)
    events = client.v1.events.list().data
    assert [event.type for event in events] == ["customer.deleted", "customer.updated", "customer.created"]
    assert events[1].to_dict()["data"]["previous_attributes"] == {"name": "Old", "metadata": {"k": "1"}}


def test_a_default_payment_method_must_be_attached(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"payment_method": "pm_card_visa"})
    [method] = client.v1.customers.payment_methods.list(customer.id).data
    settings = {
        "invoice_settings": {"default_payment_method": method.id},
        "expand": ["invoice_settings.default_payment_method"],
    }
    updated = client.v1.customers.update(customer.id, settings)
    assert updated.invoice_settings is not None
    assert isinstance(updated.invoice_settings.default_payment_method, stripe.PaymentMethod)
    client.v1.payment_methods.detach(method.id)
    again = client.v1.customers.retrieve(customer.id)
    assert again.invoice_settings is not None and again.invoice_settings.default_payment_method is None
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})
