"""Customers' balance transactions, and the discount on a whole customer.

Source: https://docs.stripe.com/api/customer_balance_transactions and https://docs.stripe.com/api/discounts.
"""

from __future__ import annotations

from sandbox.stripe.billing import balances, clocks, discounts
from sandbox.stripe.calls import Call
from sandbox.stripe.errors import InvalidRequest, NotFound, no_such
from sandbox.stripe.events import emit
from sandbox.stripe.objects import equals
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import (
    CurrencyCode,
    Integer,
    Metadata,
    Text,
    declare,
    declare_list,
    merge_metadata,
)
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject


def _create(call: Call) -> JsonObject:
    customer = call.target("customer", "customer")
    params = call.params
    if params["amount"] == 0:
        raise InvalidRequest("The amount must not be 0.", param="amount")
    if customer["currency"] not in (None, params["currency"]):
        raise InvalidRequest(
            f"The customer's balance is in {customer['currency']}, not {params['currency']}.", param="currency"
        )
    return balances.move(
        clocks.at_time_of(call, customer),
        customer,
        params["amount"],
        params["currency"],
        type="adjustment",
        description=params.get("description"),
        metadata=merge_metadata({}, params.get("metadata") or {}),
    )


def _own(call: Call) -> JsonObject:
    customer = call.target("customer", "customer")
    entry = call.target(balances.KIND, "transaction")
    if entry["customer"] != customer["id"]:
        raise no_such(balances.KIND, entry["id"], param="transaction", in_path=True)
    return entry


def _update(call: Call) -> JsonObject:
    entry = _own(call)
    if "description" in call.params:
        entry["description"] = call.params["description"]
    if "metadata" in call.params:
        entry["metadata"] = merge_metadata(entry["metadata"], call.params["metadata"])
    call.objects.replace(entry)
    return entry


def _list(call: Call) -> JsonObject:
    customer = call.target("customer", "customer")
    url = f"/v1/customers/{customer['id']}/balance_transactions"
    return list_page(call, balances.KIND, [equals("customer", customer["id"])], url=url)


def _retrieve_discount(call: Call) -> JsonObject:
    discount: JsonObject | None = call.target("customer", "customer")["discount"]
    if discount is None:
        raise NotFound("The customer has no discount.", code="resource_missing")
    return discount


def _delete_discount(call: Call) -> JsonObject:
    customer = call.target("customer", "customer")
    discount = _retrieve_discount(call)
    before = dict(customer)
    customer["discount"] = None
    call.objects.replace(customer)
    gone = discounts.remove(clocks.at_time_of(call, customer), discount["id"])
    emit(call, "customer.updated", customer, before=before)
    return gone


_ALL = "/v1/customers/<customer>/balance_transactions"

ROUTES = (
    Route(
        "POST",
        _ALL,
        _create,
        declare(
            ("amount", "currency"),
            amount=Integer(),
            currency=CurrencyCode(),
            description=Text(longest=350),
            metadata=Metadata(),
        ),
    ),
    Route("GET", _ALL, _list, declare_list()),
    Route("GET", f"{_ALL}/<transaction>", _own, declare()),
    Route("POST", f"{_ALL}/<transaction>", _update, declare(description=Text(longest=350), metadata=Metadata())),
    Route("GET", "/v1/customers/<customer>/discount", _retrieve_discount, declare()),
    Route("DELETE", "/v1/customers/<customer>/discount", _delete_discount, declare()),
)
