"""`expand`: identifiers replaced by the objects they name, and parts that are shown only when asked for.

Source: https://docs.stripe.com/api/expanding_objects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sandbox.stripe.calls import Call
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.objects import equals, owned_by
from sandbox.stripe.pagination import DEFAULT_LIMIT, listing
from sandbox.stripe.shapes import JsonObject

MAX_DEPTH = 4

EXPANDABLE: dict[str, frozenset[str]] = {
    "balance_transaction": frozenset({"source"}),
    "charge": frozenset({"balance_transaction", "customer", "failure_balance_transaction", "payment_intent"}),
    "application_fee": frozenset({"account", "balance_transaction"}),
    "billing_portal.session": frozenset({"configuration"}),
    "checkout.session": frozenset({"customer", "payment_intent", "setup_intent"}),
    "customer": frozenset({"default_source", "invoice_settings.default_payment_method"}),
    "payment_intent": frozenset({"customer", "latest_charge", "payment_method", "last_payment_error.payment_method"}),
    "payment_method": frozenset({"customer"}),
    "price": frozenset({"product"}),
    "product": frozenset({"default_price"}),
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


INCLUDABLE: dict[tuple[str, str], Callable[[Call, JsonObject], JsonObject]] = {
    ("checkout.session", "line_items"): _lines,
    ("charge", "refunds"): _refunds,
}
"""Members that an object has only when they are asked for."""


def expand(call: Call, answer: JsonObject, paths: Sequence[str]) -> JsonObject:
    """Return `answer` with every path expanded; on a list, paths begin with `data.`.

    Raises: InvalidRequest for a path that cannot be expanded or is deeper than four levels.
    """
    for path in paths:
        segments = path.split(".")
        depth = len(segments) - (1 if answer.get("object") == "list" else 0)
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
    value = node.get(name)
    if isinstance(value, str) and _expandable(owner, dotted):
        node[name] = value = call.objects.find(value)
    if isinstance(value, dict) and "object" in value:
        if rest:
            _walk(call, value, rest, path, owner=value["object"], prefix="")
    elif isinstance(value, dict) and rest:
        _walk(call, value, rest, path, owner=owner, prefix=f"{dotted}.")
    elif value is not None or not (_expandable(owner, dotted) or _leads_on(owner, dotted) or "deleted" in node):
        raise InvalidRequest(
            f"This property cannot be expanded ({path}). It may not exist, or not hold another object.", param="expand"
        )


def _expandable(kind: str, dotted: str) -> bool:
    return dotted in EXPANDABLE.get(kind, frozenset())


def _leads_on(kind: str, dotted: str) -> bool:
    return any(known.startswith(f"{dotted}.") for known in EXPANDABLE.get(kind, frozenset()))
