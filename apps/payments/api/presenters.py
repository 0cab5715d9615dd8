"""Payments as the API shows them: choices in lower case, and nothing of the gateway's own ids."""

from collections.abc import Iterable
from typing import Any

from apps.payments import selectors
from apps.payments.models import Payment, Refund
from apps.payments.selectors import PaymentView, RefundView


def present_newest(_tenant: Any, payments: Iterable[Payment], refunds: Iterable[Refund]) -> list[dict[str, Any]]:
    """What was found of `selectors.NEWEST`."""
    return [present_payment(payment) for payment in selectors.views(payments, refunds)]


def present_payment(payment: PaymentView) -> dict[str, Any]:
    """A payment with its refunds."""
    return {
        "id": payment.id,
        "status": payment.status.lower(),
        "purpose": payment.purpose,
        "purpose_id": payment.purpose_id,
        "label": payment.label,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "refunded_minor": payment.refunded_minor,
        "refundable_minor": payment.refundable_minor,
        "fee_minor": payment.fee_minor,
        "fee_currency": payment.fee_currency or None,
        "method": payment.method.lower(),
        "is_manual": payment.is_manual,
        "reference": payment.reference,
        "payer_name": payment.payer_name,
        "payer_email": payment.payer_email,
        "failure_reason": payment.failure_reason,
        "refunds": [present_refund(refund) for refund in payment.refunds],
        "allowed_actions": list(payment.allowed_actions),
        "succeeded_at": payment.succeeded_at,
        "created_at": payment.created_at,
        "updated_at": payment.updated_at,
    }


def present_refund(refund: RefundView) -> dict[str, Any]:
    """A refund."""
    return {
        "id": refund.id,
        "payment_id": refund.payment_id,
        "status": refund.status.lower(),
        "amount_minor": refund.amount_minor,
        "currency": refund.currency,
        "reason": refund.reason.lower(),
        "failure_reason": refund.failure_reason,
        "requested_by": refund.requested_by,
        "succeeded_at": refund.succeeded_at,
        "created_at": refund.created_at,
    }
