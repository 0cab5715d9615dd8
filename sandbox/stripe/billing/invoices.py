"""Invoices from draft to the end of their life; how they are paid is told in `collection`.

Source: https://docs.stripe.com/invoicing/overview.
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.stripe.billing import agenda, balances, discounts, lines
from sandbox.stripe.billing.calendar import DAY, HOUR
from sandbox.stripe.billing.totals import total_up
from sandbox.stripe.calls import Work
from sandbox.stripe.configuration import ACCOUNT_NAME
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.identifiers import new_id, token
from sandbox.stripe.objects import equals, owned_by
from sandbox.stripe.pagination import listing
from sandbox.stripe.shapes import JsonObject

KIND = "invoice"
SHOWN_LINES = 10


def new_invoice(
    work: Work,
    customer: JsonObject,
    *,
    currency: str,
    reason: str,
    given: JsonObject,
    subscription: JsonObject | None = None,
    period: tuple[int, int] | None = None,
    auto_advance: bool = False,
    identifier: str | None = None,
) -> JsonObject:
    """Return a draft, not yet stored; `given` holds what the caller may set."""
    start, end = period or (work.now, work.now)
    parent = None
    if subscription is not None:
        details = {"metadata": subscription["metadata"], "subscription": subscription["id"]}
        parent = {"quote_details": None, "subscription_details": details, "type": "subscription_details"}
    invoice_id = identifier or new_id("in_")
    return {
        "id": invoice_id,
        "object": KIND,
        "account_country": "DE",
        "account_name": ACCOUNT_NAME,
        "account_tax_ids": None,
        "amount_due": 0,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_remaining": 0,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": auto_advance,
        "automatic_tax": {
            "disabled_reason": None, "enabled": False, "liability": None, "provider": None, "status": None,
        },
        "automatically_finalizes_at": work.now + HOUR if auto_advance else None,
        "billing_reason": reason,
        "collection_method": given.get("collection_method", "charge_automatically"),
        "created": work.now,
        "currency": currency,
        "custom_fields": given.get("custom_fields"),
        "customer": customer["id"],
        "customer_account": None,
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": customer["shipping"],
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [
            {"type": tax_id["type"], "value": tax_id["value"]}
            for tax_id in work.objects.select("tax_id", [equals("customer", customer["id"])], ascending=True)
        ],
        "default_payment_method": given.get("default_payment_method"),
        "default_source": None,
        "default_tax_rates": given.get("default_tax_rates") or [],
        "description": given.get("description"),
        "discounts": [],
        "due_date": given.get("due_date"),
        "effective_at": None,
        "ending_balance": None,
        "footer": given.get("footer", customer["invoice_settings"]["footer"]),
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": listing([], url=f"/v1/invoices/{invoice_id}/lines"),
        "livemode": False,
        "metadata": given.get("metadata") or {},
        "next_payment_attempt": None,
        "number": None,
        "on_behalf_of": None,
        "parent": parent,
        "payment_settings": {
            "default_mandate": None, "payment_method_options": None, "payment_method_types": None,
        },
        "period_end": end,
        "period_start": start,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": given.get("statement_descriptor"),
        "status": "draft",
        "status_transitions": {
            "finalized_at": None, "marked_uncollectible_at": None, "paid_at": None, "voided_at": None,
        },
        "subtotal": 0,
        "subtotal_excluding_tax": 0,
        "test_clock": customer["test_clock"],
        "total": 0,
        "total_discount_amounts": [],
        "total_excluding_tax": 0,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": work.now,
    }  # fmt: skip


def subscription_of(invoice: JsonObject) -> str | None:
    """Return the identifier of the subscription that the invoice is for."""
    parent = invoice["parent"]
    return parent["subscription_details"]["subscription"] if parent else None


def store(work: Work, invoice: JsonObject) -> None:
    """Store the invoice and when it is due for something."""
    agenda.keep(work, invoice, _due(work, invoice))


def _due(work: Work, invoice: JsonObject) -> int | None:
    due: int | None = None
    if invoice["status"] == "draft":
        due = invoice["automatically_finalizes_at"] if invoice["auto_advance"] else None
    elif invoice["status"] == "open":
        overdue = invoice["due_date"] if not work.objects.hidden(invoice["id"]).get("overdue") else None
        known = [instant for instant in (invoice["next_payment_attempt"], overdue) if instant is not None]
        due = min(known, default=None)
    return due


def pending_items(work: Work, customer: str, currency: str, subscription: str | None) -> list[JsonObject]:
    """Return the items without an invoice that the next invoice for the subscription (or for none) takes in."""
    found = work.objects.select(
        lines.ITEM, [equals("customer", customer), equals("currency", currency), owned_by("")], ascending=True
    )
    chosen = []
    for item in found:
        details = (item["parent"] or {}).get("subscription_details", {})
        if details.get("subscription") == subscription or (subscription and item["parent"] is None):
            chosen.append(item)
    return chosen


def insert_lines(work: Work, invoice: JsonObject, drafts: Sequence[JsonObject], items: Sequence[JsonObject]) -> None:
    """Store lines of the draft: those given, and one for every item, which then belongs to the invoice."""
    for item in items:
        item["invoice"] = invoice["id"]
        work.objects.replace(item)
        work.objects.hide(item["id"], owner=invoice["id"])
    for line in [*[lines.line_of_item(item) for item in items], *drafts]:
        line["invoice"] = invoice["id"]
        work.objects.insert_part(line, owner=invoice["id"], created=work.now)


def lines_of(work: Work, invoice: JsonObject) -> list[JsonObject]:
    """Return all lines, oldest first."""
    return work.objects.select(lines.LINE, [owned_by(invoice["id"])], ascending=True)


def refresh(work: Work, invoice: JsonObject) -> None:
    """Compute the totals of a draft anew and store it with its lines."""
    own = lines_of(work, invoice)
    compute(work, invoice, own)
    for line in own:
        work.objects.replace(line)
    store(work, invoice)


def compute(work: Work, invoice: JsonObject, own: list[JsonObject]) -> None:
    """Set discounts, taxes and totals of the invoice and its lines without storing them."""
    customer = work.require("customer", invoice["customer"], param="customer")
    total_up(
        invoice,
        own,
        reductions=discounts.reductions_of(work, invoice["discounts"], invoice["currency"]),
        rates={line["id"]: _rates_of(work, invoice, line) for line in own},
        balance=customer["balance"],
    )
    invoice["lines"] = listing(
        own[:SHOWN_LINES], url=f"/v1/invoices/{invoice['id']}/lines", has_more=len(own) > SHOWN_LINES
    )


def _rates_of(work: Work, invoice: JsonObject, line: JsonObject) -> list[JsonObject]:
    parent = line["parent"]
    details = parent[parent["type"]]
    if details.get("invoice_item"):
        item = work.objects.get(lines.ITEM, details["invoice_item"])
        if item is not None and item["tax_rates"]:
            return list(item["tax_rates"])
    if details.get("subscription_item"):
        item = work.objects.get("subscription_item", details["subscription_item"])
        if item is not None and item["tax_rates"]:
            return list(item["tax_rates"])
    return list(invoice["default_tax_rates"])


def require_status(invoice: JsonObject, allowed: Sequence[str], action: str) -> None:
    """Raise InvalidRequest unless the invoice has one of the statuses."""
    if invoice["status"] not in allowed:
        raise InvalidRequest(
            f"You can only {action} an invoice that is {' or '.join(allowed)}; this one is {invoice['status']}.",
            code="invoice_not_editable" if invoice["status"] != "draft" else None,
        )


def issue(work: Work, invoice: JsonObject) -> None:
    """Turn a draft into a numbered, unchangeable document and settle the customer's balance with it.

    Raises: InvalidRequest when it is not a draft, or nothing is on it.
    """
    require_status(invoice, ("draft",), "finalize")
    refresh(work, invoice)
    customer = work.require("customer", invoice["customer"], param="customer")
    number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
    customer["next_invoice_sequence"] += 1
    customer["currency"] = customer["currency"] or invoice["currency"]
    work.objects.replace(customer)
    before = dict(invoice)
    key = f"test_{token(50)}"
    if invoice["collection_method"] == "send_invoice" and invoice["due_date"] is None:
        days = work.objects.hidden(invoice["id"]).get("days_until_due", 30)
        invoice["due_date"] = work.now + days * DAY
    invoice |= {
        "automatically_finalizes_at": None,
        "effective_at": work.now,
        "ending_balance": invoice["starting_balance"] + invoice["total"] - invoice["amount_due"],
        "hosted_invoice_url": f"{work.base_url}/i/{invoice['id']}/{key}",
        "invoice_pdf": f"{work.base_url}/i/{invoice['id']}/{key}/pdf",
        "number": invoice["number"] or number,
        "status": "open",
        "status_transitions": invoice["status_transitions"] | {"finalized_at": work.now},
    }
    moved = invoice["ending_balance"] - invoice["starting_balance"]
    if moved:
        too_small = invoice["amount_due"] == 0 and invoice["ending_balance"] > 0
        kind = "invoice_too_small" if too_small else "applied_to_invoice"
        balances.move(work, customer, moved, invoice["currency"], type=kind, invoice=invoice["id"])
    store(work, invoice)
    emit(work, "invoice.finalized", invoice)
    emit(work, "invoice.updated", invoice, before=before)


def void(work: Work, invoice: JsonObject) -> None:
    """Declare the invoice null; what it took from the customer's balance is given back.

    Raises: InvalidRequest unless it is open or uncollectible.
    """
    require_status(invoice, ("open", "uncollectible"), "void")
    _end(work, invoice, "void", "voided_at")
    moved = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
    if moved:
        customer = work.objects.get("customer", invoice["customer"])
        if customer is not None:
            balances.move(
                work, customer, -moved, invoice["currency"], type="unapplied_from_invoice", invoice=invoice["id"]
            )
    emit(work, "invoice.voided", invoice)


def mark_uncollectible(work: Work, invoice: JsonObject) -> None:
    """Give up hope of payment.

    Raises: InvalidRequest unless it is open.
    """
    require_status(invoice, ("open",), "mark as uncollectible")
    _end(work, invoice, "uncollectible", "marked_uncollectible_at")
    emit(work, "invoice.marked_uncollectible", invoice)


def _end(work: Work, invoice: JsonObject, status: str, transition: str) -> None:
    before = dict(invoice)
    invoice |= {
        "auto_advance": False,
        "next_payment_attempt": None,
        "status": status,
        "status_transitions": invoice["status_transitions"] | {transition: work.now},
    }
    store(work, invoice)
    emit(work, "invoice.updated", invoice, before=before)


def discard(work: Work, invoice: JsonObject) -> None:
    """Delete a draft and its lines; its items wait again when they came from elsewhere.

    Raises: InvalidRequest unless it is a draft that no subscription made.
    """
    require_status(invoice, ("draft",), "delete")
    if subscription_of(invoice) is not None:
        raise InvalidRequest("Drafts of a subscription cannot be deleted; finalize and void them instead.")
    for line in lines_of(work, invoice):
        work.objects.delete(line["id"])
    for item in work.objects.select(lines.ITEM, [owned_by(invoice["id"])]):
        item["invoice"] = None
        work.objects.replace(item)
        work.objects.hide(item["id"], owner="")
    work.objects.hide(invoice["id"], due=None)
    work.objects.delete(invoice["id"])
    emit(work, "invoice.deleted", invoice)
