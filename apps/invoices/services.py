"""The verbs of the invoices app: everything that others may have done to clients and invoices."""

from apps.invoices.clients import ClientChanges, create_client, delete_client, update_client
from apps.invoices.collecting import pay_by_link, pay_invoice, record_manual_payment
from apps.invoices.draft_rules import LineInput
from apps.invoices.drafting import (
    DraftChanges,
    DraftInput,
    create_invoice,
    delete_invoice,
    duplicate_invoice,
    update_invoice,
)
from apps.invoices.lifecycle import (
    finalize_invoice,
    mark_uncollectible,
    record_view,
    send_invoice,
    void_invoice,
)
from apps.invoices.models import SettlementKind
from apps.invoices.overdue import tell_overdue
from apps.invoices.rendering import document_for, ensure_document, render_document, render_due_documents
from apps.invoices.settling import settle
from apps.invoices.totals import PricedLine, Totals, compute

__all__ = [
    "ClientChanges",
    "DraftChanges",
    "DraftInput",
    "LineInput",
    "PricedLine",
    "SettlementKind",
    "Totals",
    "compute",
    "create_client",
    "create_invoice",
    "delete_client",
    "delete_invoice",
    "document_for",
    "duplicate_invoice",
    "ensure_document",
    "finalize_invoice",
    "mark_uncollectible",
    "pay_by_link",
    "pay_invoice",
    "record_manual_payment",
    "record_view",
    "render_document",
    "render_due_documents",
    "send_invoice",
    "settle",
    "tell_overdue",
    "update_client",
    "update_invoice",
    "void_invoice",
]
