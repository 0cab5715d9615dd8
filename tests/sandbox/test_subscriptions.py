"""Subscriptions begin, renew, fall behind, pause and end."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.billing_stories import DAY, HOUR, START, begin, instant, items, sums_up
from tests.sandbox.process import Sandbox


def test_the_first_period_is_paid_at_once(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(1000).id, 3)
    invoice = subscription.latest_invoice
    assert (subscription.status, invoice.status, invoice.amount_paid) == ("active", "paid", 3000)
    assert (invoice.billing_reason, invoice.number[-5:]) == ("subscription_create", "-0001")
    assert invoice.parent.subscription_details.subscription == subscription.id
    [item] = items(subscription)
    assert (item.current_period_start, item.current_period_end) == (START, instant("2027-02-28T12"))
    assert sums_up(invoice)
    assert billing.event_types("customer.subscription") == [
        "customer.subscription.created",
        "customer.subscription.updated",
    ]
    [payment] = client.v1.invoice_payments.list({"invoice": invoice.id}).data
    assert (payment.status, payment.amount_paid) == ("paid", 3000)
    intent = client.v1.payment_intents.retrieve(str(payment.payment.payment_intent))
    assert (intent.status, intent.amount_received, intent.created) == ("succeeded", 3000, START)


def test_renewals_keep_the_anchor_day_and_wait_an_hour(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(1000).id)
    billing.advance(instant("2027-02-28T12:30"))
    assert billing.again(subscription).latest_invoice.status == "draft"
    billing.advance(instant("2027-03-01"))
    renewed = billing.again(subscription)
    invoice = renewed.latest_invoice
    assert (invoice.status, invoice.billing_reason) == ("paid", "subscription_cycle")
    assert invoice.status_transitions.paid_at == instant("2027-02-28T13")
    assert items(renewed)[0].current_period_end == instant("2027-03-31T12")
    types = billing.event_types()
    assert types.index("invoice.upcoming") < types.index("invoice.finalized", types.index("invoice.upcoming"))


def test_a_trial_is_announced_and_then_billed(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(1000).id, trial_period_days=14)
    assert (subscription.status, subscription.latest_invoice.amount_due) == ("trialing", 0)
    assert subscription.latest_invoice.status == "paid"
    billing.advance(START + 12 * DAY)
    assert billing.event_types()[-2:] == ["customer.subscription.trial_will_end", "test_helpers.test_clock.ready"]
    billing.advance(START + 14 * DAY + 2 * HOUR)
    ended = billing.again(subscription)
    assert (ended.status, ended.latest_invoice.amount_paid) == ("active", 1000)
    assert items(ended)[0].current_period_start == START + 14 * DAY


@pytest.mark.parametrize(("behavior", "status"), [("cancel", "canceled"), ("pause", "paused")])
def test_a_trial_without_a_card_ends_as_asked(client: stripe.StripeClient, behavior: str, status: str) -> None:
    billing = begin(client, card=None)
    subscription = billing.subscribe(
        billing.price(1000).id,
        trial_period_days=7,
        trial_settings={"end_behavior": {"missing_payment_method": behavior}},
    )
    billing.advance(START + 8 * DAY)
    assert billing.again(subscription).status == status
    if status == "paused":
        billing.use_card("pm_card_visa")
        client.v1.subscriptions.resume(subscription.id)
        resumed = billing.again(subscription)
        assert (resumed.status, resumed.latest_invoice.amount_paid) == ("active", 1000)
        assert items(resumed)[0].current_period_start == START + 8 * DAY
        assert "customer.subscription.resumed" in billing.event_types()


def test_without_a_card_a_subscription_waits_only_when_asked_to(client: stripe.StripeClient) -> None:
    billing = begin(client, card=None)
    price = billing.price(1000).id
    with pytest.raises(stripe.InvalidRequestError) as refused:
        billing.subscribe(price)
    assert refused.value.code == "resource_missing"
    assert client.v1.subscriptions.list({"customer": billing.customer, "status": "all"}).data == []
    waiting = billing.subscribe(
        price, payment_behavior="default_incomplete", expand=["latest_invoice.confirmation_secret"]
    )
    assert (waiting.status, waiting.latest_invoice.status) == ("incomplete", "open")
    intent = waiting.latest_invoice.confirmation_secret.client_secret.split("_secret_")[0]
    client.v1.payment_intents.confirm(
        intent, {"payment_method": "pm_card_visa", "return_url": "http://shop.localhost/"}
    )
    assert billing.again(waiting).status == "active"


def test_a_first_payment_that_never_comes_expires(client: stripe.StripeClient) -> None:
    billing = begin(client, card=None)
    waiting = billing.subscribe(billing.price(1000).id, payment_behavior="default_incomplete")
    billing.advance(START + 24 * HOUR)
    expired = billing.again(waiting)
    assert (expired.status, expired.latest_invoice.status) == ("incomplete_expired", "void")
    assert expired.ended_at == START + 23 * HOUR


def test_a_declined_first_payment_leaves_it_incomplete(client: stripe.StripeClient) -> None:
    billing = begin(client, card="pm_card_chargeCustomerFail")
    price = billing.price(1000).id
    with pytest.raises(stripe.CardError) as refused:
        billing.subscribe(price, payment_behavior="error_if_incomplete")
    assert refused.value.code == "card_declined"
    assert client.v1.subscriptions.list({"customer": billing.customer, "status": "all"}).data == []
    subscription = billing.subscribe(price)
    assert subscription.status == "incomplete"
    assert "invoice.payment_failed" in billing.event_types()
    method = billing.use_card("pm_card_visa")
    client.v1.invoices.pay(subscription.latest_invoice.id, {"payment_method": method})
    assert billing.again(subscription).status == "active"


def test_3d_secure_is_asked_for_and_passed(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    billing = begin(client, card="pm_card_authenticationRequired")
    subscription = billing.subscribe(billing.price(1000).id, expand=["latest_invoice.payments"])
    assert subscription.status == "incomplete"
    assert "invoice.payment_action_required" in billing.event_types()
    [payment] = subscription.latest_invoice.payments.data
    intent = client.v1.payment_intents.retrieve(payment.payment.payment_intent)
    assert intent.status == "requires_action"


@pytest.mark.parametrize(
    ("outcome", "status"), [("cancel", "canceled"), ("unpaid", "unpaid"), ("past_due", "past_due")]
)
def test_dunning_tries_four_times(sandbox: Sandbox, client: stripe.StripeClient, outcome: str, status: str) -> None:
    billing = begin(client)
    sandbox.control("PUT", "billing", {"after_dunning": outcome})
    subscription = billing.subscribe(billing.price(1000).id)
    billing.use_card("pm_card_chargeCustomerFail")
    billing.advance(instant("2027-02-28T14"))
    behind = billing.again(subscription)
    assert (behind.status, behind.latest_invoice.attempt_count) == ("past_due", 1)
    assert behind.latest_invoice.next_payment_attempt == instant("2027-03-03T13")
    assert client.v1.customers.retrieve(billing.customer).delinquent is True
    billing.advance(instant("2027-03-25"))
    after = billing.again(subscription)
    assert (after.status, after.latest_invoice.attempt_count) == (status, 4)
    assert (after.latest_invoice.status, after.latest_invoice.next_payment_attempt) == ("open", None)
    assert billing.event_types("invoice.payment_failed") == ["invoice.payment_failed"] * 4
    if status == "canceled":
        assert after.cancellation_details.reason == "payment_failed"


def test_a_retry_with_a_good_card_brings_it_back(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(1000).id)
    billing.use_card("pm_card_chargeCustomerFail")
    billing.advance(instant("2027-02-28T14"))
    billing.use_card("pm_card_visa")
    billing.advance(instant("2027-03-05"))
    back = billing.again(subscription)
    assert (back.status, back.latest_invoice.status, back.latest_invoice.attempt_count) == ("active", "paid", 2)
    assert client.v1.customers.retrieve(billing.customer).delinquent is False


def test_canceled_at_the_end_of_the_period_and_taken_back(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(1000).id)
    leaving = billing.change(
        subscription, cancel_at_period_end=True, cancellation_details={"feedback": "too_expensive", "comment": "hm"}
    )
    assert (leaving.cancel_at, leaving.canceled_at) == (instant("2027-02-28T12"), START)
    assert leaving.cancellation_details.reason == "cancellation_requested"
    staying = billing.change(subscription, cancel_at_period_end=False)
    assert (staying.cancel_at, staying.canceled_at) == (None, None)
    billing.change(subscription, cancel_at_period_end=True)
    billing.advance(instant("2027-03-02"))
    gone = billing.again(subscription)
    assert (gone.status, gone.ended_at, gone.canceled_at) == ("canceled", instant("2027-02-28T12"), START)
    assert len(billing.invoices()) == 1
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.subscriptions.cancel(subscription.id)


def test_canceled_now_with_the_rest_credited(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(2800).id)
    billing.advance(START + 14 * DAY)
    gone = client.v1.subscriptions.cancel(subscription.id, {"prorate": True, "invoice_now": True})
    assert gone.status == "canceled"
    assert billing.balance() == -1400
    [first, credit] = billing.invoices()
    assert (credit.total, credit.amount_due, credit.ending_balance, credit.status) == (-1400, 0, -1400, "paid")
    assert sums_up(first) and sums_up(credit)


@pytest.mark.parametrize(
    ("behavior", "status"),
    [("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible"), ("void", "void")],
)
def test_paused_collection(client: stripe.StripeClient, behavior: str, status: str) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(1000).id)
    pause = {"behavior": behavior, "resumes_at": instant("2027-03-10")}
    billing.change(subscription, pause_collection=pause)
    billing.advance(instant("2027-03-01"))
    paused = billing.again(subscription)
    assert (paused.status, paused.latest_invoice.status) == ("active", status)
    billing.advance(instant("2027-04-01"))
    resumed = billing.again(subscription)
    assert (resumed.pause_collection, resumed.latest_invoice.status) == (None, "paid")


def test_sent_invoices_are_due_later_and_then_overdue(client: stripe.StripeClient) -> None:
    billing = begin(client, card=None)
    subscription = billing.subscribe(billing.price(1000).id, collection_method="send_invoice", days_until_due=10)
    assert (subscription.status, subscription.latest_invoice.status) == ("active", "draft")
    billing.advance(START + DAY)
    invoice = billing.again(subscription).latest_invoice
    assert (invoice.status, invoice.due_date) == ("open", START + HOUR + 10 * DAY)
    assert "invoice.sent" in billing.event_types()
    billing.advance(START + 12 * DAY)
    assert billing.again(subscription).status == "past_due"
    client.v1.invoices.pay(invoice.id, {"paid_out_of_band": True})
    paid = billing.again(subscription)
    assert (paid.status, paid.latest_invoice.amount_paid_off_stripe) == ("active", 1000)


def test_a_chosen_anchor_prorates_the_first_period(client: stripe.StripeClient) -> None:
    billing = begin(client)
    anchor = START + 14 * DAY
    price = billing.price(3100).id
    subscription = billing.subscribe(price, billing_cycle_anchor=anchor)
    assert subscription.latest_invoice.total == 1400
    assert items(subscription)[0].current_period_end == anchor
    free = billing.subscribe(billing.price(3100).id, billing_cycle_anchor=anchor, proration_behavior="none")
    assert (free.status, free.latest_invoice.total) == ("active", 0)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"customer": "cus_none"}, "customer"),
        ({"items": [{"price": "price_none"}]}, "items[0][price]"),
        ({"items": [{"quantity": 2}]}, "items[0][price]"),
        ({"items": ""}, "items"),
        ({"trial_period_days": 800}, "trial_end"),
        ({"trial_end": START - DAY}, "trial_end"),
        ({"collection_method": "send_invoice"}, "days_until_due"),
        ({"payment_behavior": "hope"}, "payment_behavior"),
        ({"plan": "gold"}, "plan"),
        ({"discounts": [{"coupon": "none"}]}, "discounts[0][coupon]"),
    ],
)
def test_what_cannot_be_is_refused(client: stripe.StripeClient, change: dict[str, Any], param: str) -> None:
    billing = begin(client)
    price = billing.price(1000).id
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.subscriptions.create(
            {"customer": billing.customer, "items": [{"price": price}], **change}  # type: ignore[typeddict-item]
        )
    assert refused.value.param == param


def test_one_off_prices_and_mixed_currencies_do_not_recur(client: stripe.StripeClient) -> None:
    billing = begin(client)
    once = client.v1.prices.create({"currency": "eur", "unit_amount": 500, "product_data": {"name": "Set-up"}})
    with pytest.raises(stripe.InvalidRequestError):
        billing.subscribe(once.id)
    subscription = billing.subscribe(billing.price(1000).id, add_invoice_items=[{"price": once.id, "quantity": 2}])
    assert subscription.latest_invoice.total == 2000
    with pytest.raises(stripe.InvalidRequestError) as refused:
        billing.subscribe(billing.price(1000, currency="usd").id)
    assert refused.value.param == "customer"


def test_subscriptions_are_listed_by_status_and_price(client: stripe.StripeClient) -> None:
    billing = begin(client)
    price = billing.price(1000).id
    kept, gone = billing.subscribe(price), billing.subscribe(billing.price(500).id)
    client.v1.subscriptions.cancel(gone.id)
    listed = client.v1.subscriptions.list
    assert [one.id for one in listed({"customer": billing.customer})] == [kept.id]
    assert [one.id for one in listed({"customer": billing.customer, "status": "all"})] == [gone.id, kept.id]
    assert [one.id for one in listed({"status": "ended"})] == [gone.id]
    assert [one.id for one in listed({"price": price})] == [kept.id]
    expanded = listed({"customer": billing.customer, "expand": ["data.customer", "data.items.data.price.product"]})
    assert items(expanded.data[0])[0].price.product.name == "Team"
