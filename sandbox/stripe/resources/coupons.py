"""Coupons.

Source: https://docs.stripe.com/api/coupons.
"""

from __future__ import annotations

from decimal import Decimal

from sandbox.stripe.billing.discounts import is_valid
from sandbox.stripe.calls import Call
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.identifiers import token
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import (
    TIME_RANGE,
    Choice,
    CurrencyCode,
    DecimalText,
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

KIND = "coupon"


def _percentage(call: Call) -> float | None:
    if "percent_off" not in call.params:
        return None
    value = Decimal(call.params["percent_off"])
    if not 0 < value <= 100:
        raise InvalidRequest("Invalid percent_off: must be greater than 0 and at most 100.", param="percent_off")
    return float(value)


def _checked(call: Call) -> None:
    params = call.params
    if ("percent_off" in params) == ("amount_off" in params):
        raise InvalidRequest(
            "Must provide exactly one of percent_off and amount_off.", code="parameter_missing", param="percent_off"
        )
    if "amount_off" in params and "currency" not in params:
        raise InvalidRequest("Must provide currency when using amount_off.", code="parameter_missing", param="currency")
    if (params.get("duration", "once") == "repeating") != ("duration_in_months" in params):
        raise InvalidRequest(
            "duration_in_months belongs to the duration `repeating`, which needs it.", param="duration_in_months"
        )
    if "redeem_by" in params and params["redeem_by"] <= call.now:
        raise InvalidRequest("redeem_by must be in the future.", param="redeem_by")


def _create(call: Call) -> JsonObject:
    _checked(call)
    params = call.params
    identifier = params.get("id") or token(8)
    # The id of a deleted coupon may be taken again.
    connection = call.objects.connection
    connection.execute("DELETE FROM object WHERE id = ? AND kind = ? AND deleted", (identifier, KIND))
    if connection.execute("SELECT 1 FROM object WHERE id = ?", (identifier,)).fetchone() is not None:
        raise InvalidRequest("Coupon already exists.", code="resource_already_exists", param="id")
    coupon: JsonObject = {
        "id": identifier,
        "object": KIND,
        "amount_off": params.get("amount_off"),
        "created": call.now,
        "currency": params.get("currency") if "amount_off" in params else None,
        "duration": params.get("duration", "once"),
        "duration_in_months": params.get("duration_in_months"),
        "livemode": False,
        "max_redemptions": params.get("max_redemptions"),
        "metadata": merge_metadata({}, params.get("metadata") or {}),
        "name": params.get("name"),
        "percent_off": _percentage(call),
        "redeem_by": params.get("redeem_by"),
        "times_redeemed": 0,
        "valid": True,
    }
    products = params.get("applies_to", {}).get("products")
    for index, product in enumerate(products or []):
        call.require("product", product, param=f"applies_to[products][{index}]")
    call.objects.insert(coupon, {"products": products} if products else None)
    emit(call, "coupon.created", coupon)
    return coupon


def _now(call: Call, coupon: JsonObject) -> JsonObject:
    return coupon | {"valid": is_valid(coupon, call.now)}


def _retrieve(call: Call) -> JsonObject:
    return _now(call, call.target(KIND, "coupon"))


def _update(call: Call) -> JsonObject:
    coupon, before = (call.target(KIND, "coupon") for _ in range(2))
    if "name" in call.params:
        coupon["name"] = call.params["name"]
    if "metadata" in call.params:
        coupon["metadata"] = merge_metadata(coupon["metadata"], call.params["metadata"])
    if coupon != before:
        call.objects.replace(coupon)
        emit(call, "coupon.updated", coupon, before=before)
    return _now(call, coupon)


def _delete(call: Call) -> JsonObject:
    coupon = call.target(KIND, "coupon")
    call.objects.delete(coupon["id"])
    emit(call, "coupon.deleted", coupon)
    return {"id": coupon["id"], "object": KIND, "deleted": True}


def _list(call: Call) -> JsonObject:
    page = list_page(call, KIND, url="/v1/coupons")
    return page | {"data": [_now(call, coupon) for coupon in page["data"]]}


ROUTES = (
    Route(
        "POST",
        "/v1/coupons",
        _create,
        declare(
            amount_off=Integer(least=1),
            applies_to=Hash({"products": ListOf(Text(), most=100)}),
            currency=CurrencyCode(),
            duration=Choice(("forever", "once", "repeating")),
            duration_in_months=Integer(least=1, most=1200),
            id=Text(longest=200, pattern="[A-Za-z0-9_-]+"),
            max_redemptions=Integer(least=1),
            metadata=Metadata(),
            name=Text(longest=40),
            percent_off=DecimalText(),
            redeem_by=Integer(),
        ),
    ),
    Route("GET", "/v1/coupons", _list, declare_list(created=TIME_RANGE)),
    Route("GET", "/v1/coupons/<coupon>", _retrieve, declare()),
    Route(
        "POST",
        "/v1/coupons/<coupon>",
        _update,
        declare(metadata=Metadata(), name=Text(clearable=True, longest=40)),
    ),
    Route("DELETE", "/v1/coupons/<coupon>", _delete, declare()),
)
