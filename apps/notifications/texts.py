"""What notifications say. Each function speaks the language that is active when it is called."""

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.core.money import format_minor
from apps.invoices.events import InvoicePaid, InvoicePartiallyPaid, InvoiceViewed
from apps.notifications.services import Text
from apps.payments.events import PaymentFailed, PaymentRefunded


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


def payment_failed(event: PaymentFailed) -> Text:
    """The customer tried to pay and could not."""
    return Text(_("A payment failed"), event.reason)


def payment_refunded(event: PaymentRefunded) -> Text:
    """Money went back."""
    return Text(
        _("%(amount)s was refunded") % {"amount": money(event.amount_minor, event.currency)},
        _("Invoice %(number)s") % {"number": event.label},
    )


def money(amount_minor: int, currency: str) -> str:
    """An amount in the active language."""
    return format_minor(amount_minor, currency, get_language() or "en")
