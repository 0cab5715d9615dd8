"""The life of an invoice: which action which state allows (PRODUCT, invoice states)."""

from datetime import datetime

from apps.core.errors import IllegalState
from apps.invoices.models import Invoice, InvoiceStatus

FINALIZE, EDIT, DELETE, DUPLICATE = "finalize", "edit", "delete", "duplicate"
SEND, PAY, RECORD_PAYMENT = "send", "pay", "record_payment"
VOID, UNCOLLECTIBLE = "void", "uncollectible"

_PAST = {
    FINALIZE: "finalized",
    EDIT: "changed",
    DELETE: "deleted",
    SEND: "sent",
    PAY: "paid",
    RECORD_PAYMENT: "paid",
    VOID: "voided",
    UNCOLLECTIBLE: "written off",
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
    if action in actions:
        return
    state = "partially paid" if action == VOID and invoice.paid_minor else invoice.get_status_display().lower()
    raise IllegalState(f"This invoice is {state}; it cannot be {_PAST[action]}.", allowed_actions=actions)
