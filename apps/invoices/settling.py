"""What money that came or went back makes of an invoice."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from apps.audit.models import Severity
from apps.core import events
from apps.core.actor import Actor
from apps.core.clock import today_in
from apps.core.tenants import current_tenant_id
from apps.invoices import bookkeeping, trail
from apps.invoices.events import InvoicePartiallyPaid, InvoiceReopened
from apps.invoices.lifecycle import publish_paid
from apps.invoices.locking import lock_invoice
from apps.invoices.models import Invoice, InvoiceStatus, Settlement
from apps.tenancy import selectors as tenancy


def settle(
    *,
    actor: Actor,
    invoice_id: UUID,
    payment_id: UUID,
    refund_id: UUID | None,
    amount_minor: int,
    currency: str,
    settled_at: datetime,
) -> None:
    """Count a payment (positive amount) or a refund (negative) towards an invoice; the same fact twice is one.

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
        if not _count(invoice, payment_id, refund_id, amount_minor, settled_at):
            return
        before = trail.invoice_state(invoice)
        was = invoice.status
        invoice.paid_minor = invoice.settlements.aggregate(sum=Sum("amount_minor", default=0))["sum"]
        _move(invoice, settled_at)
        tenant = tenancy.tenant_by_id(current_tenant_id())
        lost = invoice.due_minor if invoice.status == InvoiceStatus.UNCOLLECTIBLE else 0
        day = today_in(tenant.time_zone, now=settled_at)
        bookkeeping.set_written_off(actor, invoice, lost, cause=str(refund_id or payment_id), occurred_on=day)
        invoice.version += 1
        invoice.save()
        trail.record_invoice(
            actor,
            "refund" if refund_id else "receive_payment",
            invoice,
            before=before,
            severity=Severity.HIGH if was == InvoiceStatus.VOID else Severity.INFO,
            payment_id=payment_id,
            amount_minor=amount_minor,
            currency=currency,
        )
        if invoice.status == InvoiceStatus.PAID and was != InvoiceStatus.PAID:
            publish_paid(invoice, tenant)
        elif invoice.status != InvoiceStatus.PAID and was == InvoiceStatus.PAID:
            events.publish(InvoiceReopened(**trail.event_fields(invoice)))
        elif amount_minor > 0 and invoice.due_minor:
            events.publish(InvoicePartiallyPaid(**trail.event_fields(invoice), paid_minor=invoice.paid_minor))


def _count(invoice: Invoice, payment_id: UUID, refund_id: UUID | None, amount_minor: int, settled_at: datetime) -> bool:
    fact = {"refund_id": refund_id} if refund_id else {"payment_id": payment_id, "refund_id": None}
    # The invoice is locked, and a payment belongs to one invoice: nobody else can write the same fact now.
    if Settlement.objects.filter(**fact).exists():
        return False
    Settlement.objects.create(
        invoice=invoice,
        payment_id=payment_id,
        refund_id=refund_id,
        amount_minor=amount_minor,
        currency=invoice.currency,
        settled_at=settled_at,
    )
    return True


def _move(invoice: Invoice, settled_at: datetime) -> None:
    if invoice.status == InvoiceStatus.VOID:
        return
    if invoice.paid_minor >= invoice.total_minor:
        if invoice.status != InvoiceStatus.PAID:
            invoice.status, invoice.paid_at = InvoiceStatus.PAID, settled_at
    elif invoice.status == InvoiceStatus.PAID:
        invoice.status, invoice.paid_at = InvoiceStatus.OPEN, None
