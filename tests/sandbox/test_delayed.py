"""What ends later by itself: debits of bank accounts and refunds that wait or fail."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.process import Sandbox, wait_for
from tests.sandbox.stories import complete, open_session, pay


def _end(sandbox: Sandbox, target: str) -> None:
    """Bring it to its end, unless it has come there by itself meanwhile."""
    assert sandbox.control("POST", "later/run", {"target": target})["done"] in (0, 1)


@pytest.mark.parametrize(
    ("method", "status", "payment_status", "told"),
    [
        ("pm_sepaDebit_successDelayed", "succeeded", "paid", "checkout.session.async_payment_succeeded"),
        ("pm_sepaDebit_failureDelayed", "requires_payment_method", "unpaid", "checkout.session.async_payment_failed"),
    ],
)
def test_a_debited_session_is_complete_before_it_is_paid(
    client: stripe.StripeClient, sandbox: Sandbox, method: str, status: str, payment_status: str, told: str
) -> None:
    session = open_session(client, payment_method_types=["card", "sepa_debit"])
    done = complete(sandbox, session.id, method)
    assert (done["status"], done["payment_status"]) == ("complete", "unpaid")
    intent = client.v1.payment_intents.retrieve(done["payment_intent"], {"expand": ["latest_charge"]})
    assert (intent.status, intent.latest_charge.status) == ("processing", "pending")
    [coming] = sandbox.control("GET", "later")["data"]
    assert coming["target"] == intent.id
    _end(sandbox, intent.id)
    session = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    assert (session.payment_status, session.payment_intent.status) == (payment_status, status)
    assert client.v1.events.list({"limit": 1}).data[0].type == told


def test_a_debit_that_fails_says_why(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    intent = pay(client, method="pm_sepaDebit_failureDelayed")
    assert intent.status == "processing"
    _end(sandbox, intent.id)
    failed = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert failed.last_payment_error.code == failed.latest_charge.failure_code == "debit_not_authorized"
    assert failed.latest_charge.balance_transaction is None


def test_a_debit_ends_without_being_asked(client: stripe.StripeClient) -> None:
    intent = pay(client, method="pm_sepaDebit_success")
    wait_for(lambda: client.v1.payment_intents.retrieve(intent.id).status == "succeeded", "the debit")


def test_bank_accounts_are_made_from_ibans(client: stripe.StripeClient) -> None:
    holder = {"name": "A. Payer", "email": "ap@ionian.example"}
    method = client.v1.payment_methods.create(
        {"type": "sepa_debit", "sepa_debit": {"iban": "DE89 3704 0044 0532 0130 00"}, "billing_details": holder}
    )
    assert (method.sepa_debit.last4, method.sepa_debit.country) == ("3000", "DE")
    customer = client.v1.customers.create({"name": "Ionian Yachts"})
    assert client.v1.payment_methods.attach(method.id, {"customer": customer.id}).customer == customer.id
    for iban, code in (
        ("DE00370400440532013000", "invalid_bank_account_iban"),
        ("GB33BUKB20201555555555", "account_number_invalid"),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.payment_methods.create(
                {"type": "sepa_debit", "sepa_debit": {"iban": iban}, "billing_details": holder}
            )
        assert refused.value.code == code


def test_a_debit_takes_euros_only(client: stripe.StripeClient) -> None:
    wrong: dict[str, Any] = {"automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}
    with pytest.raises(stripe.InvalidRequestError):
        pay(client, currency="usd", method="pm_sepaDebit_success", **wrong)


def test_a_refund_may_wait(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    charge = pay(client, 900, method="pm_card_pendingRefund").latest_charge
    refund = client.v1.refunds.create({"charge": charge, "amount": 400})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    _end(sandbox, refund.id)
    assert client.v1.refunds.retrieve(refund.id).status == "succeeded"
    assert client.v1.charges.retrieve(charge).amount_refunded == 400


def test_a_refund_may_fail_after_all(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    charge = pay(client, 900, method="pm_card_refundFail").latest_charge
    refund = client.v1.refunds.create({"charge": charge})
    assert refund.status == "succeeded"
    _end(sandbox, refund.id)
    failed = client.v1.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert (failed.failure_balance_transaction.type, failed.failure_balance_transaction.net) == ("refund_failure", 900)
    charge_now = client.v1.charges.retrieve(charge)
    assert (charge_now.amount_refunded, charge_now.refunded) == (0, False)
    types = [event.type for event in client.v1.events.list({"types": ["refund.*", "charge.refund.updated"]})]
    assert types == ["refund.failed", "charge.refund.updated", "refund.updated", "refund.created"]


def test_a_debit_under_way_cannot_be_canceled(client: stripe.StripeClient) -> None:
    intent = pay(client, method="pm_sepaDebit_successDelayed")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.cancel(intent.id)
    assert refused.value.code == "payment_intent_unexpected_state"
