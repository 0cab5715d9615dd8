"""What money that came or went back makes of an invoice."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from apps.audit.services import Severity
from apps.core import events
from apps.core.actor import Actor
from apps.core.clock import today_in
from apps.core.tenants import current_tenant_id
from apps.invoices import bookkeeping, trail
from apps.invoices.events import InvoicePartiallyPaid, InvoiceReopened
from apps.invoices.lifecycle import publish_paid
from apps.invoices.locking import lock_invoice
from apps.invoices.models import Invoice, InvoiceStatus, Settlement, SettlementKind
from apps.tenancy import selectors as tenancy
from apps.tenancy.selectors import TenantView

_VERBS = {
    SettlementKind.PAYMENT: "receive_payment",
    SettlementKind.REFUND: "refund",
    SettlementKind.REFUND_FAILED: "return_refund",
}


def settle(
    *,
    actor: Actor,
    invoice_id: UUID,
    kind: SettlementKind,
    payment_id: UUID,
    refund_id: UUID | None = None,
    amount_minor: int,
    currency: str,
    settled_at: datetime,
) -> None:
    """Count money that came, went back, or came back after all, towards an invoice; the same fact twice is one.

    Paid in full it is PAID; a refund makes it OPEN again; a written-off invoice is written off by less. Money for
    a void invoice is kept as a surplus, to be refunded.

    Raises:
        InvoiceNotFound: there is no such invoice.
        ValueError: the money is in another currency than the invoice.
    """
    with transaction.atomic():
        invoice = lock_invoice(invoice_id)
        if currency != invoice.currency:
            raise ValueError(f"Payment {payment_id} is in {currency}, invoice {invoice.number} in {invoice.currency}.")
        moved = -amount_minor if kind is SettlementKind.REFUND else amount_minor
        row = Settlement(
            invoice=invoice,
            kind=kind,
            payment_id=payment_id,
            refund_id=refund_id,
            amount_minor=moved,
            currency=currency,
            settled_at=settled_at,
        )
        if not _count(row):
            return
        before = trail.invoice_state(invoice)
        was = invoice.status
        invoice.paid_minor = int(invoice.settlements.aggregate(sum=Sum("amount_minor", default=0))["sum"])
        _move(invoice, settled_at)
        tenant = tenancy.tenant_by_id(current_tenant_id())
        _book_loss(actor, invoice, row, today_in(tenant.time_zone, now=settled_at))
        invoice.version += 1
        invoice.save()
        trail.record_invoice(
            actor,
            _VERBS[kind],
            invoice,
            before=before,
            severity=Severity.HIGH if was == InvoiceStatus.VOID else Severity.INFO,
            payment_id=payment_id,
            amount_minor=amount_minor,
            currency=currency,
        )
        _tell(invoice, tenant, was=was, moved_minor=moved)


def _count(row: Settlement) -> bool:
    fact = {"refund_id": row.refund_id} if row.refund_id else {"payment_id": row.payment_id}
    # The invoice is locked, and a payment belongs to one invoice: nobody else can write the same fact now.
    if Settlement.objects.filter(kind=row.kind, **fact).exists():
        return False
    row.save(force_insert=True)
    return True


def _move(invoice: Invoice, settled_at: datetime) -> None:
    if invoice.status == InvoiceStatus.VOID:
        return
    if invoice.paid_minor >= invoice.total_minor:
        if invoice.status != InvoiceStatus.PAID:
            invoice.status, invoice.paid_at = InvoiceStatus.PAID, settled_at
    elif invoice.status == InvoiceStatus.PAID:
        invoice.status, invoice.paid_at = InvoiceStatus.OPEN, None


def _book_loss(actor: Actor, invoice: Invoice, row: Settlement, day: date) -> None:
    lost = invoice.due_minor if invoice.status == InvoiceStatus.UNCOLLECTIBLE else 0
    cause = f"{row.kind.lower()}:{row.refund_id or row.payment_id}"
    bookkeeping.set_written_off(actor, invoice, lost, cause=cause, occurred_on=day)


def _tell(invoice: Invoice, tenant: TenantView, *, was: str, moved_minor: int) -> None:
    if invoice.status == InvoiceStatus.PAID and was != InvoiceStatus.PAID:
        publish_paid(invoice, tenant)
    elif invoice.status != InvoiceStatus.PAID and was == InvoiceStatus.PAID:
        events.publish(InvoiceReopened(**trail.event_fields(invoice)))
    elif moved_minor > 0 and invoice.due_minor:
        events.publish(InvoicePartiallyPaid(**trail.event_fields(invoice), paid_minor=invoice.paid_minor))
