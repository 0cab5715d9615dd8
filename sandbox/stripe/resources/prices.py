"""Prices: one-off and recurring, per unit, in packages or in tiers.

Source: https://docs.stripe.com/api/prices.
"""

from __future__ import annotations

from sandbox.stripe.billing.price_tiers import TIERS
from sandbox.stripe.calls import Call
from sandbox.stripe.catalogue import (
    AMOUNTS,
    PRODUCT_DATA,
    RECURRING,
    TAX_BEHAVIOR,
    new_price,
    new_product,
    take_lookup_key,
)
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.objects import Filter, equals
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import (
    TIME_RANGE,
    Choice,
    CurrencyCode,
    Flag,
    Hash,
    Integer,
    ListOf,
    Metadata,
    Text,
    declare,
    declare_list,
    merge_metadata,
)
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject


def _create(call: Call) -> JsonObject:
    if ("product" in call.params) == ("product_data" in call.params):
        raise InvalidRequest(
            "Exactly one of product and product_data must be given.", code="parameter_missing", param="product"
        )
    if "product" in call.params:
        product = call.require("product", call.params["product"], param="product")
    else:
        data = call.params["product_data"]
        product = new_product(call, data, active=data.get("active", True))
    return new_price(call, call.params, product["id"])


def _retrieve(call: Call) -> JsonObject:
    return call.target("price", "price")


def _update(call: Call) -> JsonObject:
    price, before = (call.target("price", "price") for _ in range(2))
    for name in ("active", "nickname"):
        if name in call.params:
            price[name] = call.params[name]
    if "tax_behavior" in call.params and call.params["tax_behavior"] != price["tax_behavior"]:
        if price["tax_behavior"] != "unspecified":
            raise InvalidRequest("The tax behavior of a price cannot be changed once set.", param="tax_behavior")
        price["tax_behavior"] = call.params["tax_behavior"]
    if "metadata" in call.params:
        price["metadata"] = merge_metadata(price["metadata"], call.params["metadata"])
    take_lookup_key(call, price, call.params)
    call.objects.replace(price)
    if price != before:
        emit(call, "price.updated", price, before=before)
    return price


def _list(call: Call) -> JsonObject:
    filters: list[Filter] = [
        equals(name, call.params[name]) for name in ("active", "currency", "product", "type") if name in call.params
    ]
    if "lookup_keys" in call.params:
        keys = call.params["lookup_keys"]
        filters.append((f"json_extract(body, '$.lookup_key') IN ({', '.join('?' * len(keys))})", keys))
    if "recurring" in call.params:
        filters += [equals(f"recurring.{name}", value) for name, value in call.params["recurring"].items()]
    return list_page(call, "price", filters, url="/v1/prices")


ROUTES = (
    Route(
        "POST",
        "/v1/prices",
        _create,
        declare(
            ("currency",),
            **AMOUNTS
            | {
                "recurring": Hash(
                    {**RECURRING.members, "usage_type": Choice(("licensed",))}, required=RECURRING.required
                )
            },
            active=Flag(),
            billing_scheme=Choice(("per_unit", "tiered")),
            lookup_key=Text(longest=200),
            nickname=Text(),
            product=Text(),
            product_data=PRODUCT_DATA,
            tiers=TIERS,
            tiers_mode=Choice(("graduated", "volume")),
            transform_quantity=Hash(
                {"divide_by": Integer(least=1), "round": Choice(("down", "up"))},
                required=frozenset({"divide_by", "round"}),
            ),
            transfer_lookup_key=Flag(),
        ),
    ),
    Route(
        "GET",
        "/v1/prices",
        _list,
        declare_list(
            active=Flag(),
            created=TIME_RANGE,
            currency=CurrencyCode(),
            lookup_keys=ListOf(Text(), most=10),
            product=Text(),
            recurring=Hash({"interval": Text(), "usage_type": Text()}),
            type=Choice(("one_time", "recurring")),
        ),
    ),
    Route("GET", "/v1/prices/<price>", _retrieve, declare()),
    Route(
        "POST",
        "/v1/prices/<price>",
        _update,
        declare(
            active=Flag(),
            lookup_key=Text(clearable=True, longest=200),
            metadata=Metadata(),
            nickname=Text(clearable=True),
            tax_behavior=TAX_BEHAVIOR,
            transfer_lookup_key=Flag(),
        ),
    ),
)
