"""Rows are locked in one order everywhere: the payment first, then its refunds, then whatever handlers lock."""

from uuid import UUID

from apps.payments.errors import PaymentNotFound
from apps.payments.models import Payment


def lock_payment(payment_id: UUID) -> Payment:
    """The payment, locked until the transaction ends.

    Raises:
        PaymentNotFound: unknown, or another tenant's.
    """
    payment = Payment.objects.select_for_update().filter(pk=payment_id).first()
    if payment is None:
        raise PaymentNotFound
    return payment
