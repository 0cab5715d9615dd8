"""The words for where payments, refunds and events stand, and for methods and reasons."""

from django.db import models


class PaymentStatus(models.TextChoices):
    """Where a payment stands; ``states.py`` has what may follow what."""

    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"


class RefundStatus(models.TextChoices):
    """Where a refund stands. Even a refund that succeeded can fail days later, when the bank sends it back."""

    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class RefundReason(models.TextChoices):
    """Why money went back."""

    REQUESTED_BY_CUSTOMER = "REQUESTED_BY_CUSTOMER"
    DUPLICATE = "DUPLICATE"
    FRAUDULENT = "FRAUDULENT"
    OTHER = "OTHER"


class PaymentMethod(models.TextChoices):
    """How money is noted by hand; gateways name further methods."""

    BANK_TRANSFER = "BANK_TRANSFER"
    CASH = "CASH"
    CHEQUE = "CHEQUE"
    CARD = "CARD"
    OTHER = "OTHER"


class GatewayEventStatus(models.TextChoices):
    """What became of an event. FAILED with `next_attempt_at` is tried again; without it, an operator decides."""

    RECEIVED = "RECEIVED"
    PROCESSED = "PROCESSED"
    IGNORED = "IGNORED"
    FAILED = "FAILED"
