"""The door to changing payments."""

from apps.payments.checkout import CheckoutView, cancel_pending, create_pending, open_checkout
from apps.payments.manual import record_manual
from apps.payments.reconciling import check_payment, reconcile
from apps.payments.refunding import refund
from apps.payments.selectors import RefundView

__all__ = [
    "CheckoutView",
    "RefundView",
    "cancel_pending",
    "check_payment",
    "create_pending",
    "open_checkout",
    "reconcile",
    "record_manual",
    "refund",
]
