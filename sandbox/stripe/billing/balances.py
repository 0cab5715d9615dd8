"""The customer's balance: credit (negative) or debt that the next invoices settle, and its ledger.

Source: https://docs.stripe.com/api/customer_balance_transactions.
"""

from __future__ import annotations

from sandbox.stripe.calls import Work
from sandbox.stripe.events import emit
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.shapes import JsonObject

KIND = "customer_balance_transaction"


def move(
    work: Work,
    customer: JsonObject,
    amount: int,
    currency: str,
    *,
    type: str,
    invoice: str | None = None,
    description: str | None = None,
    metadata: JsonObject | None = None,
) -> JsonObject:
    """Add `amount` minor units to the customer's balance, store and tell the entry; return it."""
    before = dict(customer)
    customer["balance"] += amount
    customer["currency"] = customer["currency"] or currency
    entry: JsonObject = {
        "id": new_id("cbtxn_"),
        "object": KIND,
        "amount": amount,
        "checkout_session": None,
        "created": work.now,
        "credit_note": None,
        "currency": currency,
        "customer": customer["id"],
        "customer_account": None,
        "description": description,
        "ending_balance": customer["balance"],
        "invoice": invoice,
        "livemode": False,
        "metadata": metadata or {},
        "type": type,
    }
    work.objects.insert(entry)
    work.objects.replace(customer)
    emit(work, "customer.updated", customer, before=before)
    return entry
