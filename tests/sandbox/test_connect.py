"""Connected accounts: their objects are theirs, the platform takes its fee."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.process import Receiver, Sandbox, wait_for
from tests.sandbox.stories import pay


@pytest.fixture
def account(client: stripe.StripeClient) -> Any:
    """An account connected to the platform."""
    return client.v1.accounts.create({"country": "DE", "email": "owner@cafe.example", "type": "standard"})


def _direct(client: stripe.StripeClient, account: str, fee: int, **more: Any) -> Any:
    return client.v1.payment_intents.create(
        {
            "amount": 10_000,
            "currency": "eur",
            "application_fee_amount": fee,
            "payment_method": "pm_card_visa",
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            **more,
        },
        {"stripe_account": account},
    )


def test_objects_of_an_account_are_seen_by_it_alone(client: stripe.StripeClient, account: Any) -> None:
    ours = client.v1.customers.create({"name": "Platform's"})
    theirs = client.v1.customers.create({"name": "Account's"}, {"stripe_account": account.id})
    assert [item.id for item in client.v1.customers.list()] == [ours.id]
    assert [item.id for item in client.v1.customers.list({}, {"stripe_account": account.id})] == [theirs.id]
    for identifier, options in ((theirs.id, {}), (ours.id, {"stripe_account": account.id})):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.customers.retrieve(identifier, options=options)  # type: ignore[arg-type]
        assert refused.value.code == "resource_missing"
    with pytest.raises(stripe.PermissionError) as foreign:
        client.v1.customers.list({}, {"stripe_account": "acct_other"})
    assert foreign.value.json_body["error"]["code"] == "account_invalid"


def test_a_direct_charge_pays_both(client: stripe.StripeClient, account: Any) -> None:
    intent = _direct(client, account.id, 250, expand=["latest_charge.balance_transaction"])
    booked = intent.latest_charge.balance_transaction
    assert (booked.fee, booked.net) == (320 + 250, 10_000 - 570)
    assert [detail.type for detail in booked.fee_details] == ["stripe_fee", "application_fee"]
    [fee] = client.v1.application_fees.list().data
    assert (fee.amount, fee.account, fee.charge) == (250, account.id, intent.latest_charge.id)
    [income] = client.v1.balance_transactions.list().data
    assert (income.type, income.net, income.source) == ("application_fee", 250, fee.id)


def test_the_fee_goes_back_with_a_refund_when_asked(client: stripe.StripeClient, account: Any) -> None:
    charge = _direct(client, account.id, 250).latest_charge
    options: Any = {"stripe_account": account.id}
    client.v1.refunds.create({"charge": charge, "amount": 3000, "refund_application_fee": True}, options)
    [fee] = client.v1.application_fees.list().data
    assert (fee.amount_refunded, fee.refunded) == (75, False)
    client.v1.refunds.create({"charge": charge, "refund_application_fee": True}, options)
    [fee] = client.v1.application_fees.list().data
    assert (fee.amount_refunded, fee.refunded) == (250, True)
    assert sum(item.net for item in client.v1.balance_transactions.list()) == 0
    assert sum(item.net for item in client.v1.balance_transactions.list({}, options)) == -320


def test_the_platform_can_return_its_fee_alone(client: stripe.StripeClient, account: Any) -> None:
    _direct(client, account.id, 250)
    [fee] = client.v1.application_fees.list().data
    refund = client.v1.application_fees.refunds.create(fee.id, {"amount": 100})
    assert (refund.amount, refund.fee) == (100, fee.id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.application_fees.refunds.create(fee.id, {"amount": 151})
    assert refused.value.param == "amount"
    assert [item.id for item in client.v1.application_fees.refunds.list(fee.id)] == [refund.id]


def test_a_fee_needs_a_connected_account(client: stripe.StripeClient, account: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pay(client, application_fee_amount=10)
    assert refused.value.param == "application_fee_amount"
    with pytest.raises(stripe.InvalidRequestError):
        _direct(client, account.id, 10_001)


def test_connect_endpoints_hear_of_connected_accounts(
    client: stripe.StripeClient, sandbox: Sandbox, account: Any
) -> None:
    own, connect = Receiver(), Receiver()
    client.v1.webhook_endpoints.create({"url": own.url, "enabled_events": ["customer.created"]})
    client.v1.webhook_endpoints.create({"url": connect.url, "enabled_events": ["customer.created"], "connect": True})
    client.v1.customers.create({"name": "Platform's"})
    client.v1.customers.create({"name": "Account's"}, {"stripe_account": account.id})
    wait_for(lambda: not sandbox.deliveries("pending"), "all deliveries")
    assert [item.event["data"]["object"]["name"] for item in own.received] == ["Platform's"]
    [heard] = connect.received
    assert (heard.event["account"], heard.event["data"]["object"]["name"]) == (account.id, "Account's")
    own.close()
    connect.close()


def test_keys_are_remembered_for_each_account(client: stripe.StripeClient, account: Any) -> None:
    ours = client.v1.customers.create({}, {"idempotency_key": "same"})
    theirs = client.v1.customers.create({}, {"idempotency_key": "same", "stripe_account": account.id})
    assert ours.id != theirs.id


def test_accounts_are_changed_and_forgotten(client: stripe.StripeClient, account: Any) -> None:
    changed = client.v1.accounts.update(account.id, {"metadata": {"tenant": "7"}, "business_profile": {"name": "Cafe"}})
    assert (changed.metadata["tenant"], changed.business_profile.name) == ("7", "Cafe")
    assert [item.id for item in client.v1.accounts.list()] == [account.id]
    assert client.v1.accounts.delete(account.id).deleted is True
    with pytest.raises(stripe.PermissionError):
        client.v1.customers.list({}, {"stripe_account": account.id})


def test_a_fee_cannot_exceed_what_is_captured(client: stripe.StripeClient, account: Any) -> None:
    held = _direct(client, account.id, 250, capture_method="manual")
    options: Any = {"stripe_account": account.id}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.capture(held.id, {"amount_to_capture": 200}, options)
    assert refused.value.param == "application_fee_amount"
    taken = {"amount_to_capture": 200, "application_fee_amount": 20}
    assert client.v1.payment_intents.capture(held.id, taken, options).amount_received == 200  # type: ignore[arg-type]
    assert [fee.amount for fee in client.v1.application_fees.list()] == [20]
