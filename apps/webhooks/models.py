"""Endpoints that programs outside listen at, what they are told, and how that went; all in the tenant's own schema.

Where there may be many rows, whoever removes one removes those that hang on it first, by one statement for each table.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.core import ids
from apps.core.sealing import SealedField


class DisabledReason(models.TextChoices):
    """Why an endpoint is told nothing; empty while it is."""

    BY_MEMBER = "BY_MEMBER"
    FAILING = "FAILING"
    GONE = "GONE"
    IMPORTED = "IMPORTED"


class DeliveryState(models.TextChoices):
    """PENDING → SENDING → SUCCEEDED, back to PENDING after a failure, DEAD in the end."""

    PENDING = "PENDING"
    SENDING = "SENDING"
    SUCCEEDED = "SUCCEEDED"
    DEAD = "DEAD"


WAITING = (DeliveryState.PENDING, DeliveryState.SENDING)


class Endpoint(models.Model):
    """An address that hears of facts whose type one of `event_types` lets through.

    `failing_since`: when the first attempt failed after which none succeeded.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=200, blank=True)
    event_types = ArrayField(models.CharField(max_length=60))
    is_enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=10, choices=DisabledReason, blank=True)
    disabled_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "webhooks_endpoint"
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(event_types=[]), name="webhook_endpoint_listens"),
            models.CheckConstraint(
                condition=Q(is_enabled=True, disabled_reason="", disabled_at__isnull=True)
                | Q(is_enabled=False, disabled_reason__in=DisabledReason.values, disabled_at__isnull=False),
                name="webhook_endpoint_disabled_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.url


class EndpointSecret(models.Model):
    """What signs for an endpoint. The one without an end is current; a former one signs along until its end."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="secrets")
    sealed_secret = SealedField(blank=True)
    hint = models.CharField(max_length=4)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "webhooks_secret"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["endpoint"], condition=Q(expires_at__isnull=True), name="webhook_secret_one_current"
            ),
        ]

    def __str__(self) -> str:
        return f"…{self.hint}"


class Message(models.Model):
    """One fact, as it is sent: `payload` is the exact JSON text, the same for every endpoint and every attempt."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    type = models.CharField(max_length=60)
    payload = models.TextField()
    subject_id = models.UUIDField(null=True)
    correlation_id = models.CharField(max_length=64, blank=True)
    traceparent = models.CharField(max_length=64, blank=True)
    occurred_at = models.DateTimeField()

    class Meta:
        db_table = "webhooks_message"
        indexes: ClassVar = [
            models.Index(fields=["occurred_at", "id"], name="webhook_message_when"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"

    @property
    def event_id(self) -> str:
        """How receivers know it: the envelope's ``id`` and the header ``webhook-id``."""
        return f"evt_{self.id.hex}"


class Delivery(models.Model):
    """That one endpoint is owed one message.

    `next_attempt_at` says when a PENDING row is due and until when a SENDING one belongs to the worker that took it.
    `attempts` counts all attempts and fences a slow worker off; `round_attempts` those since it was queued last.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    endpoint = models.ForeignKey(Endpoint, models.DO_NOTHING, related_name="deliveries", db_index=False)
    message = models.ForeignKey(Message, models.DO_NOTHING, related_name="deliveries", db_index=False)
    state = models.CharField(max_length=9, choices=DeliveryState, default=DeliveryState.PENDING)
    is_test = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0)
    round_attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_status = models.PositiveSmallIntegerField(null=True)
    last_error = models.CharField(max_length=300, blank=True)
    completed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "webhooks_delivery"
        verbose_name_plural = "deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["message", "endpoint"], name="webhook_delivery_once"),
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="webhook_delivery_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=WAITING, next_attempt_at__isnull=False, completed_at__isnull=True)
                | Q(~Q(state__in=WAITING), next_attempt_at__isnull=True, completed_at__isnull=False),
                name="webhook_delivery_waits_or_ended",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="webhook_delivery_due",
            ),
            models.Index(
                fields=["endpoint"],
                condition=Q(is_test=True, next_attempt_at__isnull=False),
                name="webhook_delivery_test",
            ),
            models.Index(fields=["endpoint", "-id"], name="webhook_delivery_recent"),
            models.Index(fields=["state", "-id"], name="webhook_delivery_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} → {self.endpoint_id}"


class Attempt(models.Model):
    """One call and what came of it. Without a `status` nobody answered, and `error` says why."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    delivery = models.ForeignKey(Delivery, models.DO_NOTHING, related_name="log", db_index=False)
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)
    request_headers = models.JSONField(default=dict)
    response_headers = models.JSONField(default=dict)
    response_body = models.TextField(blank=True)

    class Meta:
        db_table = "webhooks_attempt"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["delivery", "number"], name="webhook_attempt_number"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.status or self.error}"
