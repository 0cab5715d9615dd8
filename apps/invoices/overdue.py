"""Telling that the due date of an invoice has passed: nobody does anything at that moment, so a sweep looks."""

from datetime import datetime

from django.db import transaction

from apps.core import events
from apps.core.clock import today_in, utcnow
from apps.invoices import filtering, trail
from apps.invoices.events import InvoiceOverdue
from apps.invoices.models import Invoice
from apps.tenancy import selectors as tenancy

BATCH = 100


def tell_overdue(*, now: datetime | None = None) -> int:
    """Tell once of each invoice of the current tenant that is overdue; returns how many are new.

    Each hundred in a transaction of its own. What was reopened after it had been told is not told again.
    """
    moment, told = now or utcnow(), 0
    while found := _tell_some(moment):
        told += found
    return told


def _tell_some(now: datetime) -> int:
    with transaction.atomic():
        today = today_in(tenancy.current_tenant().time_zone, now=now)
        late = Invoice.objects.filter(filtering.condition("overdue", today=today), overdue_at=None)
        rows = list(
            late.select_for_update(skip_locked=True, of=("self",)).select_related("client").order_by("due_date")[:BATCH]
        )
        # Not a change that anybody made: the version that people edit stays.
        Invoice.objects.filter(pk__in=[row.pk for row in rows]).update(overdue_at=now)
        for row in rows:
            events.publish(InvoiceOverdue(**trail.event_fields(row)))
        return len(rows)
