"""How an invoice gets its money, and what the outcome means for its subscription.

Source: https://docs.stripe.com/billing/subscriptions/overview#payment-status.
"""

from __future__ import annotations

from typing import Any

from sandbox.stripe import payments
from sandbox.stripe.billing import clocks, dunning, invoices, subscription_state
from sandbox.stripe.calls import Work
from sandbox.stripe.errors import CardError, InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.objects import owned_by
from sandbox.stripe.shapes import JsonObject

PAYMENT = "invoice_payment"


def finalize(work: Work, invoice: JsonObject) -> None:
    """Issue the draft and ready its payment; an invoice that asks for nothing is paid at once."""
    invoices.issue(work, invoice)
    if invoice["amount_due"] == 0:
        _mark_paid(work, invoice)
        return
    intent = payments.new_intent(
        work,
        {
            "amount": invoice["amount_due"],
            "currency": invoice["currency"],
            "customer": invoice["customer"],
            "description": invoice["description"] or f"Payment for Invoice {invoice['number']}",
            "payment_method_types": ["card"],
            "setup_future_usage": "off_session" if invoices.subscription_of(invoice) else None,
        },
    )
    work.objects.hide(intent["id"], invoice=invoice["id"])
    work.objects.hide(invoice["id"], intent=intent["id"])
    work.objects.insert(
        {
            "id": new_id("inpay_"),
            "object": PAYMENT,
            "amount_paid": None,
            "amount_requested": invoice["amount_due"],
            "created": work.now,
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "livemode": False,
            "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        },
        {"owner": invoice["id"]},
    )


def intent_of(work: Work, invoice: JsonObject) -> JsonObject | None:
    """Return the payment intent that an issued invoice is paid by."""
    identifier = work.objects.hidden(invoice["id"]).get("intent")
    return work.objects.get("payment_intent", identifier) if identifier else None


def method_for(work: Work, invoice: JsonObject) -> JsonObject | None:
    """Return the payment method to charge: the invoice's, the subscription's or the customer's default."""
    subscription_id = invoices.subscription_of(invoice)
    subscription = work.objects.get(subscription_state.KIND, subscription_id) if subscription_id else None
    customer = work.objects.get("customer", invoice["customer"])
    chosen = (
        invoice["default_payment_method"]
        or (subscription and subscription["default_payment_method"])
        or (customer and customer["invoice_settings"]["default_payment_method"])
    )
    return work.objects.get("payment_method", chosen) if chosen else None


def attempt(work: Work, invoice: JsonObject, *, method: JsonObject | None = None, off_session: bool = True) -> bool:
    """Try to collect an open invoice; return whether it is paid. A refusal is recorded, not raised."""
    try:
        return pay(work, invoice, method or method_for(work, invoice), off_session=off_session)
    except CardError:
        return False


def pay(work: Work, invoice: JsonObject, method: JsonObject | None, *, off_session: bool) -> bool:
    """Charge the method for an open invoice; return whether it is paid (false: 3-D Secure is asked for).

    Raises: CardError when the card refuses, recorded with all that follows from it.
    """
    intent = intent_of(work, invoice)
    if intent is None:
        raise InvalidRequest(f"Invoice {invoice['id']} has nothing to pay.")
    if method is None:
        _refused(work, invoice, action_required=False)
        return False
    confirm(work, intent, method, off_session=off_session)
    invoice |= work.require(invoices.KIND, invoice["id"], param="invoice")
    return bool(invoice["status"] == "paid")


def confirm(work: Work, intent: JsonObject, method: JsonObject, **options: Any) -> JsonObject:
    """Confirm a payment intent as `payments.confirm` does, and carry the outcome to its invoice, if it has one."""
    work = _at_time_of(work, intent)
    try:
        confirmed = payments.confirm(work, intent, method, **options)
    except CardError as error:
        follow(work, intent["id"], action_required=error.code == "authentication_required")
        raise
    follow(work, intent["id"])
    return confirmed


def finish_challenge(work: Work, intent: JsonObject, *, passed: bool) -> JsonObject:
    """Go on after 3-D Secure as `payments.finish_challenge` does, and carry the outcome to the invoice."""
    work = _at_time_of(work, intent)
    try:
        finished = payments.finish_challenge(work, intent, passed=passed)
    except CardError:
        follow(work, intent["id"])
        raise
    follow(work, intent["id"])
    return finished


def _at_time_of(work: Work, intent: JsonObject) -> Work:
    """Return the work at the time of the invoice that the intent pays."""
    invoice_id = work.objects.hidden(intent["id"]).get("invoice")
    invoice = work.objects.get(invoices.KIND, invoice_id) if invoice_id else None
    return work if invoice is None else clocks.at_time_of(work, invoice)


def follow(work: Work, intent_id: str, *, action_required: bool = False) -> None:
    """Carry what became of a payment intent to the invoice that it pays, if it pays one."""
    invoice_id = work.objects.hidden(intent_id).get("invoice")
    invoice = work.objects.get(invoices.KIND, invoice_id) if invoice_id else None
    intent = work.objects.get("payment_intent", intent_id)
    if invoice is None or intent is None or invoice["status"] not in ("open", "uncollectible"):
        return
    if intent["status"] == "succeeded":
        _keep_method(work, invoice, intent)
        invoice |= {"attempt_count": invoice["attempt_count"] + 1, "attempted": True}
        _mark_paid(work, invoice, intent)
    elif intent["status"] == "requires_action":
        emit(work, "invoice.payment_action_required", invoice)
    else:
        _refused(work, invoice, action_required=action_required)


def _keep_method(work: Work, invoice: JsonObject, intent: JsonObject) -> None:
    """Make the method the subscription's default when the subscription's settings say so."""
    subscription_id = invoices.subscription_of(invoice)
    subscription = work.objects.get(subscription_state.KIND, subscription_id) if subscription_id else None
    if subscription is None or subscription["payment_settings"]["save_default_payment_method"] != "on_subscription":
        return
    before = subscription_state.copy_of(subscription)
    subscription["default_payment_method"] = intent["payment_method"]
    subscription_state.save_change(work, subscription, before)


def mark_paid_elsewhere(work: Work, invoice: JsonObject) -> None:
    """Take the invoice as paid by other means than Stripe."""
    _cancel_payment(work, invoice, "void_invoice")
    invoice["amount_paid_off_stripe"] = invoice["amount_due"]
    _mark_paid(work, invoice, paid=invoice["amount_due"])


def _mark_paid(work: Work, invoice: JsonObject, intent: JsonObject | None = None, *, paid: int = 0) -> None:
    before = dict(invoice)
    if intent is not None:
        paid = intent["amount_received"]
        _settle_payment(work, invoice, "paid")
    invoice |= {
        "amount_paid": paid,
        "amount_remaining": invoice["amount_due"] - paid,
        "attempted": True,
        "auto_advance": False,
        "next_payment_attempt": None,
        "status": "paid",
        "status_transitions": invoice["status_transitions"] | {"paid_at": work.now},
    }
    invoices.store(work, invoice)
    emit(work, "invoice.updated", invoice, before=before)
    emit(work, "invoice.paid", invoice)
    emit(work, "invoice.payment_succeeded", invoice)
    _tell_subscription_paid(work, invoice)
    _set_delinquent(work, invoice["customer"], False)


def _settle_payment(work: Work, invoice: JsonObject, status: str) -> None:
    for payment in work.objects.select(PAYMENT, [owned_by(invoice["id"])]):
        if payment["status"] != "open":
            continue
        payment["status"] = status
        if status == "paid":
            payment["amount_paid"] = payment["amount_requested"]
            payment["status_transitions"] |= {"paid_at": work.now}
        else:
            payment["status_transitions"] |= {"canceled_at": work.now}
        work.objects.replace(payment)
        if status == "paid":
            emit(work, f"{PAYMENT}.paid", payment)


def _cancel_payment(work: Work, invoice: JsonObject, reason: str) -> None:
    intent = intent_of(work, invoice)
    if intent is not None and intent["status"] not in ("succeeded", "canceled"):
        payments.cancel(work, intent, reason)
    _settle_payment(work, invoice, "canceled")


def void(work: Work, invoice: JsonObject) -> None:
    """Declare the invoice null together with its payment."""
    invoices.void(work, invoice)
    _cancel_payment(work, invoice, "void_invoice")


def _tell_subscription_paid(work: Work, invoice: JsonObject) -> None:
    subscription_id = invoices.subscription_of(invoice)
    subscription = work.objects.get(subscription_state.KIND, subscription_id) if subscription_id else None
    if subscription is None or subscription["latest_invoice"] != invoice["id"]:
        return
    if subscription["status"] in ("incomplete", "past_due", "unpaid"):
        subscription_state.set_status(work, subscription, "active")
    elif subscription["status"] == "paused":
        subscription_state.set_status(work, subscription, "active")
        emit(work, "customer.subscription.resumed", subscription)


def _refused(work: Work, invoice: JsonObject, *, action_required: bool) -> None:
    before = dict(invoice)
    attempts = invoice["attempt_count"] + 1
    subscription_id = invoices.subscription_of(invoice)
    subscription = work.objects.get(subscription_state.KIND, subscription_id) if subscription_id else None
    first = subscription is not None and subscription["status"] in ("incomplete", "paused")
    retried = invoice["auto_advance"] and not first
    invoice |= {
        "attempt_count": attempts,
        "attempted": True,
        "next_payment_attempt": dunning.next_attempt(work, attempts) if retried else None,
    }
    invoices.store(work, invoice)
    emit(work, "invoice.updated", invoice, before=before)
    if action_required:
        emit(work, "invoice.payment_action_required", invoice)
    emit(work, "invoice.payment_failed", invoice)
    _set_delinquent(work, invoice["customer"], True)
    if subscription is not None and not first and subscription["status"] not in subscription_state.ENDED:
        _fall_behind(work, subscription, final=retried and invoice["next_payment_attempt"] is None)


def _fall_behind(work: Work, subscription: JsonObject, *, final: bool) -> None:
    if subscription["status"] in ("active", "trialing"):
        subscription_state.set_status(work, subscription, "past_due")
    if not final:
        return
    outcome = dunning.outcome(work)
    if outcome == "unpaid":
        subscription_state.set_status(work, subscription, "unpaid")
    elif outcome == "cancel":
        subscription_state.end(work, subscription, reason="payment_failed")


def become_overdue(work: Work, invoice: JsonObject) -> None:
    """Tell that an invoice sent to the customer was not paid in time."""
    work.objects.hide(invoice["id"], overdue=True)
    invoices.store(work, invoice)
    emit(work, "invoice.overdue", invoice)
    subscription_id = invoices.subscription_of(invoice)
    subscription = work.objects.get(subscription_state.KIND, subscription_id) if subscription_id else None
    if subscription is not None and subscription["status"] == "active":
        subscription_state.set_status(work, subscription, "past_due")


def _set_delinquent(work: Work, customer_id: str, delinquent: bool) -> None:
    customer = work.objects.get("customer", customer_id)
    if customer is not None and customer["delinquent"] != delinquent:
        before = dict(customer)
        customer["delinquent"] = delinquent
        work.objects.replace(customer)
        emit(work, "customer.updated", customer, before=before)
