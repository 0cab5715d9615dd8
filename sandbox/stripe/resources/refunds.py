"""Refunds, never more than was charged.

Source: https://docs.stripe.com/api/refunds.
"""

from __future__ import annotations

from sandbox.stripe import disputes, later, payment_methods
from sandbox.stripe.calls import Call, Work
from sandbox.stripe.configuration import ACCOUNT_ID
from sandbox.stripe.currencies import written
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.objects import Filter, equals
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import (
    TIME_RANGE,
    Choice,
    Email,
    Flag,
    Integer,
    Metadata,
    Text,
    declare,
    declare_list,
    merge_metadata,
)
from sandbox.stripe.resources import application_fees, balance_transactions
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject

SUCCEED, FAIL = "refund.succeed", "refund.fail"
"""What comes later by itself: the end of a refund."""

_SOON = 2.0


def _charge_to_refund(call: Call) -> JsonObject:
    params = call.params
    if "charge" not in params and "payment_intent" not in params:
        raise InvalidRequest(
            "One of the following params should be provided for this request: payment_intent or charge.",
            code="parameter_missing",
        )
    charge = call.require("charge", params["charge"], param="charge") if "charge" in params else None
    if "payment_intent" not in params:
        return charge or {}
    intent = call.require("payment_intent", params["payment_intent"], param="payment_intent")
    if charge is not None and charge["payment_intent"] != intent["id"]:
        raise InvalidRequest("The charge does not belong to the payment intent.", param="charge")
    if intent["status"] != "succeeded":
        raise InvalidRequest(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            code="payment_intent_unexpected_state",
            param="payment_intent",
        )
    return charge or call.require("charge", intent["latest_charge"], param="payment_intent")


def _checked_amount(call: Call, charge: JsonObject) -> int:
    if not charge["paid"] or not charge["captured"]:
        raise InvalidRequest(
            f"Charge {charge['id']} has not been paid and captured, so it cannot be refunded.", param="charge"
        )
    if disputes.unsettled(call, charge):
        raise InvalidRequest(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    left: int = charge["amount_captured"] - charge["amount_refunded"]
    if left == 0:
        raise InvalidRequest(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount: int = call.params.get("amount", left)
    if amount > left:
        asked, rest = written(amount, charge["currency"]), written(left, charge["currency"])
        raise InvalidRequest(
            f"Refund amount ({asked}) is greater than unrefunded amount on charge ({rest})", param="amount"
        )
    return amount


def _create(call: Call) -> JsonObject:
    charge = _charge_to_refund(call)
    amount = _checked_amount(call, charge)
    refund: JsonObject = {
        "id": new_id("re_" if charge["id"].startswith("ch_") else "pyr_"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": call.now,
        "customer": charge["customer"],
        "customer_account": None,
        "currency": charge["currency"],
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
            "type": "card",
        },
        "metadata": merge_metadata({}, call.params.get("metadata") or {}),
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": call.params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
    behaviour = _behaviour(call, charge)
    if charge["payment_method_details"]["type"] != "card":
        del refund["destination_details"]
    if behaviour == "pending":
        refund |= {"pending_reason": "processing", "status": "pending"}
    if "instructions_email" in call.params:
        refund["instructions_email"] = call.params["instructions_email"]
    returned_fee = _returned_fee(call, charge, amount) if call.params.get("refund_application_fee") else 0
    booked = balance_transactions.book_refund(call, refund, charge, returned_fee=returned_fee)
    refund["balance_transaction"] = booked["id"]
    call.objects.insert(refund)
    if returned_fee:
        application_fees.give_back(call, charge["application_fee"], returned_fee)
    if behaviour != "succeeds":
        later.schedule(call, SUCCEED if behaviour == "pending" else FAIL, refund["id"], after=_SOON)
    before = dict(charge)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    call.objects.replace(charge)
    emit(call, "refund.created", refund)
    emit(call, "charge.refunded", charge, before=before)
    return refund


def _behaviour(work: Work, charge: JsonObject) -> str:
    method = work.require("payment_method", charge["payment_method"], param="charge")
    if method["type"] != "card":
        return "pending"
    return payment_methods.card_of(work, method).refund


def _returned_fee(call: Call, charge: JsonObject, amount: int) -> int:
    """Return the platform's part of a refund: what its fee is to the charge, rounded down, all of it at the end."""
    if charge["application_fee"] is None:
        raise InvalidRequest(
            "You cannot refund the application fee of a charge that has none.", param="refund_application_fee"
        )
    fee = call.of(ACCOUNT_ID).require("application_fee", charge["application_fee"], param="charge")
    left: int = fee["amount"] - fee["amount_refunded"]
    if charge["amount_refunded"] + amount == charge["amount_captured"]:
        return left
    share: int = fee["amount"] * amount // charge["amount_captured"]
    return min(left, share)


def succeed_later(work: Work, refund_id: str) -> None:
    """End a pending refund well."""
    refund, before = (work.require("refund", refund_id, param="refund") for _ in range(2))
    if refund["status"] != "pending":
        return
    refund["status"] = "succeeded"
    del refund["pending_reason"]
    _tell_change(work, refund, before)


def fail_later(work: Work, refund_id: str) -> None:
    """End a refund badly: the bank sent the money back, the charge counts as paid again."""
    refund, before = (work.require("refund", refund_id, param="refund") for _ in range(2))
    if refund["status"] not in ("pending", "succeeded"):
        return
    refund |= {
        "failure_balance_transaction": balance_transactions.book_failed_refund(work, refund)["id"],
        "failure_reason": "expired_or_canceled_card",
        "status": "failed",
    }
    refund.pop("pending_reason", None)
    charge, charge_before = (work.require("charge", refund["charge"], param="charge") for _ in range(2))
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    work.objects.replace(charge)
    emit(work, "charge.updated", charge, before=charge_before)
    _tell_change(work, refund, before)
    emit(work, "refund.failed", refund)


def _tell_change(work: Work, refund: JsonObject, before: JsonObject) -> None:
    work.objects.replace(refund)
    emit(work, "refund.updated", refund, before=before)
    emit(work, "charge.refund.updated", refund, before=before)


def _retrieve(call: Call) -> JsonObject:
    return call.target("refund", "refund")


def _update(call: Call) -> JsonObject:
    refund, before = (call.target("refund", "refund") for _ in range(2))
    if "metadata" in call.params:
        refund["metadata"] = merge_metadata(refund["metadata"], call.params["metadata"])
    if refund != before:
        _tell_change(call, refund, before)
    return refund


def _cancel(call: Call) -> JsonObject:
    refund = call.target("refund", "refund")
    raise InvalidRequest(
        f"Refund {refund['id']} has the status {refund['status']}; only refunds that require an action can be canceled."
    )


def _list(call: Call) -> JsonObject:
    filters: list[Filter] = [
        equals(name, call.params[name]) for name in ("charge", "payment_intent") if name in call.params
    ]
    return list_page(call, "refund", filters, url="/v1/refunds")


ROUTES = (
    Route(
        "POST",
        "/v1/refunds",
        _create,
        declare(
            amount=Integer(least=1),
            charge=Text(),
            instructions_email=Email(),
            metadata=Metadata(),
            payment_intent=Text(),
            refund_application_fee=Flag(),
            reason=Choice(("duplicate", "fraudulent", "requested_by_customer")),
        ),
    ),
    Route("GET", "/v1/refunds", _list, declare_list(charge=Text(), created=TIME_RANGE, payment_intent=Text())),
    Route("GET", "/v1/refunds/<refund>", _retrieve, declare()),
    Route("POST", "/v1/refunds/<refund>", _update, declare(metadata=Metadata())),
    Route("POST", "/v1/refunds/<refund>/cancel", _cancel, declare()),
)
