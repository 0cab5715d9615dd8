"""`expand`: identifiers replaced by the objects they name, and parts that are shown only when asked for.

Source: https://docs.stripe.com/api/expanding_objects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sandbox.stripe.calls import Call
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.objects import Filter, equals, owned_by
from sandbox.stripe.pagination import DEFAULT_LIMIT, listing
from sandbox.stripe.shapes import JsonObject

MAX_DEPTH = 4

EXPANDABLE: dict[str, frozenset[str]] = {
    "balance_transaction": frozenset({"source"}),
    "charge": frozenset({"balance_transaction", "customer", "failure_balance_transaction", "payment_intent"}),
    "application_fee": frozenset({"account", "balance_transaction"}),
    "billing_portal.session": frozenset({"configuration"}),
    "checkout.session": frozenset({"customer", "invoice", "payment_intent", "setup_intent", "subscription"}),
    "customer": frozenset({"default_source", "invoice_settings.default_payment_method", "test_clock"}),
    "customer_balance_transaction": frozenset({"customer", "invoice"}),
    "discount": frozenset({"customer", "promotion_code", "source.coupon"}),
    "invoice": frozenset(
        {
            "customer",
            "default_payment_method",
            "discounts",
            "parent.subscription_details.subscription",
            "test_clock",
            "total_discount_amounts.discount",
            "total_taxes.tax_rate_details.tax_rate",
        }
    ),
    "invoice_payment": frozenset({"invoice", "payment.payment_intent"}),
    "invoiceitem": frozenset({"customer", "discounts", "invoice", "pricing.price_details.price", "test_clock"}),
    "line_item": frozenset(
        {
            "discount_amounts.discount",
            "discounts",
            "pricing.price_details.price",
            "subscription",
            "taxes.tax_rate_details.tax_rate",
        }
    ),
    "payment_intent": frozenset({"customer", "latest_charge", "payment_method", "last_payment_error.payment_method"}),
    "payment_method": frozenset({"customer"}),
    "price": frozenset({"product"}),
    "product": frozenset({"default_price"}),
    "promotion_code": frozenset({"customer", "promotion.coupon"}),
    "subscription": frozenset(
        {"customer", "default_payment_method", "discounts", "latest_invoice", "pending_setup_intent", "test_clock"}
    ),
    "subscription_item": frozenset({"discounts"}),
    "tax_id": frozenset({"customer", "owner.customer"}),
    "dispute": frozenset({"charge", "payment_intent"}),
    "fee_refund": frozenset({"balance_transaction", "fee"}),
    "refund": frozenset(
        {
            "balance_transaction",
            "charge",
            "customer",
            "failure_balance_transaction",
            "payment_intent",
            "payment_method",
        }
    ),
    "setup_attempt": frozenset({"customer", "payment_method", "setup_intent"}),
    "setup_intent": frozenset({"customer", "latest_attempt", "payment_method", "last_setup_error.payment_method"}),
}
"""For every kind, the members that hold an identifier and may be expanded."""


def _lines(call: Call, session: JsonObject) -> JsonObject:
    return _part(call, "item", session["id"], f"/v1/checkout/sessions/{session['id']}/line_items")


def _part(call: Call, kind: str, owner: str, url: str) -> JsonObject:
    found = call.objects.select(kind, [owned_by(owner)], ascending=True, limit=DEFAULT_LIMIT + 1)
    return listing(found[:DEFAULT_LIMIT], url=url, has_more=len(found) > DEFAULT_LIMIT)


def _refunds(call: Call, charge: JsonObject) -> JsonObject:
    found = call.objects.select("refund", [equals("charge", charge["id"])], limit=DEFAULT_LIMIT + 1)
    url = f"/v1/charges/{charge['id']}/refunds"
    return listing(found[:DEFAULT_LIMIT], url=url, has_more=len(found) > DEFAULT_LIMIT)


def _invoice_payments(call: Call, invoice: JsonObject) -> JsonObject:
    return _part(call, "invoice_payment", invoice["id"], f"/v1/invoice_payments?invoice={invoice['id']}")


def _confirmation_secret(call: Call, invoice: JsonObject) -> JsonObject | None:
    identifier = call.objects.hidden(invoice["id"]).get("intent")
    intent = call.objects.get("payment_intent", identifier) if identifier else None
    return intent and {"client_secret": intent["client_secret"], "type": "payment_intent"}


def _tiers(call: Call, price: JsonObject) -> list[JsonObject] | None:
    return call.objects.hidden(price["id"]).get("tiers")


def _applies_to(call: Call, coupon: JsonObject) -> JsonObject | None:
    products = call.objects.hidden(coupon["id"]).get("products")
    return {"products": products} if products else None


def _tax_ids(call: Call, customer: JsonObject) -> JsonObject:
    return _of_customer(call, "tax_id", customer["id"], f"/v1/customers/{customer['id']}/tax_ids")


def _subscriptions(call: Call, customer: JsonObject) -> JsonObject:
    alive = ("json_extract(body, '$.status') NOT IN ('canceled', 'incomplete_expired')", ())
    return _of_customer(call, "subscription", customer["id"], f"/v1/customers/{customer['id']}/subscriptions", alive)


def _of_customer(call: Call, kind: str, customer: str, url: str, *filters: Filter) -> JsonObject:
    found = call.objects.select(kind, [equals("customer", customer), *filters], limit=DEFAULT_LIMIT + 1)
    return listing(found[:DEFAULT_LIMIT], url=url, has_more=len(found) > DEFAULT_LIMIT)


INCLUDABLE: dict[tuple[str, str], Callable[[Call, JsonObject], Any]] = {
    ("checkout.session", "line_items"): _lines,
    ("charge", "refunds"): _refunds,
    ("coupon", "applies_to"): _applies_to,
    ("customer", "subscriptions"): _subscriptions,
    ("customer", "tax_ids"): _tax_ids,
    ("invoice", "confirmation_secret"): _confirmation_secret,
    ("invoice", "payments"): _invoice_payments,
    ("price", "tiers"): _tiers,
}
"""Members that an object has only when they are asked for."""


def expand(call: Call, answer: JsonObject, paths: Sequence[str]) -> JsonObject:
    """Return `answer` with every path expanded; on a list, paths begin with `data.`.

    Raises: InvalidRequest for a path that cannot be expanded or is deeper than four levels.
    """
    for path in paths:
        segments = path.split(".")
        depth = len([segment for segment in segments if segment != "data"])
        if depth > MAX_DEPTH:
            raise InvalidRequest(
                f"You cannot expand more than {MAX_DEPTH} levels of a property: {path}", param="expand"
            )
        _walk(call, answer, segments, path, owner=answer.get("object", ""), prefix="")
    return answer


def _walk(call: Call, node: JsonObject, segments: list[str], path: str, *, owner: str, prefix: str) -> None:
    """Expand the first segment below `node`, a fragment `prefix` inside an object of the kind `owner`."""
    name, rest = segments[0], segments[1:]
    if owner == "list" and name == "data" and rest:
        for item in node["data"]:
            _walk(call, item, rest, path, owner=item["object"], prefix="")
        return
    dotted = prefix + name
    include = INCLUDABLE.get((owner, dotted))
    if include is not None and name not in node:
        node[name] = include(call, node)
        if not rest:
            if node[name] is None:
                del node[name]
            return
    value = node.get(name)
    if isinstance(value, list) and (_expandable(owner, dotted) or _leads_on(owner, dotted)):
        node[name] = [_entered(call, member, rest, path, owner=owner, dotted=dotted) for member in value]
    else:
        value = node[name] = _entered(call, value, rest, path, owner=owner, dotted=dotted)
        if value is None and not (_expandable(owner, dotted) or _leads_on(owner, dotted) or "deleted" in node):
            raise _not_expandable(path)


def _entered(call: Call, value: Any, rest: list[str], path: str, *, owner: str, dotted: str) -> Any:
    """Return a member's value with what it names in its place and the rest of the path expanded below it."""
    if isinstance(value, str) and _expandable(owner, dotted):
        value = call.objects.find(value)
    if isinstance(value, dict) and "object" in value:
        if rest:
            _walk(call, value, rest, path, owner=value["object"], prefix="")
    elif isinstance(value, dict) and rest:
        _walk(call, value, rest, path, owner=owner, prefix=f"{dotted}.")
    elif value is not None:
        raise _not_expandable(path)
    return value


def _not_expandable(path: str) -> InvalidRequest:
    return InvalidRequest(
        f"This property cannot be expanded ({path}). It may not exist, or not hold another object.", param="expand"
    )


def _expandable(kind: str, dotted: str) -> bool:
    return dotted in EXPANDABLE.get(kind, frozenset())


def _leads_on(kind: str, dotted: str) -> bool:
    return any(known.startswith(f"{dotted}.") for known in EXPANDABLE.get(kind, frozenset()))
