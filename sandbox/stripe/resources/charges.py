"""Charges: attempts to move money, made by payment intents.

Source: https://docs.stripe.com/api/charges.
"""

from __future__ import annotations

from sandbox.stripe import payment_methods
from sandbox.stripe.calls import Call, Work
from sandbox.stripe.cards import Card, Decline
from sandbox.stripe.events import emit
from sandbox.stripe.identifiers import new_id, token
from sandbox.stripe.objects import Filter, equals
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import (
    SHIPPING,
    TIME_RANGE,
    Choice,
    Email,
    Hash,
    Metadata,
    Text,
    declare,
    declare_list,
    full_address,
    merge_metadata,
)
from sandbox.stripe.resources import application_fees, balance_transactions
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject

STATEMENT_DESCRIPTOR = "INSULA SANDBOX"

REFUSED_DEBIT = Decline("debit_not_authorized", "The customer's bank did not let the debit through.")


def new_charge(
    work: Work, intent: JsonObject, method: JsonObject, card: Card, *, authenticated: bool, decline: Decline | None
) -> JsonObject:
    """Store and tell the attempt to charge the intent's amount; `decline` says that it failed; return it."""
    captured = decline is None and intent["capture_method"] != "manual"
    details = _card_details(intent, method, card, authenticated=authenticated, decline=decline)
    charge = _charge(work, intent, method, new_id("ch_"), {"card": details, "type": "card"}) | {
        "amount_captured": intent["amount"] if captured else 0,
        "captured": captured,
        "failure_code": decline.code if decline else None,
        "failure_message": decline.message if decline else None,
        "outcome": _outcome(card, decline),
        "paid": decline is None,
        "status": "failed" if decline else "succeeded",
    }
    if decline:
        charge["receipt_url"] = None
    work.objects.insert(charge)
    emit(work, "charge.failed" if decline else "charge.succeeded", charge)
    if captured:
        settle(work, charge, charge["amount"])
    return charge


def new_debit(work: Work, intent: JsonObject, method: JsonObject) -> JsonObject:
    """Store and tell that a bank account is about to be debited; return the charge, pending."""
    account = method["sepa_debit"]
    details = {
        "bank_code": account["bank_code"],
        "branch_code": account["branch_code"],
        "country": account["country"],
        "fingerprint": account["fingerprint"],
        "last4": account["last4"],
        "mandate": None,
    }
    charge = _charge(work, intent, method, new_id("py_"), {"sepa_debit": details, "type": "sepa_debit"}) | {
        "captured": True,
        "outcome": _AUTHORIZED | {"network_status": "not_sent_to_network", "risk_level": "not_assessed"},
        "receipt_url": None,
        "status": "pending",
    }
    charge["outcome"].pop("risk_score")
    work.objects.insert(charge)
    emit(work, "charge.pending", charge)
    return charge


def debit_succeeded(work: Work, charge: JsonObject) -> None:
    """Tell and book that a debit went through."""
    charge |= {
        "amount_captured": charge["amount"],
        "outcome": charge["outcome"] | {"network_status": "approved_by_network"},
        "paid": True,
        "receipt_url": f"{work.base_url}/receipts/{charge['id']}",
        "status": "succeeded",
    }
    work.objects.replace(charge)
    emit(work, "charge.succeeded", charge)
    settle(work, charge, charge["amount"])


def debit_failed(work: Work, charge: JsonObject) -> None:
    """Tell that a debit did not go through."""
    charge |= {
        "failure_code": REFUSED_DEBIT.code,
        "failure_message": REFUSED_DEBIT.message,
        "status": "failed",
    }
    work.objects.replace(charge)
    emit(work, "charge.failed", charge)


def _charge(work: Work, intent: JsonObject, method: JsonObject, identifier: str, details: JsonObject) -> JsonObject:
    """Return what every charge of the intent has in common."""
    suffix = intent["statement_descriptor_suffix"]
    return {
        "id": identifier,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": intent["application"],
        "application_fee": None,
        "application_fee_amount": intent["application_fee_amount"],
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": f"{STATEMENT_DESCRIPTOR}* {suffix}" if suffix else STATEMENT_DESCRIPTOR,
        "captured": False,
        "created": work.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": None,
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": details,
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": f"{work.base_url}/receipts/{identifier}",
        "refunded": False,
        "review": None,
        "shipping": intent["shipping"],
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": suffix,
        "status": "pending",
        "transfer_data": None,
        "transfer_group": intent["transfer_group"],
    }


def settle(work: Work, charge: JsonObject, amount: int) -> None:
    """Book the charge's income.

    Stripe settles `automatic_async` charges after having announced them, so the announcement lacks the balance
    transaction and `charge.updated` brings it.
    """
    before = dict(charge)
    if charge["application_fee_amount"]:
        charge["application_fee"] = application_fees.collect(work, charge)["id"]
    booked = balance_transactions.book_charge(work, charge, amount)
    method = work.require("payment_method", charge["payment_method"], param="payment_method")
    if method["type"] == "card" and payment_methods.card_of(work, method).available_at_once:
        booked["available_on"] = work.now
        work.objects.replace(booked)
    charge["balance_transaction"] = booked["id"]
    work.objects.replace(charge)
    emit(work, "charge.updated", charge, before=before)


_AUTHORIZED: JsonObject = {
    "advice_code": None,
    "network_advice_code": None,
    "network_decline_code": None,
    "network_status": "approved_by_network",
    "reason": None,
    "risk_level": "normal",
    "risk_score": 20,
    "seller_message": "Payment complete.",
    "type": "authorized",
}
_SCORE = {"normal": 20, "elevated": 70, "highest": 95}


def _outcome(card: Card, decline: Decline | None) -> JsonObject:
    outcome = _AUTHORIZED | {"risk_level": card.risk, "risk_score": _SCORE[card.risk]}
    if card.risk != "normal":
        outcome["reason"] = f"{card.risk}_risk_level"
    if decline is None:
        return outcome
    if decline.blocked:
        return outcome | {
            "network_status": "not_sent_to_network",
            "reason": "highest_risk_level",
            "risk_level": "highest",
            "risk_score": 95,
            "seller_message": "Stripe blocked this payment as too risky.",
            "type": "blocked",
        }
    return outcome | {
        "network_decline_code": "01",
        "network_status": "declined_by_network",
        "reason": decline.decline_code or decline.code,
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    }


def _card_details(
    intent: JsonObject, method: JsonObject, card: Card, *, authenticated: bool, decline: Decline | None
) -> JsonObject:
    on_card = method["card"]
    wrong_cvc = decline is not None and decline.code == "incorrect_cvc"
    details: JsonObject = {
        "amount_authorized": None if decline else intent["amount"],
        "authorization_code": None if decline else token(6).upper(),
        "brand": card.brand,
        "checks": payment_methods.checks_of(card) | ({"cvc_check": "fail"} if wrong_cvc else {}),
        "country": card.country,
        "exp_month": on_card["exp_month"],
        "exp_year": on_card["exp_year"],
        "extended_authorization": {"status": "disabled"},
        "fingerprint": on_card["fingerprint"],
        "funding": card.funding,
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": card.last4,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card.brand,
        "network_token": {"used": False},
        "network_transaction_id": token(15).upper(),
        "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": None,
        "transaction_link_id": None,
        "wallet": None,
    }
    if authenticated:
        details["three_d_secure"] = payment_methods.authenticated() | {"exemption_indicator": None}
    return details


def _retrieve(call: Call) -> JsonObject:
    return call.target("charge", "charge")


def _update(call: Call) -> JsonObject:
    charge, before = (call.target("charge", "charge") for _ in range(2))
    for name in ("description", "fraud_details", "receipt_email", "transfer_group"):
        if name in call.params:
            charge[name] = call.params[name]
    if "shipping" in call.params:
        shipping = call.params["shipping"]
        charge["shipping"] = shipping and {**shipping, "address": full_address(shipping["address"])}
    if "metadata" in call.params:
        charge["metadata"] = merge_metadata(charge["metadata"], call.params["metadata"])
    call.objects.replace(charge)
    if charge != before:
        emit(call, "charge.updated", charge, before=before)
    return charge


def _list(call: Call) -> JsonObject:
    filters: list[Filter] = [
        equals(name, call.params[name])
        for name in ("customer", "payment_intent", "transfer_group")
        if name in call.params
    ]
    return list_page(call, "charge", filters, url="/v1/charges")


def _list_refunds(call: Call) -> JsonObject:
    charge = call.target("charge", "charge")
    return list_page(call, "refund", [equals("charge", charge["id"])], url=f"/v1/charges/{charge['id']}/refunds")


ROUTES = (
    Route(
        "GET",
        "/v1/charges",
        _list,
        declare_list(created=TIME_RANGE, customer=Text(), payment_intent=Text(), transfer_group=Text()),
    ),
    Route("GET", "/v1/charges/<charge>", _retrieve, declare()),
    Route(
        "POST",
        "/v1/charges/<charge>",
        _update,
        declare(
            description=Text(),
            fraud_details=Hash({"user_report": Choice(("fraudulent", "safe"))}),
            metadata=Metadata(),
            receipt_email=Email(),
            shipping=SHIPPING,
            transfer_group=Text(),
        ),
    ),
    Route("GET", "/v1/charges/<charge>/refunds", _list_refunds, declare_list()),
)
