"""Invoices that do not exist yet: the next one of a subscription, or what a change would bring.

Source: https://docs.stripe.com/api/invoices/create_preview.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sandbox.stripe.billing import invoices, lines, periods, subscription_state, subscriptions
from sandbox.stripe.billing.calendar import period_at
from sandbox.stripe.billing.subscription_state import copy_of, items_of, period_end
from sandbox.stripe.calls import Work
from sandbox.stripe.errors import NotFound
from sandbox.stripe.identifiers import token
from sandbox.stripe.shapes import JsonObject


def next_invoice(work: Work, subscription: JsonObject) -> JsonObject:
    """Return the invoice of the subscription's next period as it would be; nothing is stored.

    Raises: NotFound `invoice_upcoming_none` when no further invoice will come.
    """
    ends = period_end(subscription)
    stops = subscription["cancel_at"] is not None and subscription["cancel_at"] <= ends
    if stops or subscription["status"] in (*subscription_state.ENDED, "paused"):
        raise NotFound(f"No upcoming invoices for subscription: '{subscription['id']}'", code="invoice_upcoming_none")
    at = replace(work, now=ends)
    customer = work.require("customer", subscription["customer"], param="customer")
    coming = copy_of(subscription) | {"status": "active"}
    recurring = items_of(coming)[0]["price"]["recurring"]
    start, end = period_at(coming["billing_cycle_anchor"], recurring["interval"], recurring["interval_count"], ends)
    subscriptions.set_period(coming, start, end)
    invoice = invoices.new_invoice(
        at,
        customer,
        currency=coming["currency"],
        reason="upcoming",
        given={"collection_method": coming["collection_method"], "default_tax_rates": coming["default_tax_rates"]},
        subscription=coming,
        period=(subscription_state.period_start(subscription), ends),
        identifier=f"upcoming_in_{token(24)}",
    )
    invoice["discounts"] = [discount["id"] for discount in periods.applicable(at, customer, coming)]
    waiting = invoices.pending_items(work, customer["id"], coming["currency"], coming["id"])
    own = [*[lines.line_of_item(item) for item in waiting], *periods.period_lines(at, coming)]
    for line in own:
        line["invoice"] = invoice["id"]
    invoices.compute(work, invoice, own)
    invoice["next_payment_attempt"] = ends + 3600 if coming["collection_method"] == "charge_automatically" else None
    return invoice


def after(work: Work, do: Callable[[], JsonObject]) -> JsonObject:
    """Return the invoice that `do` would make or lead to, and take back all that it did.

    `do` returns a subscription, as it stands after what is previewed, or the invoice itself.
    """
    connection = work.objects.connection
    connection.execute("SAVEPOINT preview")
    try:
        made = do()
        invoice = made if made["object"] == invoices.KIND else next_invoice(work, made)
        if made is invoice:
            return as_preview(work, invoice)
        return invoice
    finally:
        connection.execute("ROLLBACK TO preview")
        connection.execute("RELEASE preview")


def as_preview(work: Work, invoice: JsonObject) -> JsonObject:
    """Return an invoice as the draft that it would first be."""
    identifier = f"upcoming_in_{token(24)}"
    shown = invoice | {
        "id": identifier,
        "amount_paid": 0,
        "amount_remaining": invoice["amount_due"],
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": False,
        "automatically_finalizes_at": None,
        "effective_at": None,
        "ending_balance": invoice["ending_balance"],
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "next_payment_attempt": None,
        "number": None,
        "status": "draft",
        "status_transitions": dict.fromkeys(invoice["status_transitions"]),
    }
    own = invoices.lines_of(work, invoice)
    shown["lines"] = invoice["lines"] | {
        "data": [line | {"invoice": identifier} for line in own],
        "has_more": False,
        "url": f"/v1/invoices/{identifier}/lines",
    }
    return shown
