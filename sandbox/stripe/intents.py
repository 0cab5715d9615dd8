"""What is asked of payment intents and setup intents alike."""

from __future__ import annotations

from typing import Any

from sandbox.stripe.calls import Call
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.shapes import JsonObject

_NAMES = {"payment_intent": "PaymentIntent", "setup_intent": "SetupIntent"}


def name_of(intent: JsonObject) -> str:
    """Its kind as messages call it."""
    return _NAMES[intent["object"]]


def unexpected_state(intent: JsonObject, action: str) -> InvalidRequest:
    """Return the error for an action that the intent's status does not allow."""
    return InvalidRequest(
        f"This {name_of(intent)} could not be {action} because it has a status of {intent['status']}.",
        code=f"{intent['object']}_unexpected_state",
        extra={intent["object"]: intent},
    )


def missing_method(intent: JsonObject, **about: Any) -> InvalidRequest:
    """Return the error for confirming without a payment method."""
    return InvalidRequest(
        f"You cannot confirm this {name_of(intent)} because it's missing a payment method.",
        code=f"{intent['object']}_unexpected_state",
        **about,
    )


def method_to_confirm(call: Call, intent: JsonObject, taken: JsonObject | None) -> JsonObject:
    """Return the method to confirm with: the one of this call, or the one that the intent has.

    Raises: InvalidRequest when there is none.
    """
    if taken is not None:
        return taken
    if intent["payment_method"] is None:
        raise missing_method(intent, extra={intent["object"]: intent})
    return call.require("payment_method", intent["payment_method"], param="payment_method")


def check_method_types(call: Call) -> None:
    """Refuse a list of types beside automatic ones.

    Raises: InvalidRequest when both are given.
    """
    if call.params.get("automatic_payment_methods", {}).get("enabled") and "payment_method_types" in call.params:
        raise InvalidRequest(
            "You may only specify one of these parameters: automatic_payment_methods, payment_method_types.",
            param="payment_method_types",
        )


def return_url_of(call: Call, intent: JsonObject) -> str | None:
    """Return where the customer comes back to.

    Raises: InvalidRequest when the intent's methods may redirect him and there is none.
    """
    return_url: str | None = call.params.get("return_url")
    redirects = (intent["automatic_payment_methods"] or {}).get("allow_redirects") == "always"
    if redirects and return_url is None and not call.params.get("use_stripe_sdk"):
        raise InvalidRequest(
            f"This {name_of(intent)} accepts payment methods that may redirect your customer away from your page, so a"
            " return_url is needed. Give one, or set automatic_payment_methods[allow_redirects] to never.",
            param="return_url",
        )
    return return_url


def check_secret(call: Call, intent: JsonObject) -> None:
    """Compare the client secret, if the caller gives one.

    Raises: InvalidRequest when it is another intent's.
    """
    secret = call.params.get("client_secret")
    if secret is not None and secret != intent["client_secret"]:
        raise InvalidRequest(
            f"The client_secret provided does not match this {name_of(intent)}.", param="client_secret"
        )
