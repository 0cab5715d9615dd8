"""What a payment means to the books: each fact is posted once, under a key of its own."""

from datetime import date, datetime

from apps.core.actor import Actor
from apps.core.clock import today_in
from apps.core.tenants import current_tenant_id
from apps.ledger import accounts
from apps.ledger import services as ledger
from apps.ledger.services import Leg
from apps.payments.gateways.registry import MANUAL
from apps.payments.models import Payment, Refund
from apps.tenancy import selectors as tenancy


def post_success(actor: Actor, payment: Payment, *, succeeded_at: datetime) -> None:
    """The customer owes less; the money is with the gateway, or in the bank when it came without one."""
    ledger.post(
        actor=actor,
        key=f"payment.succeeded:{payment.id}",
        kind="payment.succeeded",
        occurred_on=_day(succeeded_at),
        description=f"Payment {payment.purpose_label} {payment.payer_name}".strip(),
        source_type="payment",
        source_id=payment.id,
        legs=[
            Leg(_money_account(payment), payment.amount_minor, payment.currency),
            Leg(accounts.RECEIVABLE, -payment.amount_minor, payment.currency),
        ],
    )


def post_fee(actor: Actor, payment: Payment, *, now: datetime) -> None:
    """The gateway keeps its fee, in the currency in which it settles."""
    if not payment.fee_minor:
        return
    ledger.post(
        actor=actor,
        key=f"payment.fee:{payment.id}",
        kind="payment.fee",
        occurred_on=_day(payment.succeeded_at or now),
        description=f"Fee on payment {payment.purpose_label}".strip(),
        source_type="payment",
        source_id=payment.id,
        legs=[
            Leg(accounts.PAYMENT_FEES, payment.fee_minor, payment.fee_currency),
            Leg(accounts.GATEWAY_CLEARING, -payment.fee_minor, payment.fee_currency),
        ],
    )


def post_refund(actor: Actor, payment: Payment, refund: Refund, *, refunded_at: datetime) -> None:
    """The customer owes again what went back to him."""
    ledger.post(
        actor=actor,
        key=_refund_key(refund),
        kind="payment.refunded",
        occurred_on=_day(refunded_at),
        description=f"Refund {payment.purpose_label} {payment.payer_name}".strip(),
        source_type="payment",
        source_id=payment.id,
        legs=[
            Leg(accounts.RECEIVABLE, refund.amount_minor, payment.currency),
            Leg(_money_account(payment), -refund.amount_minor, payment.currency),
        ],
    )


def post_refund_failed(actor: Actor, payment: Payment, refund: Refund, *, now: datetime) -> None:
    """The customer's bank sent the refund back."""
    ledger.reverse(
        actor=actor,
        original_key=_refund_key(refund),
        key=f"payment.refund_failed:{refund.id}",
        kind="payment.refund_failed",
        occurred_on=_day(now),
        description=f"Returned refund {payment.purpose_label} {payment.payer_name}".strip(),
    )


def _money_account(payment: Payment) -> str:
    return accounts.BANK if payment.gateway == MANUAL.name else accounts.GATEWAY_CLEARING


def _refund_key(refund: Refund) -> str:
    return f"payment.refunded:{refund.id}"


def _day(moment: datetime) -> date:
    return today_in(tenancy.tenant_by_id(current_tenant_id()).time_zone, now=moment)
