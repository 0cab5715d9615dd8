"""Products.

Source: https://docs.stripe.com/api/products.
"""

from __future__ import annotations

from sandbox.stripe.calls import Call
from sandbox.stripe.catalogue import AMOUNTS, PRODUCT_MEMBERS, new_price, new_product, set_members
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.objects import Filter, equals
from sandbox.stripe.pagination import list_page, listing
from sandbox.stripe.parameters import TIME_RANGE, Flag, Hash, ListOf, Text, declare, declare_list
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject


def _create(call: Call) -> JsonObject:
    product = new_product(call, call.params)
    if "default_price_data" in call.params:
        price = new_price(call, call.params["default_price_data"], product["id"])
        product["default_price"] = price["id"]
        call.objects.replace(product)
    return product


def _retrieve(call: Call) -> JsonObject:
    found = call.objects.find(call.path["id"])
    return found if found is not None and found["object"] == "product" else call.target("product", "id")


def _update(call: Call) -> JsonObject:
    product, before = (call.target("product", "id") for _ in range(2))
    set_members(product, call.params)
    if "default_price" in call.params:
        price = call.require("price", call.params["default_price"], param="default_price")
        if price["product"] != product["id"]:
            raise InvalidRequest("The default price must belong to the product.", param="default_price")
        product["default_price"] = price["id"]
    if product != before:
        product["updated"] = call.now
        call.objects.replace(product)
        emit(call, "product.updated", product, before=before)
    return product


def _delete(call: Call) -> JsonObject:
    product = call.target("product", "id")
    if call.objects.select("price", [equals("product", product["id"])], limit=1):
        raise InvalidRequest(
            "This product cannot be deleted because it has one or more user-created prices; set active to false."
        )
    call.objects.delete(product["id"])
    emit(call, "product.deleted", product)
    return {"id": product["id"], "object": "product", "deleted": True}


def _features(call: Call) -> JsonObject:
    """Answer that the product has no features: entitlements are not served, mirrors ask all the same."""
    product = call.target("product", "product")
    return listing([], url=f"/v1/products/{product['id']}/features")


def _list(call: Call) -> JsonObject:
    filters: list[Filter] = [
        equals(name, call.params[name]) for name in ("active", "shippable", "url") if name in call.params
    ]
    if "ids" in call.params:
        chosen = call.params["ids"]
        filters.append((f"id IN ({', '.join('?' * len(chosen))})", chosen))
    return list_page(call, "product", filters, url="/v1/products")


ROUTES = (
    Route(
        "POST",
        "/v1/products",
        _create,
        declare(
            ("name",),
            id=Text(pattern="[A-Za-z0-9_-]+"),
            default_price_data=Hash(
                AMOUNTS,
                required=frozenset({"currency"}),
            ),
            **PRODUCT_MEMBERS,
        ),
    ),
    Route(
        "GET",
        "/v1/products",
        _list,
        declare_list(active=Flag(), created=TIME_RANGE, ids=ListOf(Text(), most=100), shippable=Flag(), url=Text()),
    ),
    Route("GET", "/v1/products/<id>", _retrieve, declare()),
    Route("POST", "/v1/products/<id>", _update, declare(default_price=Text(), **PRODUCT_MEMBERS)),
    Route("DELETE", "/v1/products/<id>", _delete, declare()),
    Route("GET", "/v1/products/<product>/features", _features, declare_list()),
)
