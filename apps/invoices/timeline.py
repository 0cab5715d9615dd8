"""What happened to one invoice, read off the audit trail and its document."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.audit import selectors as audit
from apps.iam import selectors as iam
from apps.invoices.models import DocumentStatus, Invoice, InvoiceDocument

_KINDS = {
    "invoices.invoice.create": "created",
    "invoices.invoice.duplicate": "created",
    "invoices.invoice.update": "updated",
    "invoices.invoice.finalize": "finalized",
    "invoices.invoice.send": "sent",
    "invoices.invoice.view": "viewed",
    "invoices.invoice.receive_payment": "payment_received",
    "invoices.invoice.refund": "refunded",
    "invoices.invoice.return_refund": "refund_returned",
    "invoices.invoice.void": "voided",
    "invoices.invoice.write_off": "uncollectible",
}


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened. `kind` is one of the values of ``_KINDS`` or ``document_ready``.

    `detail` holds what the text needs: ``to_email`` of sent, ``amount_minor`` and ``currency`` of money.
    """

    kind: str
    at: datetime
    actor_kind: str
    actor_name: str
    detail: dict[str, Any]


def timeline_of(invoice: Invoice, tenant_id: UUID) -> list[TimelineEntry]:
    """Newest first; the caller has checked that the invoice may be seen."""
    history = audit.entity_history(tenant_id=tenant_id, entity_type="invoice", entity_id=invoice.id)
    shown = [entry for entry in history if entry.action in _KINDS]
    # The trail keeps addresses, by which people are searched; readers know each other by name.
    names = iam.names_of({entry.actor_id for entry in shown if entry.actor_id})
    entries = [
        TimelineEntry(
            _KINDS[entry.action],
            entry.occurred_at,
            entry.actor_kind,
            names.get(entry.actor_id, entry.actor_name) if entry.actor_id else entry.actor_name,
            _detail(entry.after),
        )
        for entry in shown
    ]
    document = InvoiceDocument.objects.filter(invoice=invoice, status=DocumentStatus.READY).first()
    if document and document.ready_at:
        entries.append(TimelineEntry("document_ready", document.ready_at, "SYSTEM", "", {}))
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _detail(after: Any) -> dict[str, Any]:
    wanted = ("to_email", "amount_minor", "currency", "number", "status", "written_off_minor")
    return {name: after[name] for name in wanted if name in after} if isinstance(after, dict) else {}
