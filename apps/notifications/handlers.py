"""What the product tells people when something happened.

Each handler runs in the transaction of the change: it writes rows that say what is owed, then asks for a push and
for the delivery task once that transaction commits.
"""

from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from apps.core.events import subscribe
from apps.iam import selectors as iam
from apps.invoices import selectors as invoices
from apps.invoices.events import InvoicePaid, InvoicePartiallyPaid, InvoiceSent, InvoiceViewed
from apps.notifications import letters, push, services, texts
from apps.notifications.models import Level, NotificationKind
from apps.notifications.posting import post
from apps.notifications.services import Letter, Recipient, Text
from apps.payments.events import PaymentFailed, PaymentRefunded, RefundFailed
from apps.tenancy import selectors as tenancy
from apps.tenancy.events import TenantProvisioned


@subscribe(TenantProvisioned)
def welcome_the_owner(event: TenantProvisioned) -> None:
    """The workspace can be used."""
    tenant = tenancy.tenant_by_id(event.tenant_id)
    _tell(
        event.tenant_id,
        "tenant:delete",
        kind=NotificationKind.WELCOME,
        key=f"tenant.provisioned:{event.tenant_id}",
        text=lambda: texts.welcome(tenant.name),
        level=Level.SUCCESS,
    )
    for owner in iam.members_with(event.tenant_id, "tenant:delete"):
        letter = letters.welcome(
            to=owner.email,
            name=owner.name,
            locale=owner.locale,
            tenant_name=tenant.name,
            tenant_url=tenant.url,
            tenant_id=event.tenant_id,
        )
        _write(letter, event.tenant_id, f"tenant.provisioned:{event.tenant_id}:{owner.user_id}")


@subscribe(InvoiceSent)
def send_invoice_to_customer(event: InvoiceSent) -> None:
    """The invoice by e-mail."""
    _write(letters.invoice_sent(event), event.tenant_id, f"invoice.sent:{event.invoice_id}:{services.change_key()}")


@subscribe(InvoiceViewed)
def tell_of_invoice_viewed(event: InvoiceViewed) -> None:
    """Whoever writes invoices hears that this one was seen."""
    _tell(
        event.tenant_id,
        "invoices:write",
        kind=NotificationKind.INVOICE_VIEWED,
        key=f"invoice.viewed:{event.invoice_id}",
        text=lambda: texts.invoice_viewed(event),
        url=_invoice_path(event.invoice_id),
    )


@subscribe(InvoicePaid)
def tell_of_invoice_paid(event: InvoicePaid) -> None:
    """Members see it live, the customer gets his receipt."""
    key = f"invoice.paid:{event.invoice_id}:{services.change_key()}"
    _tell(
        event.tenant_id,
        "payments:read",
        kind=NotificationKind.INVOICE_PAID,
        key=key,
        text=lambda: texts.invoice_paid(event),
        url=_invoice_path(event.invoice_id),
        level=Level.SUCCESS,
    )
    _write(letters.receipt(event), event.tenant_id, key)


@subscribe(InvoicePartiallyPaid)
def tell_of_partial_payment(event: InvoicePartiallyPaid) -> None:
    """Members see that money came and how much is left."""
    _tell(
        event.tenant_id,
        "payments:read",
        kind=NotificationKind.INVOICE_PARTIALLY_PAID,
        key=f"invoice.partially_paid:{event.invoice_id}:{services.change_key()}",
        text=lambda: texts.invoice_partially_paid(event),
        url=_invoice_path(event.invoice_id),
    )


@subscribe(PaymentFailed)
def tell_of_failed_payment(event: PaymentFailed) -> None:
    """Members see that a customer could not pay."""
    if event.purpose != "invoice":
        return
    invoice = invoices.invoice_view(invoice_id=event.purpose_id)
    _tell_of_payment(
        event,
        kind=NotificationKind.PAYMENT_FAILED,
        key=f"payment.failed:{event.payment_id}:{services.change_key()}",
        text=lambda: texts.payment_failed(event, invoice),
        level=Level.WARNING,
    )


@subscribe(PaymentRefunded)
def tell_of_refund(event: PaymentRefunded) -> None:
    """Members see it, the customer hears that his money comes back."""
    if event.purpose != "invoice":
        return
    invoice = invoices.invoice_view(invoice_id=event.purpose_id)
    key = f"payment.refunded:{event.refund_id}"
    _tell_of_payment(
        event,
        kind=NotificationKind.PAYMENT_REFUNDED,
        key=key,
        text=lambda: texts.payment_refunded(event, invoice),
    )
    _write(letters.refund(event, invoice, tenancy.tenant_by_id(event.tenant_id)), event.tenant_id, key)


@subscribe(RefundFailed)
def tell_of_failed_refund(event: RefundFailed) -> None:
    """Members see that the customer has not got his money; the customer is not bothered with his bank's answer."""
    if event.purpose != "invoice":
        return
    invoice = invoices.invoice_view(invoice_id=event.purpose_id)
    _tell_of_payment(
        event,
        kind=NotificationKind.REFUND_FAILED,
        key=f"payment.refund_failed:{event.refund_id}",
        text=lambda: texts.refund_failed(event, invoice),
        level=Level.ERROR,
    )


def _tell_of_payment(
    event: PaymentFailed | PaymentRefunded | RefundFailed,
    *,
    kind: str,
    key: str,
    text: Callable[[], Text],
    level: str = Level.INFO,
) -> None:
    path = _invoice_path(event.purpose_id)
    _tell(event.tenant_id, "payments:read", kind=kind, key=key, text=text, url=path, level=level)


def _tell(
    tenant_id: UUID,
    permission: str,
    *,
    kind: str,
    key: str,
    text: Callable[[], Text],
    url: str = "",
    level: str = Level.INFO,
) -> None:
    recipients = [Recipient(member.user_id, member.locale) for member in iam.members_with(tenant_id, permission)]
    told = services.notify(
        tenant_id=tenant_id, recipients=recipients, kind=kind, dedupe_key=key, text=text, url=url, level=level
    )
    push.poke(tenant_id, told)


def _write(letter: Letter, tenant_id: UUID, key: str) -> None:
    if not letter.to:
        # A client without an address: nothing is owed by e-mail.
        return
    post(letter, key, tenant_id=tenant_id)


def _invoice_path(invoice_id: UUID) -> str:
    return reverse("invoices:detail", args=[invoice_id], urlconf=settings.TENANT_URLCONF)
