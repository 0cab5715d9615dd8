"""Disputes: begun by test cards, answered, won and lost, and what they do to the balance."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.process import Sandbox, wait_for
from tests.sandbox.stories import pay


def _dispute(client: stripe.StripeClient, method: str = "pm_card_createDispute", **more: Any) -> Any:
    charge = pay(client, 5000, method=method, **more).latest_charge
    return wait_for(lambda: client.v1.disputes.list({"charge": charge}).data, "the dispute")[0]


def _balance(client: stripe.StripeClient) -> int:
    return sum(item.net for item in client.v1.balance_transactions.list({"limit": 100}))


def test_a_disputing_card_takes_the_money_back(client: stripe.StripeClient) -> None:
    dispute = _dispute(client)
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 5000)
    [withdrawal] = dispute.balance_transactions
    assert (withdrawal.amount, withdrawal.fee, withdrawal.net, withdrawal.type) == (-5000, 2000, -7000, "adjustment")
    charge = client.v1.charges.retrieve(dispute.charge)
    assert charge.disputed
    assert _balance(client) == 5000 - 175 - 7000
    types = [event.type for event in client.v1.events.list({"type": "charge.dispute.*"})]
    assert types == ["charge.dispute.funds_withdrawn", "charge.dispute.created"]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"charge": dispute.charge})
    assert refused.value.code == "charge_disputed"


def test_winning_evidence_brings_the_money_back(client: stripe.StripeClient) -> None:
    dispute = _dispute(client)
    kept = client.v1.disputes.update(
        dispute.id, {"evidence": {"customer_name": "A. Payer"}, "submit": False, "metadata": {"case": "7"}}
    )
    assert (kept.status, kept.evidence_details.has_evidence, kept.metadata["case"]) == ("needs_response", True, "7")
    sent = client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    assert (sent.status, sent.evidence_details.submission_count) == ("under_review", 1)
    won = wait_for(lambda: (found := client.v1.disputes.retrieve(dispute.id)).status == "won" and found, "the decision")
    assert [item.amount for item in won.balance_transactions] == [-5000, 5000]
    assert _balance(client) == 5000 - 175 - 2000
    types = [event.type for event in client.v1.events.list({"type": "charge.dispute.*", "limit": 2})]
    assert types == ["charge.dispute.closed", "charge.dispute.funds_reinstated"]
    with pytest.raises(stripe.InvalidRequestError, match="won"):
        client.v1.disputes.update(dispute.id, {"evidence": {"customer_name": "Too late"}})


def test_losing_evidence_and_giving_up_lose(client: stripe.StripeClient) -> None:
    first = _dispute(client, "pm_card_createDisputeProductNotReceived")
    client.v1.disputes.update(first.id, {"evidence": {"uncategorized_text": "losing_evidence"}})
    wait_for(lambda: client.v1.disputes.retrieve(first.id).status == "lost", "the decision")
    second = _dispute(client)
    assert client.v1.disputes.close(second.id).status == "lost"
    with pytest.raises(stripe.InvalidRequestError, match="lost"):
        client.v1.disputes.close(second.id)


def test_an_inquiry_takes_no_money(client: stripe.StripeClient) -> None:
    inquiry = _dispute(client, "pm_card_createDisputeInquiry")
    assert (inquiry.status, inquiry.balance_transactions, inquiry.is_charge_refundable) == (
        "warning_needs_response",
        [],
        True,
    )
    assert client.v1.refunds.create({"charge": inquiry.charge}).status == "succeeded"
    assert client.v1.disputes.close(inquiry.id).status == "warning_closed"


def test_a_dispute_can_be_begun_and_decided_from_outside(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    charge = pay(client).latest_charge
    made = sandbox.control("POST", f"charges/{charge}/dispute", {"reason": "duplicate"})
    assert (made["reason"], made["status"]) == ("duplicate", "needs_response")
    sandbox.control("POST", f"charges/{charge}/dispute", {}, status=400)
    assert sandbox.control("POST", f"disputes/{made['id']}/decide", {"won": True})["status"] == "won"
    sandbox.control("POST", "disputes/du_none/decide", {}, status=404)
