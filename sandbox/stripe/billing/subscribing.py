"""Checkout sessions that begin a subscription: what is due today, discounts, and the subscription itself.

Source: https://docs.stripe.com/payments/checkout/build-subscriptions.
"""

from __future__ import annotations

from sandbox.stripe import payment_methods
from sandbox.stripe.billing import clocks, collection, discounts, invoices, subscription_state, subscriptions
from sandbox.stripe.billing.reductions import Reducible, reduce_lines
from sandbox.stripe.billing.subscription_body import trial_end_of
from sandbox.stripe.billing.taxation import added, taxes_on
from sandbox.stripe.calls import Work
from sandbox.stripe.currencies import check_charge_amount
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.objects import equals, owned_by
from sandbox.stripe.shapes import JsonObject

LINE = "item"


def check_lines(given: JsonObject, lines: list[JsonObject]) -> None:
    """Refuse lines that no subscription can be made of.

    Raises: InvalidRequest without any recurring price, or with two intervals.
    """
    recurring = [line["price"]["recurring"] for line in lines if line["price"]["recurring"]]
    if not recurring:
        raise InvalidRequest(
            "You must provide at least one recurring price in `subscription` mode when using prices.",
            param="line_items",
        )
    if len({(one["interval"], one["interval_count"]) for one in recurring}) > 1:
        raise InvalidRequest("All recurring prices must have the same interval.", param="line_items")
    for name in ("customer_creation", "payment_intent_data", "submit_type"):
        if name in given:
            raise InvalidRequest(f"You can not pass `{name}` in `subscription` mode.", param=name)


def reckon(work: Work, session: JsonObject, lines: list[JsonObject]) -> None:
    """Set what is due today on the session and its lines; recurring lines are free during a trial."""
    hidden = work.objects.hidden(session["id"])
    trial = trial_end_of(work, hidden.get("subscription_data", {})) is not None
    offered = _offered(work, session, hidden.get("redeem", []))
    due = [0 if trial and line["price"]["recurring"] else line["amount_subtotal"] for line in lines]
    taken = reduce_lines(
        [Reducible(amount, line["price"]["product"]) for amount, line in zip(due, lines, strict=True)],
        [discounts.reduction_of(work, coupon, session["currency"]) for coupon in offered],
    )
    rates = hidden.get("subscription_data", {}).get("default_tax_rates") or []
    for line, amount, off in zip(lines, due, taken, strict=True):
        net = amount - sum(off.values())
        tax = taxes_on(net, rates, "none")
        line |= {
            "amount_discount": sum(off.values()),
            "amount_subtotal": amount,
            "amount_tax": added(tax, "exclusive") + added(tax, "inclusive"),
            "amount_total": net + added(tax, "exclusive"),
        }
    total = sum(line["amount_total"] for line in lines)
    if total:
        check_charge_amount(total, session["currency"], param="line_items")
    session |= {
        "amount_subtotal": sum(due),
        "amount_total": total,
        "total_details": session["total_details"]
        | {
            "amount_discount": sum(line["amount_discount"] for line in lines),
            "amount_tax": sum(line["amount_tax"] for line in lines),
        },
    }


def _offered(work: Work, session: JsonObject, redeem: list[JsonObject]) -> list[JsonObject]:
    """Return the coupons that the session will redeem, and show them on it."""
    coupons = []
    session["discounts"] = []
    for index, given in enumerate(redeem):
        coupon, code = discounts.look_up(work, given, customer=session["customer"], param=f"discounts[{index}]")
        coupons.append(coupon)
        session["discounts"].append({"coupon": None if code else coupon["id"], "promotion_code": code and code["id"]})
    return coupons


def apply_code(work: Work, session: JsonObject, text: str) -> None:
    """Apply the promotion code that the customer typed; the session and its lines are stored.

    Raises: InvalidRequest when the session takes none, or the code is unknown or not usable.
    """
    if not session["allow_promotion_codes"]:
        raise InvalidRequest("This session does not take promotion codes.", param="promotion_code")
    same = ("lower(json_extract(body, '$.code')) = ?", (text.strip().lower(),))
    found = work.objects.select("promotion_code", [same, equals("active", True)], limit=1)
    if not found:
        raise InvalidRequest("This promotion code is not valid.", code="resource_missing", param="promotion_code")
    work.objects.hide(session["id"], redeem=[{"promotion_code": found[0]["id"]}])
    lines = work.objects.select(LINE, [owned_by(session["id"])], ascending=True)
    for line in lines:
        line["amount_subtotal"] = work.objects.hidden(line["id"]).get("full", line["amount_subtotal"])
    reckon(work, session, lines)
    for line in lines:
        work.objects.replace(line)
    work.objects.replace(session)


def asks_for_method(session: JsonObject) -> bool:
    """Return whether the customer must give a payment method."""
    return bool(session["amount_total"] or session["payment_method_collection"] == "always")


def subscribe(
    work: Work, session: JsonObject, customer: JsonObject, method: JsonObject | None, *, return_url: str
) -> str | None:
    """Begin the session's subscription and pay its first invoice; return the session's payment status when done.

    Null means that 3-D Secure is asked for. After a refusal the subscription waits, incomplete, for another try.

    Raises: CardError when the card refuses; InvalidRequest without a method where one is needed.
    """
    if method is None and asks_for_method(session):
        raise InvalidRequest("A payment method is needed.", code="parameter_missing", param="payment_method")
    at = clocks.at_time_of(work, customer)
    subscription = _subscription_of(at, session, customer)
    invoice = at.require(invoices.KIND, subscription["latest_invoice"], param="session")
    if invoice["status"] != "open":
        if method is not None and method["customer"] is None:
            payment_methods.attach(at, method, customer["id"])
        return finished(at, session, method)
    intent = collection.intent_of(at, invoice)
    if intent is None or method is None:
        raise InvalidRequest("The first invoice cannot be paid.", param="session")
    work.objects.hide(intent["id"], session=session["id"])
    collection.confirm(at, intent, method, return_url=return_url)
    return finished(at, session, method)


def _subscription_of(work: Work, session: JsonObject, customer: JsonObject) -> JsonObject:
    hidden = work.objects.hidden(session["id"])
    if "subscription" in hidden:
        return work.require(subscription_state.KIND, hidden["subscription"], param="session")
    lines = work.objects.select(LINE, [owned_by(session["id"])], ascending=True)
    pairs = [(line["price"], {"quantity": line["quantity"]}) for line in lines]
    subscription = subscriptions.create(
        work,
        customer,
        {
            **hidden.get("subscription_data", {}),
            "add_invoice_items": [pair for pair in pairs if pair[0]["recurring"] is None],
            "discounts": hidden.get("redeem", []),
            "items": [pair for pair in pairs if pair[0]["recurring"] is not None],
            "payment_behavior": "default_incomplete",
        },
    )
    work.objects.hide(session["id"], subscription=subscription["id"])
    return subscription


def intent_of(work: Work, session: JsonObject) -> JsonObject | None:
    """Return the payment intent of the session's first invoice, once there is one."""
    identifier = work.objects.hidden(session["id"]).get("subscription")
    subscription = work.objects.get(subscription_state.KIND, identifier) if identifier else None
    invoice = subscription and work.objects.get(invoices.KIND, subscription["latest_invoice"])
    return collection.intent_of(work, invoice) if invoice else None


def finished(work: Work, session: JsonObject, method: JsonObject | None = None) -> str | None:
    """Name subscription and invoice on the session and return its payment status; null while it is not paid."""
    subscription = _known(work, session)
    invoice = work.require(invoices.KIND, subscription["latest_invoice"], param="session")
    if invoice["status"] not in ("paid", "draft"):
        return None
    used = method["id"] if method else (intent_of(work, session) or {}).get("payment_method")
    if used is not None:
        before = subscription_state.copy_of(subscription)
        subscription["default_payment_method"] = used
        subscription_state.save_change(work, subscription, before)
    session |= {"invoice": invoice["id"], "subscription": subscription["id"]}
    return "paid" if invoice["amount_paid"] or not subscription["trial_end"] else "no_payment_required"


def _known(work: Work, session: JsonObject) -> JsonObject:
    identifier = work.objects.hidden(session["id"])["subscription"]
    return work.require(subscription_state.KIND, identifier, param="session")


def abandon(work: Work, session: JsonObject) -> None:
    """End the incomplete subscription that an expired session leaves behind."""
    if "subscription" not in work.objects.hidden(session["id"]):
        return
    subscription = _known(work, session)
    if subscription["status"] == "incomplete":
        subscriptions.expire_incomplete(clocks.at_time_of(work, subscription), subscription)
