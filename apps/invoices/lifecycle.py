"""Moving an invoice through its life: finalize, send, view, void, write off."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.audit.services import Severity
from apps.core import events, ids
from apps.core.actor import Actor, Origin, customer
from apps.core.clock import today_in, utcnow
from apps.core.tenants import current_tenant_id
from apps.invoices import bookkeeping, branding, numbering, projections, states, trail
from apps.invoices.errors import ClientDeleted, InvoiceNotFound, NoRecipient
from apps.invoices.events import (
    InvoiceFinalized,
    InvoiceMarkedUncollectible,
    InvoicePaid,
    InvoiceSent,
    InvoiceViewed,
    InvoiceVoided,
)
from apps.invoices.locking import lock_invoice
from apps.invoices.models import Invoice, InvoiceDocument, InvoiceStatus
from apps.invoices.projections import InvoiceView
from apps.invoices.selectors import invoice_view
from apps.payments import services as payments
from apps.tenancy import selectors as tenancy
from apps.tenancy import services as tenancy_services
from apps.tenancy.selectors import TenantView

LINK_KIND = "invoice.link"
# How payments name what they are for.
PURPOSE = "invoice"


def finalize_invoice(*, actor: Actor, invoice_id: UUID, now: datetime | None = None) -> InvoiceView:
    """Issue a draft: it gets its number, its link and its place in the books, and can no longer change.

    The issue date is the draft's own, otherwise today in the tenant's time zone; its year is the number's year. An
    invoice over zero is paid at once.

    Raises:
        InvoiceNotFound: unknown, or another tenant's.
        IllegalState: it is no draft any more.
        ClientDeleted: the client is not on the list any more.
    """
    actor.require("invoices:write")
    now = now or utcnow()
    with transaction.atomic():
        invoice = lock_invoice(invoice_id)
        states.check(invoice, states.FINALIZE)
        if invoice.client.deleted_at:
            raise ClientDeleted
        tenant = _tenant()
        before = trail.invoice_state(invoice)
        _freeze_parties(invoice, tenant)
        _give_link(invoice, tenant)
        InvoiceDocument.objects.create(invoice=invoice, next_attempt_at=now)
        issued_on = invoice.issue_date or today_in(tenant.time_zone, now=now)
        # Here, because everyone else who finalizes waits from this statement until the commit.
        number = numbering.take_next(issued_on.year)
        invoice.series, invoice.year, invoice.seq, invoice.number = (
            number.series, number.year, number.seq, number.text
        )  # fmt: skip
        invoice.issue_date, invoice.finalized_at = issued_on, now
        invoice.status, invoice.paid_at = InvoiceStatus.OPEN, None
        if invoice.total_minor == 0:
            invoice.status, invoice.paid_at = InvoiceStatus.PAID, now
        _save(invoice)
        bookkeeping.post_issued(actor, invoice)
        trail.record_invoice(actor, "finalize", invoice, before=before)
        events.publish(InvoiceFinalized(**trail.event_fields(invoice)))
        if invoice.status == InvoiceStatus.PAID:
            publish_paid(invoice, tenant)
        return invoice_view(invoice_id=invoice.id)


def send_invoice(*, actor: Actor, invoice_id: UUID, now: datetime | None = None) -> InvoiceView:
    """Have the invoice e-mailed to its client, with link and PDF. The client's present address is used.

    Raises:
        InvoiceNotFound: unknown, or another tenant's.
        IllegalState: a draft, void, written off, or paid after it was sent.
        NoRecipient: the client has no e-mail address.
    """
    actor.require("invoices:write")
    with transaction.atomic():
        invoice = lock_invoice(invoice_id)
        states.check(invoice, states.SEND)
        to_email = invoice.client.email or invoice.client_email
        if not to_email:
            raise NoRecipient(_("The client has no e-mail address; add one and send again."))
        tenant = _tenant()
        invoice.sent_at = now or utcnow()
        _save(invoice)
        trail.record_invoice(actor, "send", invoice, after={"sent_at": invoice.sent_at}, to_email=to_email)
        events.publish(
            InvoiceSent(
                **trail.event_fields(invoice),
                to_email=to_email,
                locale=invoice.locale,
                seller_name=invoice.seller_name,
                seller_email=invoice.seller_email,
                brand=branding.letterhead(invoice, tenant),
                due_date=invoice.due_date,
                hosted_url=branding.hosted_url(invoice, tenant),
            )
        )
        return invoice_view(invoice_id=invoice.id)


def void_invoice(*, actor: Actor, invoice_id: UUID, now: datetime | None = None) -> InvoiceView:
    """Cancel an issued invoice of which nothing is paid; its number stays taken and the books take it back.

    Raises:
        InvoiceNotFound: unknown, or another tenant's.
        IllegalState: a draft, void already, or something is paid.
        PaymentInProgress: the customer's money is on its way.
    """
    actor.require("invoices:void")
    now = now or utcnow()
    with transaction.atomic():
        invoice = lock_invoice(invoice_id)
        states.check(invoice, states.VOID)
        payments.cancel_pending(actor=actor, purpose=PURPOSE, purpose_id=invoice.id)
        before = trail.invoice_state(invoice)
        today = today_in(_tenant().time_zone, now=now)
        bookkeeping.set_written_off(actor, invoice, 0, cause="void", occurred_on=today)
        bookkeeping.post_voided(actor, invoice, occurred_on=today)
        invoice.status, invoice.voided_at, invoice.paid_at = InvoiceStatus.VOID, now, None
        _save(invoice)
        trail.record_invoice(actor, "void", invoice, before=before, severity=Severity.MEDIUM)
        events.publish(InvoiceVoided(**trail.event_fields(invoice)))
        return invoice_view(invoice_id=invoice.id)


def mark_uncollectible(*, actor: Actor, invoice_id: UUID, now: datetime | None = None) -> InvoiceView:
    """Write off what is still due. Money that comes later is still taken and undoes the write-off.

    Raises:
        InvoiceNotFound: unknown, or another tenant's.
        IllegalState: the invoice is not open.
    """
    actor.require("invoices:void")
    now = now or utcnow()
    with transaction.atomic():
        invoice = lock_invoice(invoice_id)
        states.check(invoice, states.UNCOLLECTIBLE)
        before = trail.invoice_state(invoice)
        today = today_in(_tenant().time_zone, now=now)
        invoice.status, invoice.uncollectible_at = InvoiceStatus.UNCOLLECTIBLE, now
        cause = f"uncollectible:{invoice.version}"
        bookkeeping.set_written_off(actor, invoice, invoice.due_minor, cause=cause, occurred_on=today)
        _save(invoice)
        trail.record_invoice(actor, "write_off", invoice, before=before, severity=Severity.MEDIUM)
        events.publish(InvoiceMarkedUncollectible(**trail.event_fields(invoice)))
        return invoice_view(invoice_id=invoice.id)


def record_view(*, token: str, origin: Origin, now: datetime | None = None) -> None:
    """Note that the customer opened his link; only the first time is written down.

    Raises:
        InvoiceNotFound: no invoice of this tenant has that link.
    """
    known = Invoice.objects.filter(link_token=token).values("pk", "viewed_at").first()
    if known is None:
        raise InvoiceNotFound
    if known["viewed_at"]:
        return
    with transaction.atomic():
        invoice = lock_invoice(known["pk"])
        if invoice.viewed_at:
            return
        invoice.viewed_at = now or utcnow()
        _save(invoice)
        trail.record_invoice(as_customer(invoice, origin), "view", invoice, after={"viewed_at": invoice.viewed_at})
        events.publish(InvoiceViewed(**trail.event_fields(invoice)))


def as_customer(invoice: Invoice, origin: Origin) -> Actor:
    """The invoice's client as an actor: he holds the link and no permission."""
    return customer(current_tenant_id(), name=invoice.client_name, email=invoice.client_email, origin=origin)


def publish_paid(invoice: Invoice, tenant: TenantView) -> None:
    """Tell the others that nothing is owed any more. Nobody gets a receipt for an invoice over zero."""
    events.publish(
        InvoicePaid(
            **trail.event_fields(invoice),
            to_email=(invoice.client.email or invoice.client_email) if invoice.total_minor else "",
            locale=invoice.locale,
            seller_name=invoice.seller_name,
            seller_email=invoice.seller_email,
            brand=branding.letterhead(invoice, tenant),
            hosted_url=branding.hosted_url(invoice, tenant),
        )
    )


def _freeze_parties(invoice: Invoice, tenant: TenantView) -> None:
    buyer, seller = projections.buyer_of(invoice), projections.seller_of(invoice, tenant)
    for side, party in (("client", buyer), ("seller", seller)):
        for name in ("name", "address", "tax_id", "email"):
            setattr(invoice, f"{side}_{name}", getattr(party, name))
    brand = branding.present(invoice, tenant)
    invoice.brand_id, invoice.brand = brand.id, branding.frozen(brand)
    invoice.locale = brand.locale or invoice.client.locale


def _give_link(invoice: Invoice, tenant: TenantView) -> None:
    invoice.link_token = ids.secret_token()
    digest = ids.token_digest(invoice.link_token)
    tenancy_services.link(kind=LINK_KIND, ref=digest, tenant_id=tenant.id, object_id=invoice.id)


def _save(invoice: Invoice) -> None:
    invoice.version += 1
    invoice.save()


def _tenant() -> TenantView:
    return tenancy.tenant_by_id(current_tenant_id())
