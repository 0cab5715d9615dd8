"""Payments and refunds of a tenant, and the shared inbox of what gateways tell."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from apps.core import ids
from apps.core.money import MAX_MINOR
from apps.payments.choices import GatewayEventStatus, PaymentStatus, RefundReason, RefundStatus


class Payment(models.Model):
    """Money that a customer pays for something that `purpose` and `purpose_id` name.

    `checkout_open`: the gateway may still bring money through the session. `close_owed`: the session is to be
    ended at the gateway. `next_check_at`: when the reconciler looks next; null while nothing is owed.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    purpose = models.CharField(max_length=40)
    purpose_id = models.UUIDField()
    purpose_label = models.CharField(max_length=200, blank=True)
    payer_name = models.CharField(max_length=200, blank=True)
    payer_email = models.CharField(max_length=254, blank=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    refunded_minor = models.BigIntegerField(default=0)
    fee_minor = models.BigIntegerField(null=True)
    fee_currency = models.CharField(max_length=3, blank=True)

    status = models.CharField(max_length=20, choices=PaymentStatus, default=PaymentStatus.PENDING)
    gateway = models.CharField(max_length=20)
    method = models.CharField(max_length=40, blank=True)
    reference = models.CharField(max_length=200, blank=True)
    failure_code = models.CharField(max_length=80, blank=True)
    failure_reason = models.CharField(max_length=300, blank=True)

    success_url = models.CharField(max_length=2000, blank=True)
    cancel_url = models.CharField(max_length=2000, blank=True)
    session_ref = models.CharField(max_length=255, blank=True)
    session_url = models.CharField(max_length=2000, blank=True)
    session_expires_at = models.DateTimeField(null=True)
    session_attempt = models.PositiveSmallIntegerField(default=1)
    payment_ref = models.CharField(max_length=255, blank=True)
    failed_ref = models.CharField(max_length=255, blank=True)
    checkout_open = models.BooleanField(default=False)
    close_owed = models.BooleanField(default=False)
    checks = models.PositiveIntegerField(default=0)
    next_check_at = models.DateTimeField(null=True)

    succeeded_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "payments_payment"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["purpose", "purpose_id"], condition=Q(status="PENDING"), name="payment_one_pending"
            ),
            models.UniqueConstraint(
                fields=["gateway", "session_ref"], condition=~Q(session_ref=""), name="payment_session_once"
            ),
            models.CheckConstraint(condition=Q(status__in=PaymentStatus.values), name="payment_status_known"),
            models.CheckConstraint(condition=Q(amount_minor__range=(1, MAX_MINOR)), name="payment_amount_positive"),
            models.CheckConstraint(
                condition=Q(refunded_minor__gte=0) & Q(refunded_minor__lte=F("amount_minor")),
                name="payment_refunds_in_bounds",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["SUCCEEDED", "PARTIALLY_REFUNDED", "REFUNDED"])
                | Q(succeeded_at__isnull=False),
                name="payment_success_dated",
            ),
            models.CheckConstraint(condition=Q(currency__regex="^[A-Z]{3}$"), name="payment_iso4217"),
        ]
        indexes: ClassVar = [
            models.Index("purpose", "purpose_id", name="payment_purpose"),
            models.Index(fields=["status", "-id"], name="payment_status_recent"),
            models.Index(fields=["amount_minor", "id"], name="payment_by_amount"),
            models.Index("created_at", name="payment_created"),
            models.Index("succeeded_at", name="payment_succeeded"),
            models.Index("next_check_at", condition=Q(next_check_at__isnull=False), name="payment_due"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose_label or self.purpose} {self.amount_minor} {self.currency}"


class Refund(models.Model):
    """Money of a payment that goes back. A row that is not FAILED reserves its amount."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=30, choices=RefundReason, default=RefundReason.REQUESTED_BY_CUSTOMER)
    status = models.CharField(max_length=10, choices=RefundStatus, default=RefundStatus.PENDING)
    refund_ref = models.CharField(max_length=255, blank=True)
    attempt = models.PositiveSmallIntegerField(default=1)
    failure_reason = models.CharField(max_length=300, blank=True)
    requested_by = models.CharField(max_length=254, blank=True)
    checks = models.PositiveIntegerField(default=0)
    next_check_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "payments_refund"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["refund_ref"], condition=~Q(refund_ref=""), name="refund_ref_once"),
            models.CheckConstraint(condition=Q(status__in=RefundStatus.values), name="refund_status_known"),
            models.CheckConstraint(condition=Q(amount_minor__range=(1, MAX_MINOR)), name="refund_amount_positive"),
        ]
        indexes: ClassVar = [
            models.Index("next_check_at", condition=Q(next_check_at__isnull=False), name="refund_due"),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency}"


class GatewayEvent(models.Model):
    """One signed message of a gateway, stored once and kept for good. Shared: it arrives before its tenant is known."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=255)
    type = models.CharField(max_length=100)
    live = models.BooleanField(default=False)
    payload = models.JSONField()
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=GatewayEventStatus, default=GatewayEventStatus.RECEIVED)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)
    processed_at = models.DateTimeField(null=True)
    tenant_id = models.UUIDField(null=True)
    payment_id = models.UUIDField(null=True)

    class Meta:
        db_table = "payments_gateway_event"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="gateway_event_once"),
            models.CheckConstraint(
                condition=Q(status__in=GatewayEventStatus.values), name="gateway_event_status_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index("next_attempt_at", condition=Q(next_attempt_at__isnull=False), name="gateway_event_due"),
            models.Index("tenant_id", "payment_id", name="gateway_event_payment"),
            models.Index(fields=["type", "-id"], name="gateway_event_type"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
