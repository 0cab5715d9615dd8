"""Test clocks: time stands still, is advanced, and goes with all that lives by it."""

from __future__ import annotations

import time

import pytest
import stripe

from tests.sandbox.billing_stories import DAY, HOUR, START, begin, instant
from tests.sandbox.process import Receiver, Sandbox, wait_for


def test_objects_live_by_the_clock_and_events_too(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(1000).id)
    customer = client.v1.customers.retrieve(billing.customer)
    assert (customer.created, subscription.created, subscription.test_clock) == (START, START, billing.clock)
    billing.advance(START + 28 * DAY + 2 * HOUR)
    renewal = billing.again(subscription).latest_invoice
    assert renewal.created == instant("2027-02-28T12")
    charge = client.v1.charges.list({"customer": billing.customer, "limit": 1}).data[0]
    assert charge.created == instant("2027-02-28T13")
    paid = client.v1.events.list({"type": "invoice.paid", "limit": 1}).data[0]
    assert paid.created == instant("2027-02-28T13")


def test_signatures_stay_on_the_wall(sandbox: Sandbox, client: stripe.StripeClient, receiver: Receiver) -> None:
    billing = begin(client)
    billing.subscribe(billing.price(1000).id)
    wait_for(lambda: "customer.subscription.updated" in receiver.types(), "the subscription to be told")
    for webhook in receiver.received:
        event = stripe.Webhook.construct_event(webhook.body, webhook.signature, receiver.secret)
        signed = int(webhook.signature.split(",")[0].removeprefix("t="))
        assert abs(signed - time.time()) < 120
        if event.type.startswith("invoice"):
            assert event.created == START


def test_a_clock_only_goes_forward_and_at_most_two_intervals(client: stripe.StripeClient) -> None:
    billing = begin(client)
    advance = client.v1.test_helpers.test_clocks.advance
    for wrong in (START, START - 1):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            advance(billing.clock, {"frozen_time": wrong})
        assert refused.value.param == "frozen_time"
    billing.subscribe(billing.price(1000).id)
    with pytest.raises(stripe.InvalidRequestError):
        advance(billing.clock, {"frozen_time": instant("2027-04-01")})
    billing.advance(instant("2027-03-31"))


def test_a_year_of_months_is_billed_once_each(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(1000).id)
    for month in ("2027-03-31", "2027-05-31", "2027-07-31", "2027-09-30", "2027-11-30", "2028-01-30"):
        billing.advance(instant(f"{month}T12"))
    billing.advance(instant("2028-01-31T14"))
    paid = [invoice for invoice in billing.invoices() if invoice.status == "paid"]
    assert len(paid) == len(billing.invoices()) == 13
    assert sum(invoice.amount_paid for invoice in paid) == 13_000
    starts = [invoice.lines.data[0].period.start for invoice in paid]
    ends = [invoice.lines.data[0].period.end for invoice in paid]
    assert starts[1:] == ends[:-1]
    assert billing.again(subscription).status == "active"


def test_other_clocks_and_the_wall_stand_still(client: stripe.StripeClient) -> None:
    first, second = begin(client), begin(client)
    for billing in (first, second):
        billing.subscribe(billing.price(1000).id)
    first.advance(START + 40 * DAY)
    assert (len(first.invoices()), len(second.invoices())) == (2, 1)
    assert [customer.id for customer in client.v1.customers.list()] == []
    assert [customer.id for customer in client.v1.customers.list({"test_clock": second.clock})] == [second.customer]


def test_a_deleted_clock_takes_its_customers_along(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(1000).id)
    assert client.v1.test_helpers.test_clocks.delete(billing.clock).deleted is True
    assert client.v1.customers.retrieve(billing.customer).deleted is True
    assert client.v1.subscriptions.retrieve(subscription.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.test_helpers.test_clocks.retrieve(billing.clock)


def test_what_is_due_on_the_wall_comes_by_itself(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )
    price = client.v1.prices.create(
        {
            "currency": "eur",
            "unit_amount": 1000,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Team"},
        }
    )
    subscription = client.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": price.id}],
            "trial_end": int(time.time()) + 2,
        }
    )

    def renewed() -> bool:
        return client.v1.subscriptions.retrieve(subscription.id).status == "active"

    wait_for(renewed, "the trial to end")
    [invoice] = client.v1.invoices.list({"subscription": subscription.id, "status": "draft"}).data
    assert (invoice.billing_reason, invoice.total) == ("subscription_cycle", 1000)


@pytest.mark.parametrize(("interval", "days"), [("day", 1), ("week", 7), ("month", 28), ("year", 365)])
def test_every_interval_renews(client: stripe.StripeClient, interval: str, days: int) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(1000, interval=interval).id)
    billing.advance(START + days * DAY + 2 * HOUR)
    [first, second] = billing.invoices()
    assert (first.lines.data[0].period.end, second.status) == (second.lines.data[0].period.start, "paid")
    assert billing.again(subscription).status == "active"


def test_a_deleted_customer_is_not_billed_any_more(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(1000).id)
    draft = client.v1.invoices.create({"customer": billing.customer, "auto_advance": True})
    client.v1.customers.delete(billing.customer)
    billing.advance(START + 2 * DAY)
    assert client.v1.subscriptions.retrieve(subscription.id).status == "canceled"
    left = client.v1.invoices.retrieve(draft.id)
    assert (left.status, left.auto_advance) == ("draft", False)
