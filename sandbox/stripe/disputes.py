"""How a dispute begins, is answered and ends, and what it does to the balance.

Source: https://docs.stripe.com/disputes/how-disputes-work and https://docs.stripe.com/testing#disputes.
"""

from __future__ import annotations

from sandbox.stripe import later, payment_methods
from sandbox.stripe.calls import Work
from sandbox.stripe.currencies import THREE_DECIMAL, ZERO_DECIMAL
from sandbox.stripe.events import emit
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.objects import equals
from sandbox.stripe.resources import balance_transactions
from sandbox.stripe.shapes import JsonObject

KIND = "dispute"
OPEN, WIN, LOSE = "charge.dispute", "dispute.win", "dispute.lose"
WINNING, LOSING = "winning_evidence", "losing_evidence"
"""What to write into `uncategorized_text`, as on Stripe, to win or to lose."""

DAYS_TO_ANSWER = 7
_NETWORK_REASON = {"fraudulent": "10.4", "general": "", "product_not_received": "13.1"}

EVIDENCE_TEXTS = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_tracking_number",
    "uncategorized_text",
)
_EVIDENCE_FILES = (
    "cancellation_policy",
    "customer_communication",
    "customer_signature",
    "duplicate_charge_documentation",
    "receipt",
    "refund_policy",
    "service_documentation",
    "shipping_documentation",
    "uncategorized_file",
)


def fee_of(currency: str) -> int:
    """Return what Stripe takes for a dispute: 20.00 in the charge's currency, as minor units."""
    return 20 if currency in ZERO_DECIMAL else 20_000 if currency in THREE_DECIMAL else 2_000


def open_later(work: Work, charge_id: str) -> None:
    """Begin the dispute which the charge's card or account stands for."""
    charge = work.require("charge", charge_id, param="charge")
    if charge["disputed"] or not charge["paid"]:
        return
    method = work.require("payment_method", charge["payment_method"], param="payment_method")
    if method["type"] == "card":
        card = payment_methods.card_of(work, method)
        begin(work, charge, reason=card.dispute or "fraudulent", inquiry=card.inquiry)
    else:
        begin(work, charge, reason="debit_not_authorized", inquiry=False)


def begin(work: Work, charge: JsonObject, *, reason: str, inquiry: bool = False) -> JsonObject:
    """Store and tell a dispute over what is left of the charge; an inquiry takes no money yet. Return it."""
    amount = charge["amount_captured"] - charge["amount_refunded"]
    dispute: JsonObject = {
        "id": new_id("du_"),
        "object": KIND,
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": work.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys((*EVIDENCE_TEXTS, *_EVIDENCE_FILES)) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": work.now + DAYS_TO_ANSWER * 86_400,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }
    details = charge["payment_method_details"]
    if details["type"] == "card":
        dispute["payment_method_details"] = {
            "card": {
                "brand": details["card"]["brand"],
                "case_type": "inquiry" if inquiry else "chargeback",
                "network": details["card"]["network"],
                "network_reason_code": _NETWORK_REASON.get(reason) or "10.4",
            },
            "type": "card",
        }
    if not inquiry:
        fee = balance_transactions.fee_detail("stripe_fee", fee_of(charge["currency"]), charge["currency"])
        _book(work, dispute, -amount, "dispute", fees=[fee | {"description": "Dispute fee"}])
    work.objects.insert(dispute)
    before = dict(charge)
    charge["disputed"] = True
    work.objects.replace(charge)
    emit(work, "charge.updated", charge, before=before)
    emit(work, "charge.dispute.created", dispute)
    if not inquiry:
        emit(work, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def _book(work: Work, dispute: JsonObject, amount: int, category: str, *, fees: list[JsonObject] | None = None) -> None:
    told = f"Chargeback {'withdrawal' if amount < 0 else 'reversal'} for {dispute['charge']}"
    booked = balance_transactions.book(
        work, dispute, amount, "adjustment", category=category, fees=fees or [], description=told
    )
    dispute["balance_transactions"] = [*dispute["balance_transactions"], booked]


def is_open(dispute: JsonObject) -> bool:
    """Return whether the dispute still waits for an answer."""
    return dispute["status"] in ("needs_response", "warning_needs_response")


def submit(work: Work, dispute: JsonObject) -> None:
    """Send the evidence in; the bank's decision comes by itself when the text says which."""
    dispute["status"] = "warning_under_review" if dispute["status"].startswith("warning") else "under_review"
    dispute["evidence_details"]["submission_count"] += 1
    text = dispute["evidence"]["uncategorized_text"] or ""
    if WINNING in text or LOSING in text:
        later.schedule(work, WIN if WINNING in text else LOSE, dispute["id"], after=0)


def close(work: Work, dispute: JsonObject, *, won: bool) -> JsonObject:
    """End the dispute and tell it; a won one brings the money back. Return it."""
    before = dict(dispute)
    if dispute["status"].startswith("warning"):
        dispute["status"] = "warning_closed"
    else:
        dispute["status"] = "won" if won else "lost"
    returned = won and before["status"] in ("needs_response", "under_review")
    if returned:
        _book(work, dispute, dispute["amount"], "dispute_reversal")
    work.objects.replace(dispute)
    if returned:
        emit(work, "charge.dispute.funds_reinstated", dispute)
    emit(work, "charge.dispute.closed", dispute, before=before)
    return dispute


def win_later(work: Work, dispute_id: str) -> None:
    """Have the bank decide for the merchant."""
    _decide(work, dispute_id, won=True)


def lose_later(work: Work, dispute_id: str) -> None:
    """Have the bank decide for the cardholder."""
    _decide(work, dispute_id, won=False)


def _decide(work: Work, dispute_id: str, *, won: bool) -> None:
    dispute = work.require(KIND, dispute_id, param="dispute")
    if dispute["status"] not in ("won", "lost", "warning_closed"):
        close(work, dispute, won=won)


def unsettled(work: Work, charge: JsonObject) -> bool:
    """Return whether a dispute has taken the charge's money, for now or for good."""
    return any(
        dispute["status"] not in ("won", "warning_closed") and not dispute["is_charge_refundable"]
        for dispute in work.objects.select(KIND, [equals("charge", charge["id"])])
    )
