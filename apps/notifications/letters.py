"""The e-mails to customers and owners: subject and values, made in the reader's language when the fact happens."""

from datetime import date
from uuid import UUID

from babel.dates import format_date
from django.utils import translation
from django.utils.translation import gettext as _

from apps.core.money import format_minor
from apps.invoices import selectors as invoices
from apps.invoices.events import InvoicePaid, InvoiceSent
from apps.invoices.selectors import InvoiceView
from apps.notifications.languages import language_of
from apps.notifications.services import Attachment, Letter
from apps.payments.events import PaymentRefunded
from apps.tenancy.selectors import TenantView


def invoice_sent(event: InvoiceSent) -> Letter:
    """The invoice itself, with its PDF and the link to pay."""
    with translation.override(language_of(event.locale)):
        subject = _("Invoice %(number)s from %(seller)s") % {"number": event.number, "seller": event.seller_name}
        due_on = long_date(event.due_date, event.locale)
        return _with_invoice(event, "invoice_sent", subject, event.amount_due_minor, due_on=due_on)


def receipt(event: InvoicePaid) -> Letter:
    """Thanks, and the proof that the invoice is paid."""
    with translation.override(language_of(event.locale)):
        subject = _("Receipt for invoice %(number)s") % {"number": event.number}
        return _with_invoice(event, "receipt", subject, event.total_minor)


def _with_invoice(
    event: InvoiceSent | InvoicePaid, template: str, subject: str, amount_minor: int, **context: str
) -> Letter:
    return Letter(
        to=event.to_email,
        locale=event.locale,
        template=template,
        subject=subject,
        context={
            "number": event.number,
            "client_name": event.client_name,
            "seller_name": event.seller_name,
            "amount": format_minor(amount_minor, event.currency, event.locale),
            "link": event.hosted_url,
            "brand": event.brand,
            **context,
        },
        from_name=event.brand.get("sender_name") or event.seller_name,
        reply_to=event.brand.get("reply_to") or event.seller_email,
        attachment=Attachment("invoice", event.invoice_id, _filename(event.number)),
        related_type="invoice",
        related_id=event.invoice_id,
    )


def refund(event: PaymentRefunded, invoice: InvoiceView, tenant: TenantView) -> Letter:
    """Money is on its way back."""
    brand = invoices.letterhead_of(invoice.brand, tenant)
    with translation.override(language_of(invoice.locale)):
        amount = format_minor(event.amount_minor, event.currency, invoice.locale)
        return Letter(
            to=invoice.buyer.email,
            locale=invoice.locale,
            template="refund",
            subject=_("%(seller)s refunded %(amount)s to you") % {"seller": invoice.seller.name, "amount": amount},
            context={
                "number": invoice.number,
                "client_name": invoice.buyer.name,
                "seller_name": invoice.seller.name,
                "amount": amount,
                "brand": brand,
            },
            from_name=brand.get("sender_name") or invoice.seller.name,
            reply_to=brand.get("reply_to") or invoice.seller.email,
            related_type="invoice",
            related_id=invoice.id,
        )


def welcome(*, to: str, name: str, locale: str, tenant_name: str, tenant_url: str, tenant_id: UUID) -> Letter:
    """To the owner of a new workspace."""
    with translation.override(language_of(locale)):
        return Letter(
            to=to,
            locale=locale,
            template="welcome",
            subject=_("%(name)s is ready") % {"name": tenant_name},
            context={"name": name, "tenant_name": tenant_name, "link": tenant_url},
            related_type="tenant",
            related_id=tenant_id,
        )


def long_date(day: date, locale: str) -> str:
    """A day in words: ``7 December 2026``."""
    return format_date(day, format="long", locale=locale.replace("-", "_"))


def _filename(number: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in number) + ".pdf"
