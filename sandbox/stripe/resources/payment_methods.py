"""Payment methods: create, read, change, attach, detach.

Source: https://docs.stripe.com/api/payment_methods.
"""

from __future__ import annotations

from sandbox.stripe import bank_accounts
from sandbox.stripe.calls import Call
from sandbox.stripe.cards import by_alias
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.objects import equals
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import Hash, Integer, Metadata, Text, declare, declare_list, full_address, merge_metadata
from sandbox.stripe.payment_methods import BILLING, DATA, MONTH, REDISPLAY, attach, detach, from_data, usable
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject


def _create(call: Call) -> JsonObject:
    if "type" not in call.params:
        raise InvalidRequest("Missing required param: type.", code="parameter_missing", param="type")
    return from_data(call, call.params)


def _retrieve(call: Call) -> JsonObject:
    named = call.path["payment_method"]
    if by_alias(named) is not None or bank_accounts.by_alias(named) is not None:
        raise InvalidRequest(
            f"'{named}' stands for a new payment method wherever one can be used; create or"
            " attach one first to retrieve it.",
            param="payment_method",
        )
    return call.target("payment_method", "payment_method")


def _update(call: Call) -> JsonObject:
    method, before = (call.target("payment_method", "payment_method") for _ in range(2))
    if method["customer"] is None:
        raise InvalidRequest("You must save this PaymentMethod to a customer before you can update it.")
    billing = call.params.get("billing_details", {})
    for name, value in billing.items():
        method["billing_details"][name] = full_address(value or {}) if name == "address" else value
    if "card" in call.params:
        if method["type"] != "card":
            raise InvalidRequest("This PaymentMethod is not a card.", param="card")
        method["card"] |= call.params["card"]
    if "allow_redisplay" in call.params:
        method["allow_redisplay"] = call.params["allow_redisplay"]
    if "metadata" in call.params:
        method["metadata"] = merge_metadata(method["metadata"], call.params["metadata"])
    call.objects.replace(method)
    if method != before:
        emit(call, "payment_method.updated", method, before=before)
    return method


def _attach(call: Call) -> JsonObject:
    identifier = call.path["payment_method"]
    call.require("customer", call.params["customer"], param="customer")
    if by_alias(identifier) is not None or bank_accounts.by_alias(identifier) is not None:
        method = usable(call, identifier, param="payment_method")
    else:
        method = call.target("payment_method", "payment_method")
    return attach(call, method, call.params["customer"])


def _detach(call: Call) -> JsonObject:
    method = call.target("payment_method", "payment_method")
    if method["customer"] is None:
        raise InvalidRequest(
            "The payment method you provided is not attached to a customer so detachment is impossible."
        )
    return detach(call, method)


def _list(call: Call) -> JsonObject:
    if "customer" not in call.params:
        return list_page(call, "payment_method", [("0", ())], url="/v1/payment_methods")
    call.require("customer", call.params["customer"], param="customer")
    filters = [equals("customer", call.params["customer"])]
    if "type" in call.params:
        filters.append(equals("type", call.params["type"]))
    return list_page(call, "payment_method", filters, url="/v1/payment_methods")


_ITEM = "/v1/payment_methods/<payment_method>"

ROUTES = (
    Route("POST", "/v1/payment_methods", _create, declare(**DATA.members)),
    Route("GET", "/v1/payment_methods", _list, declare_list(customer=Text(), type=Text())),
    Route("GET", _ITEM, _retrieve, declare()),
    Route(
        "POST",
        _ITEM,
        _update,
        declare(
            billing_details=BILLING,
            card=Hash({"exp_month": MONTH, "exp_year": Integer(least=2000, most=2100)}),
            allow_redisplay=REDISPLAY,
            metadata=Metadata(),
        ),
    ),
    Route("POST", f"{_ITEM}/attach", _attach, declare(("customer",), customer=Text())),
    Route("POST", f"{_ITEM}/detach", _detach, declare()),
)
