"""Changing what is subscribed: prorations, anchors, trials, items."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.billing_stories import DAY, START, begin, instant, items, sums_up

MIDDLE = START + 14 * DAY
"""Half of the first period, which has 28 days."""


def test_an_upgrade_waits_for_the_next_invoice(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(2000).id, 2)
    billing.advance(MIDDLE)
    billing.change(subscription, price=billing.price(5000).id, quantity=2)
    waiting = client.v1.invoice_items.list({"customer": billing.customer, "pending": True}).data
    assert sorted(item.amount for item in waiting) == [-2000, 5000]
    assert all(item.proration and not item.discountable for item in waiting)
    billing.advance(instant("2027-03-01"))
    invoice = billing.again(subscription).latest_invoice
    assert (invoice.total, invoice.status) == (3000 + 10000, "paid")
    [credit, charge, period] = invoice.lines.data
    assert credit.parent.subscription_item_details.proration is True
    assert credit.parent.subscription_item_details.subscription_item == items(subscription)[0].id
    assert (charge.period.start, charge.period.end) == (MIDDLE, instant("2027-02-28T12"))
    assert period.parent.subscription_item_details.proration is False
    assert sums_up(invoice)


def test_an_upgrade_invoiced_at_once(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(2000).id)
    billing.advance(MIDDLE)
    billing.change(subscription, price=billing.price(5000).id, proration_behavior="always_invoice")
    invoice = billing.again(subscription).latest_invoice
    assert (invoice.total, invoice.status, invoice.billing_reason) == (1500, "paid", "subscription_update")
    assert items(billing.again(subscription))[0].current_period_end == instant("2027-02-28T12")


def test_a_downgrade_becomes_credit_that_the_next_invoice_uses(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(5000).id)
    billing.advance(MIDDLE)
    billing.change(subscription, price=billing.price(1000).id, proration_behavior="always_invoice")
    assert billing.balance() == -2000
    billing.advance(instant("2027-03-01"))
    invoice = billing.again(subscription).latest_invoice
    assert (invoice.total, invoice.amount_due, invoice.starting_balance, invoice.ending_balance) == (
        1000, 0, -2000, -1000,
    )  # fmt: skip
    assert (invoice.status, billing.balance()) == ("paid", -1000)
    entries = client.v1.customers.balance_transactions.list(billing.customer).data
    assert [(entry.amount, entry.ending_balance) for entry in entries] == [(1000, -1000), (-2000, -2000)]


def test_there_and_back_at_one_instant_costs_nothing(client: stripe.StripeClient) -> None:
    billing = begin(client)
    small, large = billing.price(999).id, billing.price(3333).id
    rate = client.v1.tax_rates.create({"display_name": "VAT", "inclusive": False, "percentage": 19}).id
    coupon = client.v1.coupons.create({"percent_off": 33.3, "duration": "forever"}).id
    subscription = billing.subscribe(small, 3, default_tax_rates=[rate], discounts=[{"coupon": coupon}])
    billing.advance(START + 5 * DAY + 17)
    billing.change(subscription, price=large, quantity=7)
    billing.change(subscription, price=small, quantity=3)
    first, second = subscription.latest_invoice, client.v1.invoices.create_preview({"subscription": subscription.id})
    assert second.total == first.total
    assert sum(line.amount for line in second.lines.data if line.parent.subscription_item_details.proration) == 0


def test_without_proration_nothing_is_charged_until_renewal(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(2000).id)
    billing.advance(MIDDLE)
    billing.change(subscription, quantity=5, proration_behavior="none")
    assert client.v1.invoice_items.list({"customer": billing.customer}).data == []
    billing.advance(instant("2027-03-01"))
    assert billing.again(subscription).latest_invoice.total == 10000


def test_another_interval_begins_a_period_now(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(2000).id)
    billing.advance(MIDDLE)
    billing.change(subscription, price=billing.price(20000, interval="year").id)
    changed = billing.again(subscription)
    assert (changed.latest_invoice.total, changed.latest_invoice.status) == (19000, "paid")
    assert (changed.billing_cycle_anchor, items(changed)[0].current_period_start) == (MIDDLE, MIDDLE)
    assert items(changed)[0].current_period_end == instant("2028-02-14T12")


def test_a_new_anchor_credits_the_rest(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(2000).id)
    billing.advance(MIDDLE)
    billing.change(subscription, billing_cycle_anchor="now")
    assert billing.again(subscription).latest_invoice.total == 1000


def test_a_trial_ends_now_or_later_than_planned(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(2000).id, trial_period_days=7)
    longer = billing.change(subscription, trial_end=START + 20 * DAY)
    assert (longer.status, longer.trial_end, longer.trial_start) == ("trialing", START + 20 * DAY, START)
    billing.change(subscription, quantity=4)
    assert client.v1.invoice_items.list({"customer": billing.customer}).data == []
    billing.advance(START + 10 * DAY)
    billing.change(subscription, trial_end="now")
    ended = billing.again(subscription)
    assert (ended.status, ended.latest_invoice.amount_paid) == ("active", 8000)
    assert items(ended)[0].current_period_start == START + 10 * DAY


def test_items_are_added_changed_and_removed(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(2000).id)
    billing.advance(MIDDLE)
    seats = client.v1.subscription_items.create(
        {"subscription": subscription.id, "price": billing.price(400).id, "quantity": 5}
    )
    client.v1.subscription_items.update(seats.id, {"quantity": 10, "metadata": {"kind": "seat"}})
    assert len(client.v1.subscription_items.list({"subscription": subscription.id}).data) == 2
    amounts = [item.amount for item in client.v1.invoice_items.list({"customer": billing.customer, "limit": 9})]
    assert sorted(amounts) == [-1000, 1000, 2000]
    assert client.v1.subscription_items.retrieve(seats.id).quantity == 10
    assert client.v1.subscription_items.delete(seats.id).deleted is True
    [left] = items(billing.again(subscription))
    assert sum(item.amount for item in client.v1.invoice_items.list({"customer": billing.customer})) == 0
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.subscription_items.delete(left.id)


def test_previews_show_what_then_happens_and_leave_no_trace(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(2000).id)
    larger = billing.price(5000).id
    billing.advance(MIDDLE)
    change = {"items": [{"id": items(subscription)[0].id, "price": larger}], "proration_behavior": "always_invoice"}
    before = client.v1.events.list({"limit": 1}).data[0].id
    preview = client.v1.invoices.create_preview(
        {"subscription": subscription.id, "subscription_details": change}  # type: ignore[typeddict-item]
    )
    assert client.v1.events.list({"limit": 1}).data[0].id == before
    assert (preview.total, preview.status, preview.number) == (1500, "draft", None)
    assert sums_up(preview)
    client.v1.subscriptions.update(subscription.id, change)  # type: ignore[arg-type]
    assert billing.again(subscription).latest_invoice.total == preview.total
    upcoming = client.v1.invoices.create_preview({"subscription": subscription.id})
    billing.advance(instant("2027-03-01"))
    assert billing.again(subscription).latest_invoice.total == upcoming.total == 5000


def test_a_subscription_not_yet_begun_is_previewed(client: stripe.StripeClient) -> None:
    billing = begin(client)
    details = {"items": [{"price": billing.price(700).id, "quantity": 3}]}
    preview = client.v1.invoices.create_preview(
        {"customer": billing.customer, "subscription_details": details}  # type: ignore[typeddict-item]
    )
    assert preview.total == 2100
    assert client.v1.subscriptions.list({"customer": billing.customer, "status": "all"}).data == []
    subscription = billing.subscribe(billing.price(700).id)
    billing.change(subscription, cancel_at_period_end=True)
    with pytest.raises(stripe.InvalidRequestError) as none:
        client.v1.invoices.create_preview({"subscription": subscription.id})
    assert (none.value.code, none.value.http_status) == ("invoice_upcoming_none", 404)


def test_an_upgrade_that_is_refused_can_be_taken_back_whole(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(2000).id)
    billing.advance(MIDDLE)
    billing.use_card("pm_card_chargeCustomerFail")
    larger = billing.price(5000).id
    with pytest.raises(stripe.CardError):
        billing.change(
            subscription, price=larger, proration_behavior="always_invoice", payment_behavior="error_if_incomplete"
        )
    kept = billing.again(subscription)
    assert (items(kept)[0].price.unit_amount, kept.status) == (2000, "active")
    billing.change(subscription, price=larger, proration_behavior="always_invoice")
    changed = billing.again(subscription)
    assert (items(changed)[0].price.unit_amount, changed.status) == (5000, "past_due")


def test_a_canceled_subscription_stays_as_it_was(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(2000).id)
    client.v1.subscriptions.cancel(subscription.id)
    assert billing.change(subscription, metadata={"why": "moved"}).metadata["why"] == "moved"
    with pytest.raises(stripe.InvalidRequestError):
        billing.change(subscription, quantity=2)


def test_changes_are_told_with_what_was_before(client: stripe.StripeClient) -> None:
    billing = begin(client)
    subscription = billing.subscribe(billing.price(2000).id)
    billing.change(subscription, cancel_at_period_end=True)
    told = client.v1.events.list({"type": "customer.subscription.updated", "limit": 1}).data[0].to_dict()["data"]
    assert told["previous_attributes"]["cancel_at_period_end"] is False
    assert told["previous_attributes"]["cancellation_details"] == {"reason": None}
