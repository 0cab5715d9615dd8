"""Invoices: drafts, lines, issue, payment, and the other ends."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.billing_stories import DAY, HOUR, START, Billing, begin, sums_up


def _draft(billing: Billing, *amounts: int, **more: Any) -> Any:
    invoice = billing.client.v1.invoices.create({"customer": billing.customer, "currency": "eur", **more})
    for amount in amounts:
        billing.client.v1.invoice_items.create(
            {
                "customer": billing.customer,
                "invoice": invoice.id,
                "amount": amount,
                "currency": "eur",
                "description": f"Item of {amount}",
            }
        )
    return billing.client.v1.invoices.retrieve(invoice.id)


def test_a_draft_is_issued_and_paid(client: stripe.StripeClient) -> None:
    billing = begin(client)
    draft = _draft(billing, 1500, 2500, description="Spring", metadata={"order": "7"})
    assert (draft.status, draft.total, draft.number, draft.amount_due) == ("draft", 4000, None, 4000)
    issued = client.v1.invoices.finalize_invoice(draft.id, {"expand": ["payments", "confirmation_secret"]})
    assert (issued.status, issued.number, issued.amount_remaining) == ("open", issued.number, 4000)
    assert issued.payments is not None and issued.payments.data[0].status == "open"
    paid = client.v1.invoices.pay(draft.id)
    assert (paid.status, paid.amount_paid, paid.amount_remaining, paid.attempt_count) == ("paid", 4000, 0, 1)
    assert sums_up(paid)
    with pytest.raises(stripe.InvalidRequestError) as again:
        client.v1.invoices.pay(draft.id)
    assert again.value.code == "invoice_already_paid"
    types = billing.event_types("invoice.")
    assert types[:1] + types[-2:] == ["invoice.created", "invoice.paid", "invoice.payment_succeeded"]


def test_lines_are_listed_and_items_change_only_on_drafts(client: stripe.StripeClient) -> None:
    billing = begin(client)
    draft = _draft(billing, *range(100, 1300, 100))
    assert (len(draft.lines.data), draft.lines.has_more) == (10, True)
    assert [line.amount for line in client.v1.invoices.line_items.list(draft.id).auto_paging_iter()] == list(
        range(100, 1300, 100)
    )
    items = client.v1.invoice_items.list({"invoice": draft.id, "limit": 100}).data
    client.v1.invoice_items.update(items[0].id, {"amount": 5000, "description": "More"})
    client.v1.invoice_items.delete(items[1].id)
    changed = client.v1.invoices.retrieve(draft.id)
    assert changed.total == sum(range(100, 1300, 100)) - 1200 - 1100 + 5000
    client.v1.invoices.finalize_invoice(draft.id)
    for act in (
        lambda: client.v1.invoice_items.update(items[0].id, {"amount": 1}),
        lambda: client.v1.invoice_items.delete(items[0].id),
        lambda: client.v1.invoices.update(draft.id, {"description": "late"}),
        lambda: client.v1.invoices.delete(draft.id),
        lambda: client.v1.invoices.finalize_invoice(draft.id),
    ):
        with pytest.raises(stripe.InvalidRequestError):
            act()
    late = client.v1.invoices.update(draft.id, {"metadata": {"late": "yes"}}).metadata
    assert late is not None and late.to_dict() == {"late": "yes"}


def test_a_deleted_draft_gives_its_items_back(client: stripe.StripeClient) -> None:
    billing = begin(client)
    client.v1.invoice_items.create({"customer": billing.customer, "amount": 700, "currency": "eur"})
    draft = client.v1.invoices.create(
        {"customer": billing.customer, "currency": "eur", "pending_invoice_items_behavior": "include"}
    )
    assert draft.total == 700
    assert client.v1.invoice_items.list({"pending": True}).data == []
    assert client.v1.invoices.delete(draft.id).deleted is True
    assert [item.amount for item in client.v1.invoice_items.list({"pending": True})] == [700]


def test_numbers_follow_each_other_per_customer(client: stripe.StripeClient) -> None:
    billing, other = begin(client, invoice_prefix="ION"), begin(client)
    numbers = [client.v1.invoices.finalize_invoice(_draft(billing, 100).id).number for _ in range(3)]
    assert numbers == ["ION-0001", "ION-0002", "ION-0003"]
    assert str(client.v1.invoices.finalize_invoice(_draft(other, 100).id).number).endswith("-0001")


def test_an_open_invoice_is_voided_or_given_up(client: stripe.StripeClient) -> None:
    billing = begin(client)
    client.v1.customers.balance_transactions.create(billing.customer, {"amount": -300, "currency": "eur"})
    first = client.v1.invoices.finalize_invoice(_draft(billing, 1000).id)
    assert (first.amount_due, first.starting_balance, first.ending_balance, billing.balance()) == (700, -300, 0, 0)
    voided = client.v1.invoices.void_invoice(first.id, {"expand": ["payments"]})
    assert (voided.status, billing.balance()) == ("void", -300)
    assert voided.payments is not None and voided.payments.data[0].status == "canceled"
    second = client.v1.invoices.finalize_invoice(_draft(billing, 1000).id)
    lost = client.v1.invoices.mark_uncollectible(second.id)
    assert (lost.status, lost.status_transitions.marked_uncollectible_at) == ("uncollectible", START)
    assert client.v1.invoices.pay(lost.id).status == "paid"
    for act in (client.v1.invoices.void_invoice, client.v1.invoices.mark_uncollectible):
        with pytest.raises(stripe.InvalidRequestError):
            act(lost.id)


def test_a_refused_payment_is_an_error_and_a_fact(client: stripe.StripeClient) -> None:
    billing = begin(client, card="pm_card_chargeCustomerFail")
    invoice = client.v1.invoices.finalize_invoice(_draft(billing, 1000).id)
    with pytest.raises(stripe.CardError) as refused:
        client.v1.invoices.pay(invoice.id)
    assert refused.value.code == "card_declined"
    after = client.v1.invoices.retrieve(invoice.id)
    assert (after.status, after.attempted, after.attempt_count) == ("open", True, 1)
    assert client.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"}).status == "paid"


def test_drafts_that_advance_are_issued_after_an_hour_and_tried_again(client: stripe.StripeClient) -> None:
    billing = begin(client, card="pm_card_chargeCustomerFail")
    draft = _draft(billing, 1000, auto_advance=True)
    assert draft.automatically_finalizes_at == START + HOUR
    billing.advance(START + 2 * HOUR)
    failed = client.v1.invoices.retrieve(draft.id)
    assert (failed.status, failed.attempt_count, failed.next_payment_attempt) == ("open", 1, START + HOUR + 3 * DAY)
    billing.use_card("pm_card_visa")
    billing.advance(START + 4 * DAY)
    assert client.v1.invoices.retrieve(draft.id).status == "paid"


def test_too_little_to_charge_goes_on_the_balance(client: stripe.StripeClient) -> None:
    billing = begin(client)
    small = client.v1.invoices.finalize_invoice(_draft(billing, 20).id)
    assert (small.status, small.amount_due, small.ending_balance, billing.balance()) == ("paid", 0, 20, 20)
    next_one = client.v1.invoices.finalize_invoice(_draft(billing, 1000).id)
    assert (next_one.amount_due, next_one.starting_balance, billing.balance()) == (1020, 20, 0)
    kinds = [entry.type for entry in client.v1.customers.balance_transactions.list(billing.customer)]
    assert kinds == ["applied_to_invoice", "invoice_too_small"]


@pytest.mark.parametrize("inclusive", [True, False])
def test_tax_is_rounded_on_every_line(client: stripe.StripeClient, inclusive: bool) -> None:
    billing = begin(client)
    rate = client.v1.tax_rates.create(
        {"display_name": "USt", "inclusive": inclusive, "percentage": 19, "country": "DE", "tax_type": "vat"}
    )
    invoice = _draft(billing, 333, 333, 335, default_tax_rates=[rate.id])
    taxes = [53, 53, 53] if inclusive else [63, 63, 64]
    assert [line.taxes[0].amount for line in invoice.lines.data] == taxes
    assert invoice.total == (1001 if inclusive else 1001 + sum(taxes))
    assert invoice.total_excluding_tax == (1001 - sum(taxes) if inclusive else 1001)
    assert sums_up(invoice)
    client.v1.customers.update(billing.customer, {"tax_exempt": "reverse"})
    reverse = _draft(billing, 1000, default_tax_rates=[rate.id])
    [tax] = reverse.lines.data[0].taxes
    assert (tax.amount, tax.taxability_reason, reverse.customer_tax_exempt) == (0, "reverse_charge", "reverse")


def test_an_invoice_has_the_discounts_it_is_given(client: stripe.StripeClient) -> None:
    billing = begin(client)
    coupon = client.v1.coupons.create({"amount_off": 500, "currency": "eur"})
    invoice = _draft(billing, 1000, 2000, -300, discounts=[{"coupon": coupon.id}])
    assert [sum(off.amount for off in line.discount_amounts) for line in invoice.lines.data] == [167, 333, 0]
    assert invoice.total == 2200
    assert client.v1.invoices.update(invoice.id, {"discounts": ""}).total == 2700


def test_items_have_prices_quantities_and_unit_amounts(client: stripe.StripeClient) -> None:
    billing = begin(client)
    price = client.v1.prices.create({"currency": "eur", "unit_amount": 250, "product_data": {"name": "Hour"}})
    create = client.v1.invoice_items.create
    item = create({"customer": billing.customer, "pricing": {"price": price.id}, "quantity": 3})
    assert (item.amount, item.description) == (750, "Hour")
    assert client.v1.invoice_items.update(item.id, {"quantity": 5}).amount == 1250
    third = create(
        {"customer": billing.customer, "unit_amount_decimal": "0.35", "quantity": 3, "currency": "eur"}  # type: ignore[typeddict-item]
    )
    assert third.amount == 1
    for wrong in ({}, {"amount": 1}, {"amount": 1, "pricing": {"price": price.id}}):
        with pytest.raises(stripe.InvalidRequestError):
            create({"customer": billing.customer, **wrong})  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"customer": "cus_none"}, "customer"),
        ({"collection_method": "send_invoice"}, "days_until_due"),
        ({"due_date": START - DAY}, "due_date"),
        ({"auto_advance": "maybe"}, "auto_advance"),
        ({"subscription": "sub_none"}, "subscription"),
        ({"default_tax_rates": ["txr_none"]}, "default_tax_rates[0]"),
        ({"charge": "ch_1"}, "charge"),
    ],
)
def test_wrong_invoices_are_refused(client: stripe.StripeClient, given: dict[str, Any], param: str) -> None:
    billing = begin(client)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.invoices.create({"customer": billing.customer, **given})  # type: ignore[typeddict-item]
    assert refused.value.param == param


def test_invoices_are_listed_and_expanded(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(1000).id)
    draft = _draft(billing, 1000)
    listed = client.v1.invoices.list
    assert [one.id for one in listed({"subscription": subscription.id})] == [subscription.latest_invoice.id]
    assert [one.id for one in listed({"status": "draft"})] == [draft.id]
    [one] = listed(
        {
            "subscription": subscription.id,
            "expand": ["data.parent.subscription_details.subscription", "data.payments.data.payment.payment_intent"],
        }
    ).data
    shown = one.to_dict()
    assert shown["parent"]["subscription_details"]["subscription"]["object"] == "subscription"
    assert shown["payments"]["data"][0]["payment"]["payment_intent"]["object"] == "payment_intent"
