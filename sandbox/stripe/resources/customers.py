"""Customers.

Source: https://docs.stripe.com/api/customers.
"""

from __future__ import annotations

from sandbox.stripe import payment_methods
from sandbox.stripe.billing import balances, clocks, subscription_state, subscriptions
from sandbox.stripe.calls import Call, Work
from sandbox.stripe.events import emit
from sandbox.stripe.identifiers import new_id, token
from sandbox.stripe.objects import Filter, equals
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import (
    ADDRESS,
    CUSTOMER_SHIPPING,
    TIME_RANGE,
    Choice,
    Email,
    Hash,
    Integer,
    ListOf,
    Metadata,
    Text,
    declare,
    declare_list,
    full_address,
    merge_metadata,
)
from sandbox.stripe.resources import tax_ids
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject

_PLAIN = ("balance", "description", "email", "name", "phone", "preferred_locales", "tax_exempt", "invoice_prefix")

_SHARED = {
    "address": ADDRESS,
    "balance": Integer(),
    "description": Text(clearable=True),
    "email": Email(clearable=True),
    "invoice_prefix": Text(pattern="[A-Z0-9]{3,12}"),
    "invoice_settings": Hash({"default_payment_method": Text(clearable=True), "footer": Text(clearable=True)}),
    "metadata": Metadata(),
    "name": Text(clearable=True),
    "phone": Text(clearable=True),
    "preferred_locales": ListOf(Text(), clearable=True),
    "shipping": CUSTOMER_SHIPPING,
    "tax_exempt": Choice(("exempt", "none", "reverse"), clearable=True),
}


def new_customer(work: Work, given: JsonObject) -> JsonObject:
    """Store a customer with the given members and tell it; return it."""
    customer: JsonObject = {
        "id": new_id("cus_"),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": work.now,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": token(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": given.get("test_clock"),
    }
    _apply(customer, given)
    work.objects.insert(customer)
    emit(work, "customer.created", customer)
    return customer


def _apply(customer: JsonObject, given: JsonObject) -> None:
    for name in _PLAIN:
        if name in given:
            customer[name] = given[name]
    if "address" in given:
        customer["address"] = full_address(given["address"])
    if "shipping" in given:
        shipping = given["shipping"]
        customer["shipping"] = shipping and {
            "address": full_address(shipping["address"]),
            "name": shipping["name"],
            "phone": shipping.get("phone"),
        }
    if "metadata" in given:
        customer["metadata"] = merge_metadata(customer["metadata"], given["metadata"])
    customer["preferred_locales"] = customer["preferred_locales"] or []
    customer["tax_exempt"] = customer["tax_exempt"] or "none"


def _set_invoice_defaults(call: Call, customer: JsonObject) -> None:
    settings = call.params.get("invoice_settings")
    if not settings:
        return
    if "default_payment_method" in settings:
        chosen = settings["default_payment_method"]
        if chosen is not None:
            payment_methods.require_attached(
                call, chosen, customer["id"], param="invoice_settings[default_payment_method]"
            )
        customer["invoice_settings"]["default_payment_method"] = chosen
    if "footer" in settings:
        customer["invoice_settings"]["footer"] = settings["footer"]


def _create(call: Call) -> JsonObject:
    work: Work = call
    if "test_clock" in call.params:
        call.require(clocks.KIND, call.params["test_clock"], param="test_clock")
        work = clocks.at_time_of(call, call.params)
    customer = new_customer(work, {name: value for name, value in call.params.items() if name != "balance"})
    if call.params.get("balance"):
        balances.move(work, customer, call.params["balance"], "eur", type="initial")
    _add_tax_ids(call, customer)
    method_id = call.params.get("payment_method")
    if method_id is not None:
        method = payment_methods.usable(call, method_id, param="payment_method")
        payment_methods.attach(call, method, customer["id"])
        settings = call.params.get("invoice_settings", {})
        if settings.get("default_payment_method") == method_id:
            settings["default_payment_method"] = method["id"]
    _set_invoice_defaults(call, customer)
    call.objects.replace(customer)
    return customer


def _retrieve(call: Call) -> JsonObject:
    found = call.objects.find(call.path["customer"])
    if found is not None and found["object"] == "customer":
        return found
    return call.target("customer", "customer")


def _update(call: Call) -> JsonObject:
    customer = call.target("customer", "customer")
    before = call.target("customer", "customer")
    work = clocks.at_time_of(call, customer)
    given = dict(call.params)
    moved = given.pop("balance", customer["balance"]) - customer["balance"]
    _apply(customer, given)
    _set_invoice_defaults(call, customer)
    call.objects.replace(customer)
    if customer != before:
        emit(work, "customer.updated", customer, before=before)
    if moved:
        balances.move(work, customer, moved, customer["currency"] or "eur", type="adjustment")
    return customer


def _delete(call: Call) -> JsonObject:
    customer = call.target("customer", "customer")
    delete(clocks.at_time_of(call, customer), customer)
    return {"id": customer["id"], "object": "customer", "deleted": True}


def delete(work: Work, customer: JsonObject) -> None:
    """Delete the customer for good: subscriptions end at once, payment methods are detached."""
    for subscription in work.objects.select("subscription", [equals("customer", customer["id"])], ascending=True):
        if subscription["status"] not in subscription_state.ENDED:
            subscriptions.cancel(work, subscription, reason=None)
    subscriptions.stop_collecting(work, [equals("customer", customer["id"])])
    for method in work.objects.select("payment_method", [equals("customer", customer["id"])]):
        payment_methods.detach(work, method)
    for tax_id in work.objects.select("tax_id", [equals("customer", customer["id"])]):
        work.objects.delete(tax_id["id"])
    work.objects.delete(customer["id"])
    emit(work, "customer.deleted", customer)


def _add_tax_ids(call: Call, customer: JsonObject) -> None:
    for index, given in enumerate(call.params.get("tax_id_data", [])):
        tax_ids.new_tax_id(call, customer, given, param=f"tax_id_data[{index}]")


def _list(call: Call) -> JsonObject:
    filters: list[Filter] = []
    if "email" in call.params:
        filters.append(equals("email", call.params["email"]))
    clock = call.params.get("test_clock")
    filters.append(("json_extract(body, '$.test_clock') IS ?", (clock,)))
    return list_page(call, "customer", filters, url="/v1/customers")


def _list_payment_methods(call: Call) -> JsonObject:
    customer = call.target("customer", "customer")
    filters = [equals("customer", customer["id"])]
    if "type" in call.params:
        filters.append(equals("type", call.params["type"]))
    return list_page(call, "payment_method", filters, url=f"/v1/customers/{customer['id']}/payment_methods")


def _retrieve_payment_method(call: Call) -> JsonObject:
    customer = call.target("customer", "customer")
    return payment_methods.require_attached(
        call, call.path["payment_method"], customer["id"], param="payment_method", in_path=True
    )


ROUTES = (
    Route(
        "POST",
        "/v1/customers",
        _create,
        declare(
            payment_method=Text(),
            tax_id_data=ListOf(Hash(tax_ids.GIVEN, required=frozenset(tax_ids.GIVEN)), most=5),
            test_clock=Text(),
            **_SHARED,
        ),
    ),
    Route("GET", "/v1/customers", _list, declare_list(created=TIME_RANGE, email=Text(), test_clock=Text())),
    Route("GET", "/v1/customers/<customer>", _retrieve, declare()),
    Route("POST", "/v1/customers/<customer>", _update, declare(**_SHARED)),
    Route("DELETE", "/v1/customers/<customer>", _delete, declare()),
    Route("GET", "/v1/customers/<customer>/payment_methods", _list_payment_methods, declare_list(type=Text())),
    Route(
        "GET",
        "/v1/customers/<customer>/payment_methods/<payment_method>",
        _retrieve_payment_method,
        declare(),
    ),
)
