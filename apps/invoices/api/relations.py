"""What comes along with invoices and payments on request (``expand``)."""

from typing import Any
from uuid import UUID

from apps.core.actor import Actor
from apps.core.rest.listing import Expansion, Row
from apps.invoices import selectors
from apps.invoices.api.presenters import present_client_fields, present_invoice, present_payment
from apps.invoices.lifecycle import PURPOSE
from apps.payments import selectors as payments


def _clients(actor: Actor, ids: list[UUID]) -> dict[UUID, Row]:
    found = selectors.clients_by_ids(actor=actor, client_ids=ids)
    return {client_id: present_client_fields(client) for client_id, client in found.items()}


def _payments(actor: Actor, ids: list[UUID]) -> dict[UUID, list[Row]]:
    found = payments.payments_by_purpose_ids(actor=actor, purpose=PURPOSE, purpose_ids=ids)
    return {invoice_id: [present_payment(payment) for payment in made] for invoice_id, made in found.items()}


def _invoices(actor: Actor, ids: list[UUID]) -> dict[UUID, Row]:
    found = selectors.invoices_by_ids(actor=actor, invoice_ids=ids)
    return {invoice_id: present_invoice(invoice) for invoice_id, invoice in found.items()}


def _paid_invoice(payment: Row) -> Any:
    return payment["purpose_id"] if payment["purpose"] == PURPOSE else None


CLIENT = Expansion(
    "client", "`client`: all of the client as it is now, without balances.", lambda row: row["client"]["id"], _clients
)
PAYMENTS = Expansion("payments", "`payments`: those of the invoice, newest first.", lambda row: row["id"], _payments)
# Payments stand below invoices and know nothing of them, so the routes bring the two together.
INVOICE_OF_PAYMENT = Expansion(
    "invoice", "`invoice`: the invoice that was paid, as in its list.", _paid_invoice, _invoices
)
