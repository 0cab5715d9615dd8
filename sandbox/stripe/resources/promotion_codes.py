"""Promotion codes: what customers type to redeem a coupon.

Source: https://docs.stripe.com/api/promotion_codes.
"""

from __future__ import annotations

from sandbox.stripe.billing.discounts import is_active, is_valid
from sandbox.stripe.calls import Call
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.identifiers import new_id, token
from sandbox.stripe.objects import Filter, equals
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import (
    TIME_RANGE,
    Choice,
    CurrencyCode,
    Flag,
    Hash,
    Integer,
    Metadata,
    Text,
    declare,
    declare_list,
    merge_metadata,
)
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject

KIND = "promotion_code"


def _create(call: Call) -> JsonObject:
    params = call.params
    promotion = params["promotion"]
    if "coupon" not in promotion:
        raise InvalidRequest(
            "Missing required param: promotion[coupon].", code="parameter_missing", param="promotion[coupon]"
        )
    coupon = call.require("coupon", promotion["coupon"], param="promotion[coupon]")
    if not is_valid(coupon, call.now):
        raise InvalidRequest("The coupon is not valid any more.", param="promotion[coupon]")
    if "customer" in params:
        call.require("customer", params["customer"], param="customer")
    if "expires_at" in params and params["expires_at"] <= call.now:
        raise InvalidRequest("expires_at must be in the future.", param="expires_at")
    code = params.get("code") or token(8).upper()
    _check_free(call, code, params.get("customer"))
    restrictions = params.get("restrictions", {})
    if ("minimum_amount" in restrictions) != ("minimum_amount_currency" in restrictions):
        raise InvalidRequest(
            "minimum_amount and minimum_amount_currency belong together.", param="restrictions[minimum_amount]"
        )
    promotion_code: JsonObject = {
        "id": new_id("promo_"),
        "object": KIND,
        "active": params.get("active", True),
        "code": code,
        "created": call.now,
        "customer": params.get("customer"),
        "customer_account": None,
        "expires_at": params.get("expires_at"),
        "livemode": False,
        "max_redemptions": params.get("max_redemptions"),
        "metadata": merge_metadata({}, params.get("metadata") or {}),
        "promotion": {"coupon": coupon["id"], "type": "coupon"},
        "restrictions": {
            "first_time_transaction": restrictions.get("first_time_transaction", False),
            "minimum_amount": restrictions.get("minimum_amount"),
            "minimum_amount_currency": restrictions.get("minimum_amount_currency"),
        },
        "times_redeemed": 0,
    }
    call.objects.insert(promotion_code)
    emit(call, "promotion_code.created", promotion_code)
    return promotion_code


def _check_free(call: Call, code: str, customer: str | None) -> None:
    """Refuse a code that an active one already has, of the same customer or of all; case does not count."""
    same = ("lower(json_extract(body, '$.code')) = ?", (code.lower(),))
    for known in call.objects.select(KIND, [same]):
        if _now(call, known)["active"] and (known["customer"] == customer or None in (known["customer"], customer)):
            raise InvalidRequest(
                "An active promotion code with that code already exists.",
                code="resource_already_exists",
                param="code",
            )


def _now(call: Call, code: JsonObject) -> JsonObject:
    return code | {"active": is_active(code, call.objects.get("coupon", code["promotion"]["coupon"]), call.now)}


def _retrieve(call: Call) -> JsonObject:
    return _now(call, call.target(KIND, "promotion_code"))


def _update(call: Call) -> JsonObject:
    code, before = (call.target(KIND, "promotion_code") for _ in range(2))
    if "active" in call.params:
        code["active"] = call.params["active"]
        if code["active"] and not _now(call, code)["active"]:
            raise InvalidRequest("A code that is used up or over cannot be active.", param="active")
        if code["active"] and not before["active"]:
            _check_free(call, code["code"], code["customer"])
    if "metadata" in call.params:
        code["metadata"] = merge_metadata(code["metadata"], call.params["metadata"])
    if code != before:
        call.objects.replace(code)
        emit(call, "promotion_code.updated", code, before=before)
    return _now(call, code)


def _list(call: Call) -> JsonObject:
    filters: list[Filter] = [equals(name, call.params[name]) for name in ("active", "customer") if name in call.params]
    if "coupon" in call.params:
        filters.append(equals("promotion.coupon", call.params["coupon"]))
    if "code" in call.params:
        filters.append(("lower(json_extract(body, '$.code')) = ?", (call.params["code"].lower(),)))
    page = list_page(call, KIND, filters, url="/v1/promotion_codes")
    return page | {"data": [_now(call, code) for code in page["data"]]}


ROUTES = (
    Route(
        "POST",
        "/v1/promotion_codes",
        _create,
        declare(
            ("promotion",),
            active=Flag(),
            code=Text(longest=500, pattern="[A-Za-z0-9-]+"),
            customer=Text(),
            expires_at=Integer(),
            max_redemptions=Integer(least=1),
            metadata=Metadata(),
            promotion=Hash({"coupon": Text(), "type": Choice(("coupon",))}, required=frozenset({"type"})),
            restrictions=Hash(
                {
                    "first_time_transaction": Flag(),
                    "minimum_amount": Integer(least=1),
                    "minimum_amount_currency": CurrencyCode(),
                }
            ),
        ),
    ),
    Route(
        "GET",
        "/v1/promotion_codes",
        _list,
        declare_list(active=Flag(), code=Text(), coupon=Text(), created=TIME_RANGE, customer=Text()),
    ),
    Route("GET", "/v1/promotion_codes/<promotion_code>", _retrieve, declare()),
    Route("POST", "/v1/promotion_codes/<promotion_code>", _update, declare(active=Flag(), metadata=Metadata())),
)
