"""Refunds: whole, in parts, never too much; and what they do to the balance."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.stripe.currencies import processing_fee
from tests.sandbox.process import Sandbox
from tests.sandbox.stories import pay


def test_parts_then_the_rest(client: stripe.StripeClient) -> None:
    intent = pay(client, 5000)
    part = client.v1.refunds.create(
        {"payment_intent": intent.id, "amount": 1500, "reason": "requested_by_customer", "metadata": {"note": "n1"}}
    )
    assert (part.status, part.amount, part.reason, part.charge) == (
        "succeeded",
        1500,
        "requested_by_customer",
        intent.latest_charge,
    )
    rest = client.v1.refunds.create({"charge": intent.latest_charge})
    assert rest.amount == 3500
    charge = client.v1.charges.retrieve(intent.latest_charge, {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (5000, True)
    assert charge.refunds is not None and [item.id for item in charge.refunds.data] == [rest.id, part.id]
    assert [item.id for item in client.v1.refunds.list({"payment_intent": intent.id})] == [rest.id, part.id]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 1})
    assert refused.value.code == "charge_already_refunded"


def test_more_than_is_left_is_refused_by_amount(client: stripe.StripeClient) -> None:
    intent = pay(client, 5000)
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 4000})
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount") as refused:
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 1001})
    assert (refused.value.http_status, refused.value.param) == (400, "amount")
    assert client.v1.charges.retrieve(intent.latest_charge).amount_refunded == 4000


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_cannot_be_refunded(client: stripe.StripeClient, amount: int) -> None:
    intent = pay(client)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": intent.id, "amount": amount})
    assert refused.value.code == "parameter_invalid_integer"


def test_unpaid_intents_cannot_be_refunded(client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create({"amount": 500, "currency": "eur"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": intent.id})
    assert refused.value.code == "payment_intent_unexpected_state"
    with pytest.raises(stripe.InvalidRequestError) as missing:
        client.v1.refunds.create({"amount": 5})
    assert missing.value.code == "parameter_missing"
    held = pay(client, capture_method="manual")
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"charge": held.latest_charge})


def test_refunds_at_once_never_exceed_the_charge(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    intent = pay(client, 1000)

    def refund(_: int) -> int:
        try:
            return sandbox.client().v1.refunds.create({"payment_intent": intent.id, "amount": 300}).amount
        except stripe.InvalidRequestError:
            return 0

    with ThreadPoolExecutor(8) as pool:
        amounts = list(pool.map(refund, range(8)))
    assert sum(amounts) == 900
    assert client.v1.charges.retrieve(intent.latest_charge).amount_refunded == 900


def test_metadata_changes_are_told(client: stripe.StripeClient) -> None:
    refund = client.v1.refunds.create({"payment_intent": pay(client).id})
    assert client.v1.refunds.update(refund.id, {"metadata": {"k": "v"}}).metadata["k"] == "v"
    types = [event.type for event in client.v1.events.list({"limit": 4})]
    assert types == ["charge.refund.updated", "refund.updated", "charge.refunded", "refund.created"]


def test_the_balance_follows_charges_and_refunds(client: stripe.StripeClient) -> None:
    intent = pay(client, 10_000)
    refund = client.v1.refunds.create(
        {"payment_intent": intent.id, "amount": 2500, "expand": ["balance_transaction", "charge"]}
    )
    booked = refund.balance_transaction
    assert isinstance(booked, stripe.BalanceTransaction)
    assert (booked.amount, booked.fee, booked.net, booked.source) == (-2500, 0, -2500, refund.id)
    rows = client.v1.balance_transactions.list({"currency": "eur"}).data
    assert [(row.type, row.net) for row in rows] == [("refund", -2500), ("charge", 10_000 - 320)]
    assert all(row.status == "pending" for row in rows)
    balance = client.v1.balance.retrieve()
    assert [(item.currency, item.amount) for item in balance.pending] == [("eur", 7180)]
    [of_charge] = client.v1.balance_transactions.list({"source": intent.latest_charge}).data
    assert of_charge.fee_details[0].amount == 320
    assert client.v1.balance_transactions.retrieve(of_charge.id).available_on > of_charge.created


@given(amount=st.integers(50, 99_999_999), currency=st.sampled_from(["eur", "jpy", "kwd"]))
def test_the_fee_is_never_more_than_the_amount_nor_nothing(amount: int, currency: str) -> None:
    assert 0 < processing_fee(amount, currency) <= amount


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.integers(1, 6000), min_size=1, max_size=6))
def test_whatever_the_parts_nothing_is_created_or_lost(client: stripe.StripeClient, parts: list[int]) -> None:
    intent = pay(client, 10_000)
    given_back = 0
    for part in parts:
        fits = part <= 10_000 - given_back
        try:
            client.v1.refunds.create({"payment_intent": intent.id, "amount": part})
        except stripe.InvalidRequestError:
            assert not fits
        else:
            assert fits
            given_back += part
    charge = client.v1.charges.retrieve(intent.latest_charge)
    assert charge.amount_refunded == given_back
    refunds = client.v1.refunds.list({"charge": charge.id, "limit": 100})
    assert sum(refund.amount for refund in refunds) == given_back
