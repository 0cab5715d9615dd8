"""What notifications say. Each function speaks the language that is active when it is called."""

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.core.money import format_minor
from apps.invoices.events import InvoicePaid, InvoicePartiallyPaid, InvoiceViewed
from apps.invoices.selectors import InvoiceView
from apps.notifications.services import Text
from apps.payments.events import PaymentFailed, PaymentRefunded, RefundFailed


def welcome(tenant_name: str) -> Text:
    """To the owner of a new workspace."""
    return Text(
        _("%(name)s is ready") % {"name": tenant_name},
        _("Add your first client, then send an invoice."),
    )


def invoice_viewed(event: InvoiceViewed) -> Text:
    """The customer has seen the invoice."""
    return Text(
        _("%(client)s opened invoice %(number)s") % {"client": event.client_name, "number": event.number},
        _("%(amount)s is due") % {"amount": money(event.amount_due_minor, event.currency)},
    )


def invoice_paid(event: InvoicePaid) -> Text:
    """Nothing is owed any more."""
    return Text(
        _("Invoice %(number)s was paid") % {"number": event.number},
        f"{event.client_name} · {money(event.total_minor, event.currency)}",
    )


def invoice_partially_paid(event: InvoicePartiallyPaid) -> Text:
    """Some money came."""
    return Text(
        _("Invoice %(number)s was paid in part") % {"number": event.number},
        _("%(client)s · %(amount)s is still due")
        % {"client": event.client_name, "amount": money(event.amount_due_minor, event.currency)},
    )


def payment_failed(event: PaymentFailed, invoice: InvoiceView) -> Text:
    """The customer tried to pay and could not; `reason` is in the payment provider's words."""
    body = f"{invoice.buyer.name} · {event.reason}" if event.reason else invoice.buyer.name
    return Text(_("A payment for invoice %(number)s failed") % {"number": invoice.number}, body)


def payment_refunded(event: PaymentRefunded, invoice: InvoiceView) -> Text:
    """Money went back."""
    amount = money(event.amount_minor, event.currency)
    return Text(
        _("%(amount)s of invoice %(number)s was refunded") % {"amount": amount, "number": invoice.number},
        invoice.buyer.name,
    )


def refund_failed(event: RefundFailed, invoice: InvoiceView) -> Text:
    """Money that had gone back is here again; the customer has to be asked for another way."""
    amount = money(event.amount_minor, event.currency)
    return Text(
        _("The refund of %(amount)s for invoice %(number)s came back") % {"amount": amount, "number": invoice.number},
        _("%(client)s's bank did not take it.") % {"client": invoice.buyer.name},
    )


def money(amount_minor: int, currency: str) -> str:
    """An amount in the active language."""
    return format_minor(amount_minor, currency, get_language() or "en")
