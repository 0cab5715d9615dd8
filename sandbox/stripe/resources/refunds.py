"""Refunds, never more than was charged.

Source: https://docs.stripe.com/api/refunds.
"""

from __future__ import annotations

from sandbox.stripe.calls import Call
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
    Integer,
    Metadata,
    Text,
    declare,
    declare_list,
    merge_metadata,
)
from sandbox.stripe.resources import balance_transactions
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject


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
        "id": new_id("re_"),
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
    if "instructions_email" in call.params:
        refund["instructions_email"] = call.params["instructions_email"]
    refund["balance_transaction"] = balance_transactions.book_refund(call, refund, charge)["id"]
    call.objects.insert(refund)
    before = dict(charge)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    call.objects.replace(charge)
    emit(call, "refund.created", refund)
    emit(call, "charge.refunded", charge, before=before)
    return refund


def _retrieve(call: Call) -> JsonObject:
    return call.target("refund", "refund")


def _update(call: Call) -> JsonObject:
    refund, before = (call.target("refund", "refund") for _ in range(2))
    if "metadata" in call.params:
        refund["metadata"] = merge_metadata(refund["metadata"], call.params["metadata"])
    if refund != before:
        call.objects.replace(refund)
        emit(call, "refund.updated", refund, before=before)
        emit(call, "charge.refund.updated", refund, before=before)
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
            reason=Choice(("duplicate", "fraudulent", "requested_by_customer")),
        ),
    ),
    Route("GET", "/v1/refunds", _list, declare_list(charge=Text(), created=TIME_RANGE, payment_intent=Text())),
    Route("GET", "/v1/refunds/<refund>", _retrieve, declare()),
    Route("POST", "/v1/refunds/<refund>", _update, declare(metadata=Metadata())),
    Route("POST", "/v1/refunds/<refund>/cancel", _cancel, declare()),
)
