"""Discounts: coupons and promotion codes redeemed for a customer, a subscription or an invoice.

Source: https://docs.stripe.com/api/discounts and https://docs.stripe.com/billing/subscriptions/coupons.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction

from sandbox.stripe.billing.calendar import shifted
from sandbox.stripe.billing.reductions import Reducible, Reduction, reduce_lines
from sandbox.stripe.calls import Work
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.objects import equals
from sandbox.stripe.shapes import JsonObject


def is_valid(coupon: JsonObject, now: int) -> bool:
    """Return whether the coupon may still be redeemed."""
    used_up = coupon["max_redemptions"] is not None and coupon["times_redeemed"] >= coupon["max_redemptions"]
    over = coupon["redeem_by"] is not None and coupon["redeem_by"] <= now
    return not used_up and not over


def is_active(code: JsonObject, coupon: JsonObject | None, now: int) -> bool:
    """Return whether the promotion code may be redeemed now."""
    used_up = code["max_redemptions"] is not None and code["times_redeemed"] >= code["max_redemptions"]
    over = code["expires_at"] is not None and code["expires_at"] <= now
    return bool(code["active"] and not used_up and not over and coupon is not None and is_valid(coupon, now))


def redeem(
    work: Work, given: JsonObject, *, customer: str | None, param: str, amount: int | None = None, **owner: str
) -> JsonObject:
    """Redeem what `given` names by `coupon`, `promotion_code` or `discount`; return the stored discount.

    `owner` is where it applies: `subscription`, `invoice` or nothing for the whole customer; `amount` is what is
    bought, for codes with a minimum.

    Raises: InvalidRequest for what is unknown, used up, expired or another customer's.
    """
    if given.get("discount") and not given.get("coupon") and not given.get("promotion_code"):
        earlier = work.require("discount", given["discount"], param=f"{param}[discount]")
        if earlier["customer"] != customer:
            raise InvalidRequest("That discount belongs to another customer.", param=f"{param}[discount]")
        return earlier
    coupon, code = look_up(work, given, customer=customer, param=param, amount=amount)
    return _store(work, coupon, code, customer, owner)


def look_up(
    work: Work, given: JsonObject, *, customer: str | None, param: str, amount: int | None = None
) -> tuple[JsonObject, JsonObject | None]:
    """Return the coupon, and the promotion code that leads to it, which `given` names and the customer may use.

    Raises: InvalidRequest for what is unknown, used up, expired or another customer's.
    """
    named = [name for name in ("coupon", "discount", "promotion_code") if given.get(name)]
    if len(named) != 1 or named == ["discount"]:
        raise InvalidRequest(
            f"Exactly one of coupon, discount and promotion_code must be given in {param}.", param=param
        )
    if "promotion_code" in named:
        code = work.require("promotion_code", given["promotion_code"], param=f"{param}[promotion_code]")
        return _coupon_behind(work, code, customer, amount, param=f"{param}[promotion_code]"), code
    coupon = work.require("coupon", given["coupon"], param=f"{param}[coupon]")
    if not is_valid(coupon, work.now):
        raise InvalidRequest(f"Coupon expired: {coupon['id']}.", code="coupon_expired", param=f"{param}[coupon]")
    return coupon, None


def _coupon_behind(work: Work, code: JsonObject, customer: str | None, amount: int | None, *, param: str) -> JsonObject:
    coupon = work.objects.get("coupon", code["promotion"]["coupon"])
    if coupon is None or not is_active(code, coupon, work.now):
        raise InvalidRequest(
            f"Promotion code {code['code']} is not active any more.", code="resource_missing", param=param
        )
    if code["customer"] is not None and code["customer"] != customer:
        raise InvalidRequest(
            "This promotion code cannot be redeemed because it is for another customer.",
            code="promotion_code_customer_mismatch",
            param=param,
        )
    restrictions = code["restrictions"]
    if restrictions["first_time_transaction"] and customer is not None and _has_paid(work, customer):
        raise InvalidRequest(
            "This promotion code cannot be redeemed because the associated customer has prior transactions.",
            code="promotion_code_customer_not_first_time",
            param=param,
        )
    least = restrictions["minimum_amount"]
    if least is not None and amount is not None and amount < least:
        raise InvalidRequest(
            f"This promotion code asks for at least {least} {restrictions['minimum_amount_currency']}.",
            code="promotion_code_minimum_amount_not_met",
            param=param,
        )
    return coupon


def _has_paid(work: Work, customer: str) -> bool:
    return any(
        work.objects.select(kind, [equals("customer", customer), equals("status", status)], limit=1)
        for kind, status in (("charge", "succeeded"), ("invoice", "paid"))
    )


def _store(
    work: Work, coupon: JsonObject, code: JsonObject | None, customer: str | None, owner: dict[str, str]
) -> JsonObject:
    end = None
    if coupon["duration"] == "repeating":
        end = shifted(work.now, "month", coupon["duration_in_months"])
    discount: JsonObject = {
        "id": new_id("di_"),
        "object": "discount",
        "checkout_session": owner.get("checkout_session"),
        "customer": customer,
        "customer_account": None,
        "end": end,
        "invoice": owner.get("invoice"),
        "invoice_item": None,
        "promotion_code": code and code["id"],
        "source": {"coupon": coupon["id"], "type": "coupon"},
        "start": work.now,
        "subscription": owner.get("subscription"),
        "subscription_item": None,
    }
    work.objects.insert_part(discount, owner=owner.get("subscription") or customer or "", created=work.now)
    for used in (coupon, code):
        if used is not None:
            count_redemption(work, used)
    if "invoice" not in owner:
        emit(work, "customer.discount.created", discount)
    return discount


def count_redemption(work: Work, used: JsonObject) -> None:
    """Count one more use of a coupon or promotion code and tell it; the last one ends it."""
    before = dict(used)
    used["times_redeemed"] += 1
    if used["object"] == "coupon":
        used["valid"] = is_valid(used, work.now)
    elif used["max_redemptions"] is not None and used["times_redeemed"] >= used["max_redemptions"]:
        used["active"] = False
    work.objects.replace(used)
    emit(work, f"{used['object']}.updated", used, before=before)


def remove(work: Work, discount_id: str) -> JsonObject:
    """End a discount and tell it; return it as Stripe shows a deleted one."""
    discount = work.require("discount", discount_id, param="discount")
    work.objects.delete(discount_id)
    gone = {name: value for name, value in discount.items() if name != "end"} | {"deleted": True}
    emit(work, "customer.discount.deleted", discount)
    return gone


def running(work: Work, identifiers: Sequence[str], *, at: int) -> list[JsonObject]:
    """Return those of the discounts that still apply to an invoice begun at the instant."""
    found = [work.objects.get("discount", identifier) for identifier in identifiers]
    return [
        discount
        for discount in found
        if discount is not None
        and (discount["end"] is None or at < discount["end"])
        and not work.objects.hidden(discount["id"]).get("used")
    ]


def use(work: Work, discount: JsonObject) -> None:
    """Remember that an invoice used the discount, so that a coupon for once is not used again."""
    coupon = work.objects.find(discount["source"]["coupon"])
    if coupon is not None and coupon.get("duration") == "once" and discount["invoice"] is None:
        work.objects.hide(discount["id"], used=True)


def reductions_of(work: Work, identifiers: Sequence[str], currency: str) -> list[Reduction]:
    """Return what the discounts take off; amounts in another currency take nothing."""
    found = []
    for identifier in identifiers:
        row = work.objects.connection.execute(
            "SELECT coupon.body AS body, coupon.hidden AS hidden FROM object AS discount JOIN object AS coupon"
            " ON coupon.id = json_extract(discount.body, '$.source.coupon') WHERE discount.id = ?",
            (identifier,),
        ).fetchone()
        if row is None:
            continue
        found.append(_reduction(identifier, json.loads(row["body"]), json.loads(row["hidden"]), currency))
    return found


def reduction_of(work: Work, coupon: JsonObject, currency: str) -> Reduction:
    """Return what a coupon would take off, before it is redeemed."""
    return _reduction(coupon["id"], coupon, work.objects.hidden(coupon["id"]), currency)


def _reduction(identifier: str, coupon: JsonObject, hidden: JsonObject, currency: str) -> Reduction:
    products = hidden.get("products")
    return Reduction(
        discount=identifier,
        percent_off=None if coupon["percent_off"] is None else Fraction(str(coupon["percent_off"])),
        amount_off=coupon["amount_off"] if coupon["currency"] in (None, currency) else 0,
        products=None if products is None else frozenset(products),
    )


def taken_off(amount: int, product: str, reductions: Sequence[Reduction]) -> int:
    """Return what the reductions take off one amount for a product."""
    [taken] = reduce_lines([Reducible(amount, product)], reductions)
    return sum(taken.values())
