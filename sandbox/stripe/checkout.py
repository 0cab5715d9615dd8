"""How a checkout session is paid, completed and expires.

Source: https://docs.stripe.com/payments/checkout/how-checkout-works.
"""

from __future__ import annotations

from sandbox.stripe import payments, setups
from sandbox.stripe.billing import collection, discounts, subscribing
from sandbox.stripe.calls import Work
from sandbox.stripe.errors import Conflict, InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.objects import equals
from sandbox.stripe.parameters import full_address
from sandbox.stripe.resources import customers
from sandbox.stripe.shapes import JsonObject

KIND = "checkout.session"
_DONE = ("succeeded", "requires_capture", "processing")


class SessionNotOpen(Conflict):
    """The session is complete or has expired (409)."""


def page_url(work: Work, session_id: str) -> str:
    """Return the address of the hosted page; the session's id is its last segment."""
    return f"{work.base_url}/c/pay/{session_id}"


def contact(*, email: str | None, name: str | None = None, address: JsonObject | None = None) -> JsonObject:
    """Return `customer_details` of a session."""
    return {
        "address": full_address(address),
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": None,
    }


def submit(work: Work, session: JsonObject, method: JsonObject | None, payer: JsonObject) -> JsonObject:
    """Pay the session with the method; return it, complete or (3-D Secure) still open.

    `payer` is what the customer gave on the page. A session without anything to pay needs no method.

    Raises: SessionNotOpen; CardError when the card refuses, which leaves the session open.
    """
    require_open(work, session)
    work.objects.hide(session["id"], payer=payer)
    if session["mode"] == "setup":
        return _set_up(work, session, method, payer)
    if session["mode"] == "subscription":
        return _subscribe(work, session, method, payer)
    if session["amount_total"] == 0 or method is None:
        return _complete(work, session, "no_payment_required")
    # A code that has been used up meanwhile is refused before anything is charged.
    for given in _reductions(work, session):
        discounts.look_up(work, given, customer=session["customer"], param="discounts")
    intent = _intent_of(work, session)
    session["payment_intent"] = intent["id"]
    work.objects.replace(session)
    paid = payments.confirm(work, intent, method, return_url=page_url(work, session["id"]))
    return _complete_if_paid(work, session, paid)


def intent_to_authenticate(work: Work, session: JsonObject) -> JsonObject | None:
    """Return the session's payment or setup intent when it waits for 3-D Secure."""
    if session["status"] != "open":
        return None
    if session["mode"] == "subscription":
        first = subscribing.intent_of(work, session)
        return first if first is not None and first["status"] == "requires_action" else None
    for kind in ("payment_intent", setups.KIND):
        if session[kind] is not None:
            intent = work.require(kind, session[kind], param=kind)
            if intent["status"] == "requires_action":
                return intent
    return None


def finish_challenge(work: Work, session: JsonObject, intent: JsonObject, *, passed: bool) -> JsonObject:
    """Go on after the 3-D Secure page; return the session.

    Raises: SessionNotOpen; CardError when the card refuses after all.
    """
    require_open(work, session)
    if intent["object"] == setups.KIND:
        setup = setups.finish_challenge(work, intent, passed=passed)
        return _complete(work, session, "no_payment_required") if setup["status"] == "succeeded" else session
    if session["mode"] == "subscription":
        collection.finish_challenge(work, intent, passed=passed)
        status = subscribing.finished(work, session)
        return session if status is None else _complete(work, session, status)
    return _complete_if_paid(work, session, payments.finish_challenge(work, intent, passed=passed))


def _subscribe(work: Work, session: JsonObject, method: JsonObject | None, payer: JsonObject) -> JsonObject:
    if session["customer"] is None:
        new = customers.new_customer(work, {"email": payer.get("email"), "name": payer.get("name")})
        session["customer"] = new["id"]
        work.objects.replace(session)
    customer = work.require("customer", session["customer"], param="customer")
    status = subscribing.subscribe(work, session, customer, method, return_url=page_url(work, session["id"]))
    return session if status is None else _complete(work, session, status)


def _set_up(work: Work, session: JsonObject, method: JsonObject | None, payer: JsonObject) -> JsonObject:
    if method is None:
        raise InvalidRequest("A card is needed.", code="parameter_missing", param="payment_method")
    setup = work.require(setups.KIND, session["setup_intent"], param="setup_intent")
    if session["customer"] is None and session["customer_creation"] == "always":
        customer = customers.new_customer(work, {"email": payer.get("email"), "name": payer.get("name")})
        session["customer"] = setup["customer"] = customer["id"]
        work.objects.replace(session)
    setup = setups.confirm(work, setup, method, return_url=page_url(work, session["id"]))
    return _complete(work, session, "no_payment_required") if setup["status"] == "succeeded" else session


def require_open(work: Work, session: JsonObject) -> None:
    """Raise SessionNotOpen unless the session can still be paid."""
    if session["status"] == "open" and session["expires_at"] > work.now:
        return
    status = "expired" if session["status"] == "open" else session["status"]
    raise SessionNotOpen(
        f"The Checkout Session {session['id']} is {status}.", code="checkout_session_not_open", param="session"
    )


def expire(work: Work, session: JsonObject) -> JsonObject:
    """End an open session and whatever payment it began; return it."""
    if session["payment_intent"] is not None:
        intent = work.require("payment_intent", session["payment_intent"], param="payment_intent")
        if intent["status"] not in ("succeeded", "canceled"):
            payments.cancel(work, intent, "expired")
    subscribing.abandon(work, session)
    if session["setup_intent"] is not None:
        setup = work.require(setups.KIND, session["setup_intent"], param="setup_intent")
        if setup["status"] not in ("succeeded", "canceled"):
            setups.cancel(work, setup, "abandoned")
    session |= {"status": "expired", "url": None}
    work.objects.replace(session)
    emit(work, "checkout.session.expired", session)
    return session


def expire_due(work: Work) -> int:
    """End the open sessions whose time is over; return how many."""
    due = work.objects.select(
        KIND, [equals("status", "open"), ("json_extract(body, '$.expires_at') <= ?", (work.now,))], ascending=True
    )
    for session in due:
        expire(work, session)
    return len(due)


def follow_debit(work: Work, intent_id: str) -> None:
    """Tell the end of a debit on the session that began it, if one did."""
    session_id = work.objects.hidden(intent_id).get("session")
    session = work.objects.get(KIND, session_id) if session_id else None
    if session is None or session["status"] != "complete" or session["payment_status"] != "unpaid":
        return
    intent = work.require("payment_intent", intent_id, param="payment_intent")
    if intent["status"] == "succeeded":
        session["payment_status"] = "paid"
        work.objects.replace(session)
        emit(work, "checkout.session.async_payment_succeeded", session)
    elif intent["status"] == "requires_payment_method":
        emit(work, "checkout.session.async_payment_failed", session)


def _intent_of(work: Work, session: JsonObject) -> JsonObject:
    if session["payment_intent"] is not None:
        return work.require("payment_intent", session["payment_intent"], param="payment_intent")
    wanted = work.objects.hidden(session["id"]).get("payment_intent_data", {})
    return payments.new_intent(
        work,
        {
            **wanted,
            "amount": session["amount_total"],
            "currency": session["currency"],
            "customer": session["customer"],
            "payment_method_types": session["payment_method_types"],
        },
        owner=session["id"],
    )


def _complete_if_paid(work: Work, session: JsonObject, intent: JsonObject) -> JsonObject:
    if intent["status"] not in _DONE:
        return session
    return _complete(work, session, "paid" if intent["status"] == "succeeded" else "unpaid")


def _reductions(work: Work, session: JsonObject) -> list[JsonObject]:
    """Return what a payment redeems; a subscription redeems its own."""
    redeemed: list[JsonObject] = work.objects.hidden(session["id"]).get("redeem", [])
    return redeemed if session["mode"] == "payment" else []


def _complete(work: Work, session: JsonObject, payment_status: str) -> JsonObject:
    for given in _reductions(work, session):
        for kind in ("coupon", "promotion_code"):
            if given.get(kind):
                used = work.require(kind, given[kind], param="discounts")
                discounts.count_redemption(work, used)
                if kind == "promotion_code":
                    discounts.count_redemption(
                        work, work.require("coupon", used["promotion"]["coupon"], param="discounts")
                    )
    payer = work.objects.hidden(session["id"]).get("payer", {})
    given = session["customer_details"] or contact(email=None)
    details = given | {name: payer[name] for name in ("email", "name") if payer.get(name)}
    if details["address"] is None:
        details["address"] = full_address(payer.get("address") or {})
    if session["customer"] is None and session["customer_creation"] == "always":
        customer = customers.new_customer(work, {"email": details["email"], "name": details["name"]})
        session["customer"] = customer["id"]
    session |= {
        "customer_details": details,
        "payment_status": payment_status,
        "status": "complete",
        "url": None,
    }
    work.objects.replace(session)
    emit(work, "checkout.session.completed", session)
    return session
