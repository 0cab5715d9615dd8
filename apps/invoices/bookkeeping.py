"""What an invoice means to the ledger. Payments, fees and refunds are posted by the payments app."""

from datetime import date

from apps.core.actor import Actor
from apps.invoices.models import Invoice
from apps.ledger import accounts
from apps.ledger import services as ledger
from apps.ledger.services import Leg


def post_issued(actor: Actor, invoice: Invoice) -> None:
    """The client owes the total: part of it is revenue, part the tax office's."""
    net = invoice.subtotal_minor - invoice.discount_minor
    legs = [
        Leg(accounts.RECEIVABLE, invoice.total_minor, invoice.currency),
        Leg(accounts.REVENUE, -net, invoice.currency),
        Leg(accounts.TAX_PAYABLE, -invoice.tax_minor, invoice.currency),
    ]
    if invoice.total_minor == 0 or invoice.issue_date is None:
        return
    ledger.post(
        actor=actor,
        key=_issued_key(invoice),
        kind="invoice.finalized",
        occurred_on=invoice.issue_date,
        description=f"{invoice.number} {invoice.client_name}",
        source_type="invoice",
        source_id=invoice.id,
        legs=[leg for leg in legs if leg.amount_minor],
    )


def post_voided(actor: Actor, invoice: Invoice, *, occurred_on: date) -> None:
    """Take the invoice's entry back."""
    if invoice.total_minor == 0:
        return
    ledger.reverse(
        actor=actor,
        original_key=_issued_key(invoice),
        key=f"invoice.voided:{invoice.id}",
        kind="invoice.voided",
        occurred_on=occurred_on,
        description=f"{invoice.number} void",
    )


def set_written_off(actor: Actor, invoice: Invoice, amount_minor: int, *, cause: str, occurred_on: date) -> None:
    """Make `amount_minor` what the books hold as lost on this invoice; the difference is posted once per `cause`."""
    difference = amount_minor - invoice.written_off_minor
    invoice.written_off_minor = amount_minor
    if difference == 0:
        return
    ledger.post(
        actor=actor,
        key=f"invoice.written_off:{invoice.id}:{cause}",
        kind="invoice.written_off",
        occurred_on=occurred_on,
        description=f"{invoice.number} {'written off' if difference > 0 else 'recovered'}",
        source_type="invoice",
        source_id=invoice.id,
        legs=[
            Leg(accounts.BAD_DEBT, difference, invoice.currency),
            Leg(accounts.RECEIVABLE, -difference, invoice.currency),
        ],
    )


def _issued_key(invoice: Invoice) -> str:
    return f"invoice.finalized:{invoice.id}"
