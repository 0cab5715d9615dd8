"""Setup intents and the attempts to confirm them.

Source: https://docs.stripe.com/api/setup_intents and https://docs.stripe.com/api/setup_attempts.
"""

from __future__ import annotations

from sandbox.stripe import intents, payment_methods, setups
from sandbox.stripe.calls import Call
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.objects import Filter, equals
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import (
    TIME_RANGE,
    Choice,
    Flag,
    Hash,
    Metadata,
    Text,
    Url,
    declare,
    declare_list,
    merge_metadata,
)
from sandbox.stripe.resources.payment_intents import METHOD_TYPES
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject

_BEFORE_END = ("requires_payment_method", "requires_confirmation", "requires_action")


def _target(call: Call) -> JsonObject:
    return call.target(setups.KIND, "intent")


def _to_change(call: Call) -> JsonObject:
    setup = _target(call)
    if call.objects.hidden(setup["id"]).get("session"):
        raise InvalidRequest(
            "This SetupIntent was made by a Checkout Session and follows it; expire the session to cancel it."
        )
    return setup


def _take_method(call: Call, setup: JsonObject) -> JsonObject | None:
    if "payment_method" not in call.params:
        return None
    method = payment_methods.usable(call, call.params["payment_method"], param="payment_method")
    setups.check_usable(setup, method)
    setup |= {"payment_method": method["id"], "status": "requires_confirmation", "next_action": None}
    return method


def _create(call: Call) -> JsonObject:
    params = call.params
    if "customer" in params:
        call.require("customer", params["customer"], param="customer")
    intents.check_method_types(call)
    if not params.get("confirm") and "return_url" in params:
        raise InvalidRequest("return_url can only be given with confirm=true.", param="return_url")
    setup = setups.new_setup(call, params)
    method = _take_method(call, setup)
    call.objects.replace(setup)
    if not params.get("confirm"):
        return setup
    if method is None:
        raise intents.missing_method(setup, param="payment_method")
    return _confirm_now(call, setup, method)


def _confirm_now(call: Call, setup: JsonObject, method: JsonObject) -> JsonObject:
    return setups.confirm(call, setup, method, return_url=intents.return_url_of(call, setup))


def _retrieve(call: Call) -> JsonObject:
    setup = _target(call)
    intents.check_secret(call, setup)
    return setup


def _update(call: Call) -> JsonObject:
    setup, params = _to_change(call), call.params
    if setup["status"] not in _BEFORE_END and params.keys() - {"metadata", "description", "expand"}:
        raise intents.unexpected_state(setup, "updated")
    if "customer" in params:
        setup["customer"] = call.require("customer", params["customer"], param="customer")["id"]
    for name in ("description", "payment_method_types"):
        if name in params:
            setup[name] = params[name]
    if "metadata" in params:
        setup["metadata"] = merge_metadata(setup["metadata"], params["metadata"])
    _take_method(call, setup)
    call.objects.replace(setup)
    return setup


def _confirm(call: Call) -> JsonObject:
    setup = _to_change(call)
    if setup["status"] not in _BEFORE_END:
        raise intents.unexpected_state(setup, "confirmed")
    return _confirm_now(call, setup, intents.method_to_confirm(call, setup, _take_method(call, setup)))


def _cancel(call: Call) -> JsonObject:
    return setups.cancel(call, _to_change(call), call.params.get("cancellation_reason"))


def _list(call: Call) -> JsonObject:
    filters: list[Filter] = [
        equals(name, call.params[name]) for name in ("customer", "payment_method") if name in call.params
    ]
    return list_page(call, setups.KIND, filters, url="/v1/setup_intents")


def _list_attempts(call: Call) -> JsonObject:
    filters = [equals("setup_intent", call.params["setup_intent"])]
    return list_page(call, "setup_attempt", filters, url="/v1/setup_attempts")


_ITEM = "/v1/setup_intents/<intent>"

ROUTES = (
    Route(
        "POST",
        "/v1/setup_intents",
        _create,
        declare(
            automatic_payment_methods=Hash(
                {"allow_redirects": Choice(("always", "never")), "enabled": Flag()},
                required=frozenset({"enabled"}),
            ),
            confirm=Flag(),
            customer=Text(),
            description=Text(),
            metadata=Metadata(),
            payment_method=Text(),
            payment_method_types=METHOD_TYPES,
            return_url=Url(),
            usage=Choice(("off_session", "on_session")),
            use_stripe_sdk=Flag(),
        ),
    ),
    Route(
        "GET",
        "/v1/setup_intents",
        _list,
        declare_list(created=TIME_RANGE, customer=Text(), payment_method=Text()),
    ),
    Route("GET", _ITEM, _retrieve, declare(client_secret=Text())),
    Route(
        "POST",
        _ITEM,
        _update,
        declare(
            customer=Text(),
            description=Text(),
            metadata=Metadata(),
            payment_method=Text(),
            payment_method_types=METHOD_TYPES,
        ),
    ),
    Route(
        "POST", f"{_ITEM}/confirm", _confirm, declare(payment_method=Text(), return_url=Url(), use_stripe_sdk=Flag())
    ),
    Route(
        "POST",
        f"{_ITEM}/cancel",
        _cancel,
        declare(cancellation_reason=Choice(("abandoned", "duplicate", "requested_by_customer"))),
    ),
    Route(
        "GET",
        "/v1/setup_attempts",
        _list_attempts,
        Hash(
            declare_list(created=TIME_RANGE, setup_intent=Text()).members,
            required=frozenset({"setup_intent"}),
        ),
    ),
)
