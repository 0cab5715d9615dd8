"""How a payment intent is confirmed, authenticated, captured and canceled.

Source: https://docs.stripe.com/payments/paymentintents/lifecycle.
"""

from __future__ import annotations

from sandbox.stripe import intents, later, payment_methods
from sandbox.stripe.calls import Work
from sandbox.stripe.cards import AUTHENTICATION_REQUIRED, Authentication, Card, Decline
from sandbox.stripe.configuration import ACCOUNT_ID, APPLICATION_ID
from sandbox.stripe.currencies import written
from sandbox.stripe.errors import CardError, InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.identifiers import client_secret, new_id
from sandbox.stripe.parameters import full_address, merge_metadata
from sandbox.stripe.resources import charges
from sandbox.stripe.shapes import JsonObject

SUCCEED, FAIL, DISPUTE = "payment_intent.succeed", "payment_intent.fail", "charge.dispute"
"""What comes later by itself: the end of a debit, and a dispute."""

AUTHENTICATION_FAILURE = "payment_intent_authentication_failure"


def new_intent(work: Work, given: JsonObject, *, owner: str | None = None) -> JsonObject:
    """Store and tell a payment intent; `owner` is the checkout session that alone may act on it."""
    identifier = new_id("pi_")
    shipping = given.get("shipping")
    automatic = given.get("automatic_payment_methods")
    if automatic is None and "payment_method_types" not in given:
        automatic = {"enabled": True}
    offered = ["card", "sepa_debit"] if given["currency"] == "eur" else ["card"]
    types = given.get("payment_method_types") or (offered if automatic and automatic["enabled"] else ["card"])
    intent: JsonObject = {
        "id": identifier,
        "object": "payment_intent",
        "allowed_payment_method_types": None,
        "amount": given["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None if work.account == ACCOUNT_ID else APPLICATION_ID,
        "application_fee_amount": given.get("application_fee_amount"),
        "automatic_payment_methods": (
            {"allow_redirects": automatic.get("allow_redirects", "always"), "enabled": automatic["enabled"]}
            if automatic
            else None
        ),
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": given.get("capture_method", "automatic_async"),
        "client_secret": client_secret(identifier),
        "confirmation_method": given.get("confirmation_method", "automatic"),
        "created": work.now,
        "currency": given["currency"],
        "customer": given.get("customer"),
        "customer_account": None,
        "description": given.get("description"),
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "managed_payments": None,
        "metadata": merge_metadata({}, given.get("metadata") or {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
            }
        },
        "payment_method_types": types,
        "processing": None,
        "receipt_email": given.get("receipt_email"),
        "review": None,
        "setup_future_usage": given.get("setup_future_usage"),
        "shipping": shipping and {**shipping, "address": full_address(shipping["address"])},
        "statement_descriptor": given.get("statement_descriptor"),
        "statement_descriptor_suffix": given.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": given.get("transfer_group"),
    }
    work.objects.insert(intent, {"session": owner} if owner else None)
    emit(work, "payment_intent.created", intent)
    return intent


def check_usable(work: Work, intent: JsonObject, method: JsonObject) -> None:
    """Refuse a payment method which the intent may not use.

    Raises: InvalidRequest for another customer's method, or one that was used before without being kept.
    """
    if method["customer"] is not None and method["customer"] != intent["customer"]:
        raise InvalidRequest(
            f"The payment method {method['id']} belongs to a customer; give that customer with the payment.",
            param="payment_method",
        )
    if method["type"] not in intent["payment_method_types"]:
        raise InvalidRequest(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent. Please attempt with"
            f" one of: {', '.join(intent['payment_method_types'])}.",
            code="payment_intent_invalid_parameter",
            param="payment_method",
        )
    if method["customer"] is None and work.objects.hidden(method["id"]).get("spent"):
        raise InvalidRequest(
            "The provided PaymentMethod was used without being attached to a Customer, or was detached from one, and"
            " may not be used again.",
            param="payment_method",
        )


def confirm(
    work: Work,
    intent: JsonObject,
    method: JsonObject,
    *,
    return_url: str | None = None,
    off_session: bool = False,
    error_on_action: bool = False,
) -> JsonObject:
    """Try to charge the method; return the intent, paid, to be captured, or asking for 3-D Secure.

    Raises: CardError when the card refuses (the failed charge stays); InvalidRequest for an unusable method.
    """
    check_usable(work, intent, method)
    if method["type"] == "sepa_debit":
        return _debit(work, intent, method)
    card = payment_methods.card_of(work, method)
    if not _asks_for_authentication(work, method, card, off_session=off_session):
        return _charge(work, intent, method, card, authenticated=False, decline=card.decline)
    if off_session:
        return _charge(work, intent, method, card, authenticated=False, decline=AUTHENTICATION_REQUIRED)
    if error_on_action:
        _fail(work, intent, method, _card_failure(AUTHENTICATION_REQUIRED))
        raise _refusal(AUTHENTICATION_REQUIRED, intent, method)
    intent["status"] = "requires_action"
    intent["payment_method"] = method["id"]
    intent["next_action"] = _next_action(work, intent, return_url)
    work.objects.replace(intent)
    work.objects.hide(intent["id"], return_url=return_url)
    emit(work, "payment_intent.requires_action", intent)
    return intent


def challenge_url(work: Work, intent: JsonObject) -> str:
    """Return the address of the page on which the customer proves to be the card's owner."""
    return f"{work.base_url}/c/3ds/{intent['id']}?client_secret={intent['client_secret']}"


def finish_challenge(work: Work, intent: JsonObject, *, passed: bool) -> JsonObject:
    """Go on after the 3-D Secure page; return the intent.

    Raises: CardError when the card refuses after all; InvalidRequest when no challenge is open.
    """
    if intent["status"] != "requires_action":
        raise intents.unexpected_state(intent, "authenticated")
    method = work.require("payment_method", intent["payment_method"], param="payment_method")
    intent["next_action"] = None
    if not passed:
        _fail(
            work,
            intent,
            method,
            {
                "code": AUTHENTICATION_FAILURE,
                "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
                "message": "The provided PaymentMethod has failed authentication. Try again or use another one.",
                "type": "invalid_request_error",
            },
        )
        return intent
    card = payment_methods.card_of(work, method)
    if card.authentication is Authentication.UNLESS_SET_UP:
        work.objects.hide(method["id"], set_up=True)
    return _charge(work, intent, method, card, authenticated=True, decline=card.decline)


def capture(work: Work, intent: JsonObject, amount: int | None, *, application_fee: int | None = None) -> JsonObject:
    """Take an authorised amount, all of it or less; return the intent.

    Raises: InvalidRequest in another state or for more than was authorised.
    """
    if intent["status"] != "requires_capture":
        raise intents.unexpected_state(intent, "captured")
    taken: int = intent["amount_capturable"] if amount is None else amount
    if taken > intent["amount_capturable"]:
        raise InvalidRequest(
            "The amount to capture is greater than the amount that may be captured"
            f" ({written(intent['amount_capturable'], intent['currency'])}).",
            code="amount_too_large",
            param="amount_to_capture",
        )
    charge = work.require("charge", intent["latest_charge"], param="charge")
    before = dict(charge)
    charge["captured"] = True
    charge["amount_captured"] = taken
    if application_fee is not None:
        charge["application_fee_amount"] = intent["application_fee_amount"] = application_fee
    work.objects.replace(charge)
    emit(work, "charge.captured", charge, before=before)
    charges.settle(work, charge, taken)
    method = work.require("payment_method", charge["payment_method"], param="payment_method")
    if payment_methods.card_of(work, method).dispute is not None:
        later.schedule(work, DISPUTE, charge["id"], after=0)
    intent |= {"status": "succeeded", "amount_capturable": 0, "amount_received": taken}
    work.objects.replace(intent)
    emit(work, "payment_intent.succeeded", intent)
    return intent


def cancel(work: Work, intent: JsonObject, reason: str | None) -> JsonObject:
    """Give the intent up, releasing what was authorised; return it.

    Raises: InvalidRequest when it is paid or canceled.
    """
    if intent["status"] in ("succeeded", "canceled", "processing"):
        raise intents.unexpected_state(intent, "canceled")
    if intent["status"] == "requires_capture":
        charge = work.require("charge", intent["latest_charge"], param="charge")
        before = dict(charge)
        charge |= {"amount_refunded": charge["amount"], "refunded": True}
        work.objects.replace(charge)
        emit(work, "charge.refunded", charge, before=before)
    intent |= {
        "status": "canceled",
        "amount_capturable": 0,
        "canceled_at": work.now,
        "cancellation_reason": reason,
        "next_action": None,
    }
    work.objects.replace(intent)
    emit(work, "payment_intent.canceled", intent)
    return intent


def _asks_for_authentication(work: Work, method: JsonObject, card: Card, *, off_session: bool) -> bool:
    if card.authentication is Authentication.ON_SESSION:
        return not off_session
    if card.authentication is Authentication.UNLESS_SET_UP:
        return not work.objects.hidden(method["id"]).get("set_up")
    return card.authentication is Authentication.ALWAYS


def _next_action(work: Work, intent: JsonObject, return_url: str | None) -> JsonObject:
    url = challenge_url(work, intent)
    if return_url is not None:
        return {"redirect_to_url": {"return_url": return_url, "url": url}, "type": "redirect_to_url"}
    return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url}}


def _charge(
    work: Work, intent: JsonObject, method: JsonObject, card: Card, *, authenticated: bool, decline: Decline | None
) -> JsonObject:
    charge = charges.new_charge(work, intent, method, card, authenticated=authenticated, decline=decline)
    intent["latest_charge"] = charge["id"]
    if decline is not None:
        _fail(work, intent, method, _card_failure(decline) | {"charge": charge["id"]})
        raise _refusal(decline, intent, method, charge["id"])
    if card.dispute is not None and charge["captured"]:
        later.schedule(work, DISPUTE, charge["id"], after=0)
    _keep_or_spend(work, intent, method)
    held = intent["capture_method"] == "manual"
    intent |= {
        "status": "requires_capture" if held else "succeeded",
        "amount_capturable": intent["amount"] if held else 0,
        "amount_received": 0 if held else intent["amount"],
        "last_payment_error": None,
        "next_action": None,
        "payment_method": method["id"],
    }
    work.objects.replace(intent)
    emit(work, "payment_intent.amount_capturable_updated" if held else "payment_intent.succeeded", intent)
    return intent


def _debit(work: Work, intent: JsonObject, method: JsonObject) -> JsonObject:
    """Begin a debit of a bank account, whose end comes by itself; return the intent, processing."""
    if intent["currency"] != "eur":
        raise InvalidRequest("SEPA Direct Debit takes euros only.", param="currency")
    if intent["capture_method"] == "manual":
        raise InvalidRequest("SEPA Direct Debit cannot be captured manually.", param="capture_method")
    account = payment_methods.bank_account_of(work, method)
    charge = charges.new_debit(work, intent, method)
    _keep_or_spend(work, intent, method)
    intent |= {
        "status": "processing",
        "last_payment_error": None,
        "latest_charge": charge["id"],
        "next_action": None,
        "payment_method": method["id"],
    }
    work.objects.replace(intent)
    emit(work, "payment_intent.processing", intent)
    later.schedule(work, SUCCEED if account.succeeds else FAIL, intent["id"], after=account.after)
    if account.succeeds and account.disputed:
        later.schedule(work, DISPUTE, charge["id"], after=account.after)
    return intent


def succeed_later(work: Work, intent_id: str) -> None:
    """End a debit well."""
    intent = work.require("payment_intent", intent_id, param="intent")
    if intent["status"] != "processing":
        return
    charges.debit_succeeded(work, work.require("charge", intent["latest_charge"], param="charge"))
    intent |= {"status": "succeeded", "amount_received": intent["amount"]}
    work.objects.replace(intent)
    emit(work, "payment_intent.succeeded", intent)


def fail_later(work: Work, intent_id: str) -> None:
    """End a debit badly."""
    intent = work.require("payment_intent", intent_id, param="intent")
    if intent["status"] != "processing":
        return
    charges.debit_failed(work, work.require("charge", intent["latest_charge"], param="charge"))
    method = work.require("payment_method", intent["payment_method"], param="payment_method")
    failure = _card_failure(charges.REFUSED_DEBIT) | {"charge": intent["latest_charge"]}
    _fail(work, intent, method, failure)


def _keep_or_spend(work: Work, intent: JsonObject, method: JsonObject) -> None:
    if method["customer"] is not None:
        return
    if intent["setup_future_usage"] is not None and intent["customer"] is not None:
        payment_methods.attach(work, method, intent["customer"])
    else:
        work.objects.hide(method["id"], spent=True)


def _card_failure(decline: Decline) -> JsonObject:
    failure: JsonObject = {
        "code": decline.code,
        "doc_url": f"https://stripe.com/docs/error-codes/{decline.code.replace('_', '-')}",
        "message": decline.message,
        "type": "card_error",
    }
    if decline.decline_code is not None:
        failure["decline_code"] = decline.decline_code
    return failure


def _fail(work: Work, intent: JsonObject, method: JsonObject, failure: JsonObject) -> None:
    intent |= {
        "status": "requires_payment_method",
        "last_payment_error": failure | {"payment_method": method},
        "next_action": None,
        "payment_method": None,
    }
    work.objects.replace(intent)
    emit(work, "payment_intent.payment_failed", intent)


def _refusal(decline: Decline, intent: JsonObject, method: JsonObject, charge: str | None = None) -> CardError:
    extra: JsonObject = {"payment_intent": intent, "payment_method": method}
    if charge is not None:
        extra["charge"] = charge
    if decline.decline_code is not None:
        extra["decline_code"] = decline.decline_code
    return CardError(decline.message, code=decline.code, extra=extra)
