"""Making the PDF that an issued invoice owes: claim, typeset outside any transaction, store, note.

The row is the truth. A claim is a lease: `next_attempt_at` moves ahead, so that a worker which dies leaves a row
that the sweep takes up again. The file's name is its digest, so storing twice is storing once.
"""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from apps.core.clock import utcnow
from apps.core.tenants import assert_no_transaction, current_tenant_id
from apps.invoices import documents
from apps.invoices.errors import DocumentNotReady, InvoiceNotFound
from apps.invoices.models import DocumentStatus, Invoice, InvoiceDocument
from apps.invoices.selectors import invoice_view

logger = structlog.get_logger(__name__)

MAX_ATTEMPTS = 8
LEASE = timedelta(minutes=2)
FIRST_DELAY, LONGEST_DELAY = timedelta(seconds=10), timedelta(hours=1)


def render_document(*, document_id: UUID, now: datetime | None = None) -> bool:
    """Make one PDF if it is owed and nobody else is at it; returns whether it is there now.

    Never raises for a document that cannot be made: the failure is noted in its row and tried again later.
    """
    assert_no_transaction("Typesetting an invoice")
    now = now or utcnow()
    claimed = _claim(document_id, now)
    if claimed is None:
        return False
    try:
        _make(claimed.invoice_id)
    except Exception as error:
        # Whatever it is, it belongs to this one row: the sweep must get to the next.
        logger.exception("invoices.document_failed", document=str(document_id), attempt=claimed.attempts)
        _note_failure(claimed, error, now)
        return False
    return True


def render_due_documents(*, limit: int = 100, now: datetime | None = None) -> int:
    """Make what a lost hint, a failure or a dead worker left; returns how many."""
    now = now or utcnow()
    with transaction.atomic():
        owed = InvoiceDocument.objects.filter(status=DocumentStatus.PENDING, next_attempt_at__lte=now)
        due = list(owed.order_by("next_attempt_at").values_list("pk", flat=True)[:limit])
    return sum(render_document(document_id=document_id, now=now) for document_id in due)


def ensure_document(*, invoice_id: UUID) -> bytes:
    """The PDF, made now if the queue has not come to it or the storage lost it.

    Opens transactions of its own. Whoever calls has checked that the reader may see the invoice.

    Raises:
        InvoiceNotFound: there is no such invoice.
        DocumentNotReady: it is still a draft.
    """
    assert_no_transaction("Typesetting an invoice")
    with transaction.atomic():
        if not Invoice.objects.filter(pk=invoice_id).exists():
            raise InvoiceNotFound
        document = InvoiceDocument.objects.filter(invoice_id=invoice_id).first()
    if document is None:
        raise DocumentNotReady
    if document.status == DocumentStatus.READY:
        try:
            with default_storage.open(document.storage_key) as stored:
                return bytes(stored.read())
        except FileNotFoundError:
            logger.warning("invoices.document_lost", invoice=str(invoice_id), key=document.storage_key)
    return _make(invoice_id)


def document_for(*, invoice_id: UUID) -> UUID | None:
    """The id of the PDF that an invoice owes, for waking the queue."""
    return InvoiceDocument.objects.filter(invoice_id=invoice_id).values_list("pk", flat=True).first()


def _claim(document_id: UUID, now: datetime) -> InvoiceDocument | None:
    with transaction.atomic():
        owed = InvoiceDocument.objects.select_for_update(skip_locked=True).filter(
            pk=document_id, status=DocumentStatus.PENDING, next_attempt_at__lte=now
        )
        document = owed.first()
        if document is None:
            return None
        document.attempts += 1
        document.next_attempt_at = now + LEASE
        document.save(update_fields=["attempts", "next_attempt_at"])
        return document


def _make(invoice_id: UUID) -> bytes:
    with transaction.atomic():
        invoice = invoice_view(invoice_id=invoice_id)
    content = documents.typeset(invoice)
    digest = hashlib.sha256(content).hexdigest()
    key = f"tenants/{current_tenant_id()}/invoices/{invoice_id}/{digest}.pdf"
    stored_as = default_storage.save(key, ContentFile(content))
    with transaction.atomic():
        InvoiceDocument.objects.filter(invoice_id=invoice_id).update(
            status=DocumentStatus.READY,
            storage_key=stored_as,
            sha256=digest,
            size=len(content),
            ready_at=utcnow(),
            next_attempt_at=None,
            last_error="",
        )
    return content


def _note_failure(claimed: InvoiceDocument, error: Exception, now: datetime) -> None:
    final = claimed.attempts >= MAX_ATTEMPTS
    delay = min(FIRST_DELAY * 4 ** (claimed.attempts - 1), LONGEST_DELAY)
    with transaction.atomic():
        InvoiceDocument.objects.filter(pk=claimed.pk, status=DocumentStatus.PENDING, attempts=claimed.attempts).update(
            status=DocumentStatus.FAILED if final else DocumentStatus.PENDING,
            next_attempt_at=None if final else now + delay,
            last_error=f"{type(error).__name__}: {error}"[:500],
        )
