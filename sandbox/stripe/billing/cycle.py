"""What time does: trials end, periods renew, drafts are issued, refused invoices tried again, subscriptions end.

Source: https://docs.stripe.com/billing/subscriptions/overview#subscription-lifecycle.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from sandbox.stripe.billing import (
    agenda,
    clocks,
    collection,
    invoices,
    periods,
    preview,
    subscription_state,
    subscriptions,
)
from sandbox.stripe.billing.calendar import period_at
from sandbox.stripe.billing.subscription_state import copy_of, items_of, period_end, save_change
from sandbox.stripe.calls import Work
from sandbox.stripe.events import emit
from sandbox.stripe.shapes import JsonObject

log = logging.getLogger("sandbox.stripe")

WALL = ""
"""The name of the clock that customers without a test clock live by."""


def run(work: Work, *, until: int, clock: str = WALL) -> int:
    """Do all that is due by the instant for one clock, each at its own time and in order; return how much it was."""
    done = 0
    while (due := agenda.next_due(work, clock, until)) is not None:
        at = replace(work.of(due.account), now=due.instant)
        clocks.move(at, clock)
        if clock == WALL:
            _step_or_forget(at, due)
        else:
            _step(at, due)
        done += 1
    return done


def _step(work: Work, due: agenda.Due) -> None:
    if due.kind == subscription_state.KIND:
        _advance_subscription(work, work.require(due.kind, due.identifier, param="subscription"))
    else:
        _advance_invoice(work, work.require(due.kind, due.identifier, param="invoice"))


def _step_or_forget(work: Work, due: agenda.Due) -> None:
    """Do what is due; what fails is logged and not due any more, so that the wall's time goes on for the others."""
    connection = work.objects.connection
    connection.execute("SAVEPOINT step")
    try:
        _step(work, due)
    except Exception:
        log.exception("%s was due at %s and could not go on", due.identifier, due.instant)
        connection.execute("ROLLBACK TO step")
        work.objects.hide(due.identifier, due=None)
    connection.execute("RELEASE step")


def _advance_subscription(work: Work, subscription: JsonObject) -> None:
    pause = subscription["pause_collection"]
    if subscription["status"] == "incomplete":
        subscriptions.expire_incomplete(work, subscription)
    elif subscription["cancel_at"] is not None and subscription["cancel_at"] <= work.now:
        reason = subscription["cancellation_details"]["reason"] or "cancellation_requested"
        subscriptions.cancel(work, subscription, reason=reason)
    elif pause is not None and pause["resumes_at"] is not None and pause["resumes_at"] <= work.now:
        before = copy_of(subscription)
        subscription["pause_collection"] = None
        save_change(work, subscription, before)
    elif period_end(subscription) <= work.now:
        _renew(work, subscription)
    else:
        _announce(work, subscription)


def _announce(work: Work, subscription: JsonObject) -> None:
    """Tell what comes: the end of a trial three days ahead, a renewal seven."""
    ends = period_end(subscription)
    if subscription["status"] == "trialing":
        work.objects.hide(subscription["id"], told_trial_end=ends)
        subscription_state.store(work, subscription)
        emit(work, "customer.subscription.trial_will_end", subscription)
        return
    work.objects.hide(subscription["id"], told_renewal=ends)
    subscription_state.store(work, subscription)
    if not subscription["cancel_at_period_end"]:
        emit(work, "invoice.upcoming", preview.next_invoice(work, subscription))


def _renew(work: Work, subscription: JsonObject) -> None:
    customer = work.require("customer", subscription["customer"], param="customer")
    was_trialing = subscription["status"] == "trialing"
    if was_trialing and not _can_pay(work, customer, subscription):
        behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
        if behavior == "cancel":
            subscriptions.cancel(work, subscription, reason=None)
            return
        if behavior == "pause":
            subscription_state.set_status(work, subscription, "paused")
            emit(work, "customer.subscription.paused", subscription)
            return
    periods.drop_ended_discounts(work, customer, subscription)
    before = copy_of(subscription)
    if was_trialing:
        subscription["status"] = "active"
    recurring = items_of(subscription)[0]["price"]["recurring"]
    start, end = period_at(
        subscription["billing_cycle_anchor"], recurring["interval"], recurring["interval_count"], work.now
    )
    subscriptions.set_period(subscription, start, end)
    # An unpaid subscription's invoices are kept as drafts; so are those of a paused collection, on demand.
    pause = subscription["pause_collection"]
    kept = subscription["status"] == "unpaid" or (pause is not None and pause["behavior"] == "keep_as_draft")
    invoice = periods.draft(
        work,
        customer,
        subscription,
        reason="subscription_cycle",
        drafts=periods.period_lines(work, subscription),
        auto_advance=not kept,
    )
    save_change(work, subscription, before)
    emit(work, "invoice.created", invoice)


def _can_pay(work: Work, customer: JsonObject, subscription: JsonObject) -> bool:
    if subscription["collection_method"] == "send_invoice":
        return True
    return bool(subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"])


def _advance_invoice(work: Work, invoice: JsonObject) -> None:
    if invoice["status"] == "draft":
        _issue(work, invoice)
    elif invoice["next_payment_attempt"] is not None and invoice["next_payment_attempt"] <= work.now:
        collection.attempt(work, invoice)
    else:
        collection.become_overdue(work, invoice)


def _issue(work: Work, invoice: JsonObject) -> None:
    collection.finalize(work, invoice)
    if invoice["status"] != "open":
        return
    subscription_id = invoices.subscription_of(invoice)
    subscription = work.objects.get(subscription_state.KIND, subscription_id) if subscription_id else None
    pause = subscription and subscription["pause_collection"]
    if pause and pause["behavior"] == "void":
        collection.void(work, invoice)
    elif pause and pause["behavior"] == "mark_uncollectible":
        invoices.mark_uncollectible(work, invoice)
    elif invoice["collection_method"] == "send_invoice":
        emit(work, "invoice.sent", invoice)
    else:
        collection.attempt(work, invoice)
