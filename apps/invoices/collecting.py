"""Collecting what an invoice asks for: a checkout for the customer, a payment noted by hand."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.core.actor import Actor, Origin
from apps.core.clock import utcnow
from apps.core.errors import ValidationFailed
from apps.core.money import format_minor
from apps.core.tenants import assert_no_transaction, current_tenant_id
from apps.invoices import branding, states
from apps.invoices.errors import InvoiceNotFound
from apps.invoices.lifecycle import PURPOSE, as_customer
from apps.invoices.locking import lock_invoice
from apps.invoices.models import Invoice
from apps.payments import services as payments
from apps.payments.services import CheckoutView
from apps.tenancy import selectors as tenancy


def pay_invoice(*, actor: Actor, invoice_id: UUID, success_url: str = "", cancel_url: str = "") -> CheckoutView:
    """Open a checkout over what is due; the customer comes back to his hosted invoice unless told otherwise.

    Calls the gateway, so no transaction may be open. After a failure the payment stays pending and the same call
    tries again.

    Raises:
        PermissionRefused: the actor lacks ``payments:write``.
        InvoiceNotFound: unknown, or another tenant's.
        IllegalState: a draft, void or paid.
        GatewayFailed: the provider did not answer as expected.
    """
    actor.require("payments:write")
    return _checkout(actor, invoice_id, success_url, cancel_url)


def pay_by_link(*, token: str, origin: Origin) -> CheckoutView:
    """The customer's own way to the checkout, from his hosted invoice.

    Raises:
        InvoiceNotFound: no invoice of this tenant has that link.
        IllegalState: void or paid.
        GatewayFailed: the provider did not answer as expected.
    """
    with transaction.atomic():
        invoice = Invoice.objects.filter(link_token=token).first()
    if invoice is None:
        raise InvoiceNotFound
    return _checkout(as_customer(invoice, origin), invoice.id, "", "")


def record_manual_payment(
    *,
    actor: Actor,
    invoice_id: UUID,
    amount_minor: int,
    method: str,
    reference: str = "",
    paid_at: datetime | None = None,
    now: datetime | None = None,
) -> UUID:
    """Note money that came outside the gateway: by bank transfer, in cash, by cheque; returns the payment's id.

    Raises:
        PermissionRefused: the actor lacks ``payments:write``.
        InvoiceNotFound: unknown, or another tenant's.
        IllegalState: a draft, void or paid.
        ValidationFailed: nothing, more than is due, or a moment that has not come.
        PaymentInProgress: the customer's money is on its way by another way.
    """
    actor.require("payments:write")
    now = now or utcnow()
    paid_at = paid_at or now
    with transaction.atomic():
        invoice = lock_invoice(invoice_id)
        states.check(invoice, states.RECORD_PAYMENT)
        if amount_minor < 1:
            raise ValidationFailed.one("amount_minor", "out_of_range", _("A payment is more than nothing."))
        if amount_minor > invoice.due_minor:
            most = format_minor(invoice.due_minor, invoice.currency, get_language() or "en")
            detail = _("No more than %(most)s is due.") % {"most": most}
            raise ValidationFailed.one("amount_minor", "exceeds_due", detail)
        if paid_at > now:
            raise ValidationFailed.one("paid_at", "in_future", _("A payment cannot lie in the future."))
        # A checkout that waits would take the same money a second time.
        payments.cancel_pending(actor=actor, purpose=PURPOSE, purpose_id=invoice.id)
        return payments.record_manual(
            actor=actor,
            purpose=PURPOSE,
            purpose_id=invoice.id,
            label=invoice.number or "",
            amount_minor=amount_minor,
            currency=invoice.currency,
            method=method,
            reference=reference,
            paid_at=paid_at,
            payer_name=invoice.client_name,
            payer_email=invoice.client_email,
        )


def _checkout(actor: Actor, invoice_id: UUID, success_url: str, cancel_url: str) -> CheckoutView:
    assert_no_transaction("Opening a checkout")
    with transaction.atomic():
        invoice = lock_invoice(invoice_id)
        states.check(invoice, states.PAY)
        tenant = tenancy.tenant_by_id(current_tenant_id())
        hosted = branding.hosted_url(invoice, tenant)
        payment_id = payments.create_pending(
            actor=actor,
            purpose=PURPOSE,
            purpose_id=invoice.id,
            label=invoice.number or "",
            amount_minor=invoice.due_minor,
            currency=invoice.currency,
            payer_name=invoice.client_name,
            payer_email=invoice.client.email or invoice.client_email,
            success_url=success_url or f"{hosted}?checkout=success",
            cancel_url=cancel_url or f"{hosted}?checkout=canceled",
        )
    return payments.open_checkout(actor=actor, payment_id=payment_id)
