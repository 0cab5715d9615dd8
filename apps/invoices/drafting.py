"""Writing drafts: creating, changing, deleting and copying invoices that nobody owes yet."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, TypedDict
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import events, versions
from apps.core.actor import Actor
from apps.core.clock import today_in
from apps.core.errors import ValidationFailed
from apps.core.tenants import current_tenant_id
from apps.invoices import draft_rules, states, totals, trail
from apps.invoices.draft_rules import LineInput
from apps.invoices.errors import ClientDeleted, ClientNotFound
from apps.invoices.events import InvoiceCreated
from apps.invoices.locking import lock_invoice
from apps.invoices.models import Client, Invoice, InvoiceLine, TaxTotal
from apps.invoices.projections import InvoiceView
from apps.invoices.selectors import invoice_view
from apps.tenancy import brands
from apps.tenancy import selectors as tenancy


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftInput:
    """A whole draft. Without `issue_date` the day of finalizing counts, without `brand_id` the default brand then."""

    client_id: UUID
    currency: str
    due_date: date
    lines: tuple[LineInput, ...]
    issue_date: date | None = None
    discount_minor: int = 0
    notes: str = ""
    brand_id: UUID | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


class DraftChanges(TypedDict, total=False):
    """What may be changed of a draft; what is left out stays. `lines` replaces all of them."""

    client_id: UUID
    currency: str
    due_date: date
    lines: tuple[LineInput, ...]
    issue_date: date | None
    discount_minor: int
    notes: str
    brand_id: UUID | None
    metadata: dict[str, Any]


def create_invoice(*, actor: Actor, draft: DraftInput) -> InvoiceView:
    """Write a draft with its totals.

    Raises:
        PermissionRefused: the actor lacks ``invoices:write``.
        ClientNotFound: the client is unknown or deleted.
        ValidationFailed: a value breaks a rule; paths lead into the lines.
    """
    actor.require("invoices:write")
    with transaction.atomic():
        invoice = _write(Invoice(), draft)
        trail.record_invoice(actor, "create", invoice, after=_state(invoice))
        events.publish(InvoiceCreated(**trail.event_fields(invoice)))
        return invoice_view(invoice_id=invoice.id)


def update_invoice(
    *, actor: Actor, invoice_id: UUID, changes: DraftChanges, expected: versions.Expected = None
) -> InvoiceView:
    """Change a draft and its totals.

    Raises:
        InvoiceNotFound: unknown, or another tenant's.
        IllegalState: it is no draft any more.
        VersionConflict: its version is not among `expected`.
        ClientNotFound: the new client is unknown or deleted.
        ValidationFailed: a value breaks a rule.
    """
    actor.require("invoices:write")
    with transaction.atomic():
        invoice = lock_invoice(invoice_id)
        states.check(invoice, states.EDIT)
        versions.require(expected, str(invoice.version))
        before = _state(invoice)
        _write(invoice, replace(_read(invoice), **changes))
        after = _state(invoice)
        if after != before:
            trail.record_invoice(actor, "update", invoice, before=before, after=after)
        return invoice_view(invoice_id=invoice.id)


def delete_invoice(*, actor: Actor, invoice_id: UUID, expected: versions.Expected = None) -> None:
    """Throw a draft away; the audit trail keeps what it was.

    Raises:
        InvoiceNotFound: unknown, or another tenant's.
        IllegalState: it is no draft any more.
        VersionConflict: its version is not among `expected`.
    """
    actor.require("invoices:write")
    with transaction.atomic():
        invoice = lock_invoice(invoice_id)
        states.check(invoice, states.DELETE)
        versions.require(expected, str(invoice.version))
        trail.record_invoice(actor, "delete", invoice, before=_state(invoice), after={"deleted": True})
        invoice.delete()


def duplicate_invoice(*, actor: Actor, invoice_id: UUID, now: datetime | None = None) -> InvoiceView:
    """A new draft with the same client and lines, due after as many days as the original was.

    Raises:
        InvoiceNotFound: unknown, or another tenant's.
        ClientDeleted: the client is not on the list any more.
    """
    actor.require("invoices:write")
    with transaction.atomic():
        original = lock_invoice(invoice_id)
        if original.client.deleted_at:
            raise ClientDeleted
        today = today_in(tenancy.tenant_by_id(current_tenant_id()).time_zone, now=now)
        term = original.due_date - (original.issue_date or original.created_at.date())
        due = today + max(term, timedelta())
        brand_id = original.brand_id if _is_brand(original.brand_id) else None
        draft = replace(_read(original), issue_date=None, due_date=due, brand_id=brand_id)
        copy = _write(Invoice(), draft)
        trail.record_invoice(actor, "duplicate", copy, after=_state(copy), original_id=original.id)
        events.publish(InvoiceCreated(**trail.event_fields(copy)))
        return invoice_view(invoice_id=copy.id)


def _read(invoice: Invoice) -> DraftInput:
    return DraftInput(
        client_id=invoice.client_id,
        currency=invoice.currency,
        due_date=invoice.due_date,
        issue_date=invoice.issue_date,
        discount_minor=invoice.discount_minor,
        notes=invoice.notes,
        brand_id=invoice.brand_id,
        metadata=invoice.metadata,
        lines=tuple(
            LineInput(
                description=line.description,
                quantity=line.quantity,
                unit_price_minor=line.unit_price_minor,
                tax_rate=line.tax_rate,
                item_type=line.item_type,
                discount_minor=line.discount_minor,
            )
            for line in _lines(invoice)
        ),
    )


def _write(invoice: Invoice, draft: DraftInput) -> Invoice:
    invoice.client = _client_for(invoice, draft.client_id)
    draft_rules.check(draft)
    # A draft may name a brand that was deleted since: it is issued with the default one.
    if draft.brand_id != invoice.brand_id and not _is_brand(draft.brand_id):
        raise ValidationFailed.one("brand_id", "not_found", _("This brand is not one of yours."))
    sums = _sums(draft)
    invoice.currency, invoice.issue_date, invoice.due_date = draft.currency, draft.issue_date, draft.due_date
    invoice.notes, invoice.metadata = draft.notes.strip(), draft.metadata
    invoice.brand_id = draft.brand_id
    invoice.subtotal_minor, invoice.discount_minor = sums.subtotal_minor, sums.discount_minor
    invoice.tax_minor, invoice.total_minor = sums.tax_minor, sums.total_minor
    if not invoice._state.adding:
        invoice.version += 1
        invoice.lines.all().delete()
        invoice.tax_totals.all().delete()
    invoice.save()
    _write_lines(invoice, draft, sums)
    return invoice


def _client_for(invoice: Invoice, client_id: UUID) -> Client:
    client = Client.objects.filter(pk=client_id).first()
    # A draft may stay with a client that was deleted since; finalizing it is refused.
    if client is None or (client.deleted_at and (invoice._state.adding or client.pk != invoice.client_id)):
        raise ClientNotFound
    return client


def _sums(draft: DraftInput) -> totals.Totals:
    priced = [
        totals.PricedLine(line.quantity, line.unit_price_minor, line.tax_rate, line.discount_minor)
        for line in draft.lines
    ]
    return totals.compute(priced, discount_minor=draft.discount_minor)


def _write_lines(invoice: Invoice, draft: DraftInput, sums: totals.Totals) -> None:
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice,
            position=position,
            description=line.description.strip(),
            item_type=line.item_type,
            quantity=line.quantity,
            unit_price_minor=line.unit_price_minor,
            tax_rate=line.tax_rate,
            discount_minor=line.discount_minor,
            net_minor=net,
        )
        for position, (line, net) in enumerate(zip(draft.lines, sums.nets, strict=True), start=1)
    )
    TaxTotal.objects.bulk_create(
        TaxTotal(invoice=invoice, rate=group.rate, base_minor=group.base_minor, tax_minor=group.tax_minor)
        for group in sums.tax_groups
    )


def _is_brand(brand_id: UUID | None) -> bool:
    return brand_id is None or brands.brand_exists(tenant_id=current_tenant_id(), brand_id=brand_id)


def _lines(invoice: Invoice) -> list[InvoiceLine]:
    return list(invoice.lines.order_by("position"))


def _state(invoice: Invoice) -> dict[str, Any]:
    return trail.invoice_state(invoice, _lines(invoice))
