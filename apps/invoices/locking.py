"""Taking hold of an invoice for a change."""

from uuid import UUID

from apps.invoices.errors import InvoiceNotFound
from apps.invoices.models import Invoice


def lock_invoice(invoice_id: UUID) -> Invoice:
    """The invoice, with its client, locked until the transaction ends.

    Raises:
        InvoiceNotFound: unknown, or another tenant's.
    """
    rows = Invoice.objects.select_for_update(of=("self",)).select_related("client")
    invoice = rows.filter(pk=invoice_id).first()
    if invoice is None:
        raise InvoiceNotFound
    return invoice
