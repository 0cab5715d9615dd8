"""The life of an invoice: which action which state allows (PRODUCT, invoice states)."""

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from apps.core.errors import IllegalState
from apps.invoices.models import Invoice, InvoiceStatus

FINALIZE, EDIT, DELETE, DUPLICATE = "finalize", "edit", "delete", "duplicate"
SEND, PAY, RECORD_PAYMENT = "send", "pay", "record_payment"
VOID, UNCOLLECTIBLE = "void", "uncollectible"

_REFUSED = {
    FINALIZE: gettext_noop("Only a draft can be finalized."),
    EDIT: gettext_noop("Only a draft can be changed."),
    DELETE: gettext_noop("Only a draft can be deleted."),
    SEND: gettext_noop("This invoice cannot be sent in its present state."),
    PAY: gettext_noop("Nothing is to be paid for this invoice."),
    RECORD_PAYMENT: gettext_noop("Nothing is to be paid for this invoice."),
    VOID: gettext_noop("Only an issued invoice of which nothing is paid can be voided."),
    UNCOLLECTIBLE: gettext_noop("Only an open invoice can be written off."),
}


def allowed_actions(invoice: Invoice) -> list[str]:
    """What may be done with the invoice now, by anyone who holds the permission for it."""
    return actions_of(invoice.status, paid_minor=invoice.paid_minor, sent_at=invoice.sent_at)


def actions_of(status: str, *, paid_minor: int, sent_at: datetime | None) -> list[str]:
    """What may be done with an invoice of which this is known."""
    match status:
        case InvoiceStatus.DRAFT:
            return [FINALIZE, EDIT, DELETE, DUPLICATE]
        case InvoiceStatus.OPEN:
            actions = [SEND, PAY, RECORD_PAYMENT, UNCOLLECTIBLE, DUPLICATE]
        case InvoiceStatus.UNCOLLECTIBLE:
            actions = [PAY, RECORD_PAYMENT, DUPLICATE]
        case InvoiceStatus.PAID:
            # Paid at once, over the counter: the customer still gets his invoice.
            actions = [DUPLICATE] if sent_at else [SEND, DUPLICATE]
        case _:  # void
            return [DUPLICATE]
    # Nothing paid and yet PAID: an invoice over zero.
    return [*actions, VOID] if paid_minor == 0 else actions


def check(invoice: Invoice, action: str) -> None:
    """Refuse `action` unless the invoice's state allows it.

    Raises:
        IllegalState: it does not; names what it allows.
    """
    actions = allowed_actions(invoice)
    if action not in actions:
        raise IllegalState(_(_REFUSED[action]), allowed_actions=actions)
