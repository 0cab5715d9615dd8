"""Payment intents.

Source: https://docs.stripe.com/api/payment_intents.
"""

from __future__ import annotations

from typing import Any

from sandbox.stripe import intents, payment_methods, payments
from sandbox.stripe.billing import collection
from sandbox.stripe.calls import Call
from sandbox.stripe.configuration import ACCOUNT_ID
from sandbox.stripe.currencies import check_charge_amount
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.objects import Filter, equals
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import (
    SHIPPING,
    TIME_RANGE,
    Choice,
    CurrencyCode,
    Either,
    Email,
    Flag,
    Hash,
    Integer,
    Kind,
    ListOf,
    Metadata,
    Text,
    Url,
    declare,
    declare_list,
    full_address,
    merge_metadata,
)
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject

_KIND = "payment_intent"
_BEFORE_PAYMENT = ("requires_payment_method", "requires_confirmation", "requires_action")

SETUP_FUTURE_USAGE = Choice(("off_session", "on_session"), clearable=True)
CAPTURE_METHOD = Choice(("automatic", "automatic_async", "manual"))
METHOD_TYPES = ListOf(Choice(("card", "sepa_debit")))

_CONFIRMATION: dict[str, Kind] = {
    "error_on_requires_action": Flag(),
    "off_session": Either(hash=Flag(), plain=Choice(("true", "false", "one_off", "recurring"))),
    "payment_method": Text(),
    "return_url": Url(),
    "use_stripe_sdk": Flag(),
}
_DESCRIPTION: dict[str, Kind] = {
    "description": Text(clearable=True),
    "metadata": Metadata(),
    "payment_method_types": METHOD_TYPES,
    "receipt_email": Email(clearable=True),
    "setup_future_usage": SETUP_FUTURE_USAGE,
    "shipping": SHIPPING,
    "statement_descriptor": Text(longest=22),
    "statement_descriptor_suffix": Text(longest=22),
    "transfer_group": Text(),
}
_FEE = Integer(least=0)


def _target(call: Call, *, to_change: bool = True) -> JsonObject:
    intent = call.target(_KIND, "intent")
    if to_change and call.objects.hidden(intent["id"]).get("session"):
        raise InvalidRequest(
            "This PaymentIntent was made by a Checkout Session and follows it; expire the session to cancel it."
        )
    return intent


def check_application_fee(call: Call, fee: int | None, amount: int, *, param: str) -> None:
    """Refuse a fee of the platform where none can be taken.

    Raises: InvalidRequest outside a connected account, or for more than the payment.
    """
    if fee is None:
        return
    if call.account == ACCOUNT_ID:
        raise InvalidRequest(
            "Can only apply an application_fee_amount when the payment is made on a connected account, by the"
            " Stripe-Account header.",
            param=param,
        )
    if fee > amount:
        raise InvalidRequest("The application fee cannot be larger than the total amount.", param=param)


def _take_method(call: Call, intent: JsonObject) -> JsonObject | None:
    method = None
    if "payment_method" in call.params:
        method = payment_methods.usable(call, call.params["payment_method"], param="payment_method")
    if method is not None:
        payments.check_usable(call, intent, method)
        intent["payment_method"] = method["id"]
        intent["status"] = "requires_confirmation"
        intent["next_action"] = None
    return method


def _confirm_now(call: Call, intent: JsonObject, method: JsonObject) -> JsonObject:
    params = call.params
    return_url = intents.return_url_of(call, intent)
    off_session = params.get("off_session", "false") != "false"
    if off_session and params.get("error_on_requires_action"):
        raise InvalidRequest("error_on_requires_action cannot be given with off_session.", param="off_session")
    return collection.confirm(
        call,
        intent,
        method,
        return_url=return_url,
        off_session=off_session,
        error_on_action=params.get("error_on_requires_action", False),
    )


def _create(call: Call) -> JsonObject:
    params = call.params
    check_charge_amount(params["amount"], params["currency"], param="amount")
    check_application_fee(call, params.get("application_fee_amount"), params["amount"], param="application_fee_amount")
    if "customer" in params:
        call.require("customer", params["customer"], param="customer")
    intents.check_method_types(call)
    if not params.get("confirm"):
        for name in ("error_on_requires_action", "off_session", "return_url"):
            if name in params:
                raise InvalidRequest(f"{name} can only be given with confirm=true.", param=name)
    intent = payments.new_intent(call, params)
    method = _take_method(call, intent)
    call.objects.replace(intent)
    if not params.get("confirm"):
        return intent
    if method is None:
        raise intents.missing_method(intent, param="payment_method")
    return _confirm_now(call, intent, method)


def _retrieve(call: Call) -> JsonObject:
    intent = _target(call, to_change=False)
    intents.check_secret(call, intent)
    return intent


def _update(call: Call) -> JsonObject:
    intent, params = _target(call, to_change=False), call.params
    if intent["status"] not in _BEFORE_PAYMENT and params.keys() - {"metadata", "description", "expand"}:
        raise intents.unexpected_state(intent, "updated")
    if call.objects.hidden(intent["id"]).get("session") and params.keys() - {"metadata", "description", "expand"}:
        _target(call)
    changes: dict[str, Any] = {
        name: params[name]
        for name in (*_DESCRIPTION, "amount", "application_fee_amount", "currency", "capture_method", "customer")
        if name in params and name not in ("metadata", "shipping")
    }
    if "customer" in changes:
        call.require("customer", changes["customer"], param="customer")
    intent |= changes
    if "metadata" in params:
        intent["metadata"] = merge_metadata(intent["metadata"], params["metadata"])
    if "shipping" in params:
        shipping = params["shipping"]
        intent["shipping"] = shipping and {**shipping, "address": full_address(shipping["address"])}
    if "payment_method_types" in params:
        intent["automatic_payment_methods"] = None
    check_charge_amount(intent["amount"], intent["currency"], param="amount")
    check_application_fee(call, intent["application_fee_amount"], intent["amount"], param="application_fee_amount")
    _take_method(call, intent)
    call.objects.replace(intent)
    return intent


def _confirm(call: Call) -> JsonObject:
    intent = _target(call)
    if intent["status"] not in _BEFORE_PAYMENT:
        raise intents.unexpected_state(intent, "confirmed")
    for name in ("receipt_email", "setup_future_usage", "capture_method", "shipping", "payment_method_types"):
        if name in call.params:
            intent[name] = call.params[name]
    return _confirm_now(call, intent, intents.method_to_confirm(call, intent, _take_method(call, intent)))


def _capture(call: Call) -> JsonObject:
    intent, fee = _target(call, to_change=False), call.params.get("application_fee_amount")
    amount = call.params.get("amount_to_capture")
    taken = intent["amount_capturable"] if amount is None else amount
    owed = intent["application_fee_amount"] if fee is None else fee
    check_application_fee(call, owed, taken, param="application_fee_amount")
    return payments.capture(call, intent, amount, application_fee=fee)


def _cancel(call: Call) -> JsonObject:
    intent = _target(call, to_change=False)
    if call.objects.hidden(intent["id"]).get("invoice"):
        raise InvalidRequest("You cannot cancel an invoice's PaymentIntent; void the invoice instead.")
    # A session's intent can still be released once the session is done and its money only held.
    if intent["status"] != "requires_capture":
        intent = _target(call)
    return payments.cancel(call, intent, call.params.get("cancellation_reason"))


def _list(call: Call) -> JsonObject:
    filters: list[Filter] = []
    if "customer" in call.params:
        filters.append(equals("customer", call.params["customer"]))
    return list_page(call, _KIND, filters, url="/v1/payment_intents")


_ITEM = "/v1/payment_intents/<intent>"

ROUTES = (
    Route(
        "POST",
        "/v1/payment_intents",
        _create,
        declare(
            ("amount", "currency"),
            amount=Integer(least=1),
            application_fee_amount=_FEE,
            automatic_payment_methods=Hash(
                {"allow_redirects": Choice(("always", "never")), "enabled": Flag()},
                required=frozenset({"enabled"}),
            ),
            capture_method=CAPTURE_METHOD,
            confirm=Flag(),
            confirmation_method=Choice(("automatic", "manual")),
            currency=CurrencyCode(),
            customer=Text(),
            **_CONFIRMATION,
            **_DESCRIPTION,
        ),
    ),
    Route("GET", "/v1/payment_intents", _list, declare_list(created=TIME_RANGE, customer=Text())),
    Route("GET", _ITEM, _retrieve, declare(client_secret=Text())),
    Route(
        "POST",
        _ITEM,
        _update,
        declare(
            amount=Integer(least=1),
            application_fee_amount=_FEE,
            capture_method=CAPTURE_METHOD,
            currency=CurrencyCode(),
            customer=Text(),
            payment_method=Text(),
            **_DESCRIPTION,
        ),
    ),
    Route(
        "POST",
        f"{_ITEM}/confirm",
        _confirm,
        declare(
            capture_method=CAPTURE_METHOD,
            payment_method_types=METHOD_TYPES,
            receipt_email=Email(clearable=True),
            setup_future_usage=SETUP_FUTURE_USAGE,
            shipping=SHIPPING,
            **_CONFIRMATION,
        ),
    ),
    Route(
        "POST", f"{_ITEM}/capture", _capture, declare(amount_to_capture=Integer(least=1), application_fee_amount=_FEE)
    ),
    Route(
        "POST",
        f"{_ITEM}/cancel",
        _cancel,
        declare(
            cancellation_reason=Choice(("abandoned", "duplicate", "fraudulent", "requested_by_customer")),
        ),
    ),
)
