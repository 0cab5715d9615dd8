"""How a setup intent is confirmed, authenticated and canceled: a card is kept without being charged.

Source: https://docs.stripe.com/payments/setup-intents.
"""

from __future__ import annotations

from sandbox.stripe import intents, payment_methods
from sandbox.stripe.calls import Work
from sandbox.stripe.cards import Authentication, Decline
from sandbox.stripe.configuration import ACCOUNT_ID, APPLICATION_ID
from sandbox.stripe.errors import CardError, InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.identifiers import client_secret, new_id
from sandbox.stripe.parameters import merge_metadata
from sandbox.stripe.shapes import JsonObject

KIND = "setup_intent"
AUTHENTICATION_FAILURE = "setup_intent_authentication_failure"


def new_setup(work: Work, given: JsonObject, *, owner: str | None = None) -> JsonObject:
    """Store and tell a setup intent; `owner` is the checkout session that alone may act on it."""
    identifier = new_id("seti_")
    automatic = given.get("automatic_payment_methods")
    if automatic is None and "payment_method_types" not in given:
        automatic = {"enabled": True}
    setup: JsonObject = {
        "id": identifier,
        "object": KIND,
        "allowed_payment_method_types": None,
        "application": None if work.account == ACCOUNT_ID else APPLICATION_ID,
        "automatic_payment_methods": (
            {"allow_redirects": automatic.get("allow_redirects", "always"), "enabled": automatic["enabled"]}
            if automatic
            else None
        ),
        "cancellation_reason": None,
        "client_secret": client_secret(identifier),
        "created": work.now,
        "customer": given.get("customer"),
        "customer_account": None,
        "description": given.get("description"),
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "managed_payments": None,
        "mandate": None,
        "metadata": merge_metadata({}, given.get("metadata") or {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
        },
        "payment_method_types": given.get("payment_method_types", ["card"]),
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": given.get("usage", "off_session"),
    }
    work.objects.insert(setup, {"session": owner} if owner else None)
    emit(work, "setup_intent.created", setup)
    return setup


def check_usable(setup: JsonObject, method: JsonObject) -> None:
    """Refuse a payment method which the intent may not use.

    Raises: InvalidRequest for another customer's method or a type that is not offered.
    """
    if method["type"] not in setup["payment_method_types"]:
        raise InvalidRequest(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this SetupIntent.",
            code="setup_intent_invalid_parameter",
            param="payment_method",
        )
    if method["customer"] is not None and method["customer"] != setup["customer"]:
        raise InvalidRequest(
            f"The payment method {method['id']} belongs to a customer; give that customer with the SetupIntent.",
            param="payment_method",
        )


def confirm(work: Work, setup: JsonObject, method: JsonObject, *, return_url: str | None = None) -> JsonObject:
    """Try to keep the method; return the intent, succeeded or asking for 3-D Secure.

    Raises: CardError when the card refuses; InvalidRequest for an unusable method.
    """
    check_usable(setup, method)
    setup["payment_method"] = method["id"]
    asks = False
    if method["type"] == "card":
        card = payment_methods.card_of(work, method)
        asks = card.authentication is not Authentication.NEVER
        if card.decline is not None and not card.attachable:
            _refuse(work, setup, method, card.decline)
    if not asks:
        return _succeed(work, setup, method)
    setup |= {"status": "requires_action", "next_action": _next_action(work, setup, return_url)}
    setup["latest_attempt"] = _attempt(work, setup, "requires_action")["id"]
    work.objects.replace(setup)
    work.objects.hide(setup["id"], return_url=return_url)
    emit(work, "setup_intent.requires_action", setup)
    return setup


def finish_challenge(work: Work, setup: JsonObject, *, passed: bool) -> JsonObject:
    """Go on after the 3-D Secure page; return the intent.

    Raises: CardError when the card refuses after all; InvalidRequest when no challenge is open.
    """
    if setup["status"] != "requires_action":
        raise intents.unexpected_state(setup, "authenticated")
    method = work.require("payment_method", setup["payment_method"], param="payment_method")
    setup["next_action"] = None
    if passed:
        work.objects.hide(method["id"], set_up=True)
        return _succeed(work, setup, method, authenticated=True)
    failure: JsonObject = {
        "code": AUTHENTICATION_FAILURE,
        "doc_url": "https://stripe.com/docs/error-codes/setup-intent-authentication-failure",
        "message": "The provided PaymentMethod has failed authentication. Try again or use another one.",
        "type": "invalid_request_error",
    }
    _fail(work, setup, method, failure)
    return setup


def cancel(work: Work, setup: JsonObject, reason: str | None) -> JsonObject:
    """Give the intent up; return it.

    Raises: InvalidRequest when it succeeded or was canceled.
    """
    if setup["status"] in ("succeeded", "canceled"):
        raise intents.unexpected_state(setup, "canceled")
    setup |= {"status": "canceled", "cancellation_reason": reason, "next_action": None}
    work.objects.replace(setup)
    emit(work, "setup_intent.canceled", setup)
    return setup


def challenge_url(work: Work, setup: JsonObject) -> str:
    """Return the address of the page on which the customer proves to be the card's owner."""
    return f"{work.base_url}/c/3ds/{setup['id']}?client_secret={setup['client_secret']}"


def _next_action(work: Work, setup: JsonObject, return_url: str | None) -> JsonObject:
    url = challenge_url(work, setup)
    if return_url is not None:
        return {"redirect_to_url": {"return_url": return_url, "url": url}, "type": "redirect_to_url"}
    return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url}}


def _succeed(work: Work, setup: JsonObject, method: JsonObject, *, authenticated: bool = False) -> JsonObject:
    if setup["customer"] is not None and method["customer"] is None:
        payment_methods.attach(work, method, setup["customer"])
    setup |= {"status": "succeeded", "last_setup_error": None, "next_action": None}
    setup["latest_attempt"] = _attempt(work, setup, "succeeded", authenticated=authenticated)["id"]
    work.objects.replace(setup)
    emit(work, "setup_intent.succeeded", setup)
    return setup


def _refuse(work: Work, setup: JsonObject, method: JsonObject, decline: Decline) -> None:
    failure: JsonObject = {
        "code": decline.code,
        "doc_url": f"https://stripe.com/docs/error-codes/{decline.code.replace('_', '-')}",
        "message": decline.message,
        "type": "card_error",
    }
    extra: JsonObject = {"setup_intent": setup, "payment_method": method}
    if decline.decline_code is not None:
        failure["decline_code"] = extra["decline_code"] = decline.decline_code
    _fail(work, setup, method, failure)
    raise CardError(decline.message, code=decline.code, extra=extra)


def _fail(work: Work, setup: JsonObject, method: JsonObject, failure: JsonObject) -> None:
    error = failure | {"payment_method": method}
    setup["latest_attempt"] = _attempt(work, setup, "failed", error=error)["id"]
    setup |= {
        "status": "requires_payment_method",
        "last_setup_error": error,
        "next_action": None,
        "payment_method": None,
    }
    work.objects.replace(setup)
    emit(work, "setup_intent.setup_failed", setup)


def _attempt(
    work: Work, setup: JsonObject, status: str, *, error: JsonObject | None = None, authenticated: bool = False
) -> JsonObject:
    method = work.require("payment_method", setup["payment_method"], param="payment_method")
    details: JsonObject = {"type": method["type"], method["type"]: {}}
    if method["type"] == "card":
        on_card = method["card"]
        details["card"] = {
            name: on_card[name]
            for name in ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
        } | {
            "checks": payment_methods.checks_of(payment_methods.card_of(work, method)),
            "network": on_card["brand"],
            "three_d_secure": payment_methods.authenticated() if authenticated else None,
            "wallet": None,
        }
    attempt: JsonObject = {
        "id": new_id("setatt_"),
        "object": "setup_attempt",
        "application": setup["application"],
        "created": work.now,
        "customer": setup["customer"],
        "customer_account": None,
        "flow_directions": None,
        "livemode": False,
        "on_behalf_of": None,
        "payment_method": method["id"],
        "payment_method_details": details,
        "setup_error": error,
        "setup_intent": setup["id"],
        "status": status,
        "usage": setup["usage"],
    }
    work.objects.insert(attempt)
    return attempt
