"""What the invoices app does when something happened below it, and what its own issuing sets off."""

from apps.core.actor import system
from apps.core.clock import utcnow
from apps.core.events import subscribe
from apps.core.jobs import wake
from apps.invoices import services, tasks
from apps.invoices.events import InvoiceFinalized
from apps.invoices.lifecycle import PURPOSE
from apps.payments.events import PaymentRefunded, PaymentSucceeded, RefundFailed


@subscribe(InvoiceFinalized)
def wake_typesetting(event: InvoiceFinalized) -> None:
    """The PDF is owed; its row was written with the invoice."""
    wake(tasks.render_document, event.tenant_id, services.document_for(invoice_id=event.invoice_id))


@subscribe(PaymentSucceeded)
def count_payment(event: PaymentSucceeded) -> None:
    """Money came for an invoice."""
    if event.purpose != PURPOSE:
        return
    services.settle(
        actor=system(event.tenant_id),
        invoice_id=event.purpose_id,
        kind=services.SettlementKind.PAYMENT,
        payment_id=event.payment_id,
        amount_minor=event.amount_minor,
        currency=event.currency,
        settled_at=event.succeeded_at,
    )


@subscribe(PaymentRefunded)
def count_refund(event: PaymentRefunded) -> None:
    """Money of an invoice went back."""
    if event.purpose != PURPOSE:
        return
    services.settle(
        actor=system(event.tenant_id),
        invoice_id=event.purpose_id,
        kind=services.SettlementKind.REFUND,
        payment_id=event.payment_id,
        refund_id=event.refund_id,
        amount_minor=event.amount_minor,
        currency=event.currency,
        settled_at=utcnow(),
    )


@subscribe(RefundFailed)
def count_returned_refund(event: RefundFailed) -> None:
    """A refund came back from the customer's bank: the invoice is paid by that much again."""
    if event.purpose != PURPOSE:
        return
    services.settle(
        actor=system(event.tenant_id),
        invoice_id=event.purpose_id,
        kind=services.SettlementKind.REFUND_FAILED,
        payment_id=event.payment_id,
        refund_id=event.refund_id,
        amount_minor=event.amount_minor,
        currency=event.currency,
        settled_at=utcnow(),
    )
