"""What people are told: rows for the bell and e-mails that are owed. All tables are shared (``public``)."""

from typing import ClassVar

from django.db import models

from apps.core import ids


class NotificationKind(models.TextChoices):
    """What a notification is about; clients may choose an icon by it."""

    WELCOME = "WELCOME"
    INVOICE_VIEWED = "INVOICE_VIEWED"
    INVOICE_PAID = "INVOICE_PAID"
    INVOICE_PARTIALLY_PAID = "INVOICE_PARTIALLY_PAID"
    PAYMENT_FAILED = "PAYMENT_FAILED"
    PAYMENT_REFUNDED = "PAYMENT_REFUNDED"
    REFUND_FAILED = "REFUND_FAILED"
    DOMAIN_LOST = "DOMAIN_LOST"
    WEBHOOK_DISABLED = "WEBHOOK_DISABLED"


class Level(models.TextChoices):
    """How a notification should look."""

    INFO = "INFO"
    SUCCESS = "SUCCESS"
    WARNING = "WARNING"
    ERROR = "ERROR"


class NotificationCursor(models.Model):
    """The last `seq` given to one person in one tenant; its row lock makes commit order and `seq` order agree."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant_id = models.UUIDField()
    user_id = models.UUIDField()
    last_seq = models.BigIntegerField()

    class Meta:
        db_table = "notifications_cursor"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant_id", "user_id"], name="notification_cursor_unique"),
            models.CheckConstraint(condition=models.Q(last_seq__gt=0), name="notification_cursor_positive"),
        ]


class Notification(models.Model):
    """One thing that one person was told, in his language at that moment. `seq` counts up from 1 without gaps."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant_id = models.UUIDField()
    user_id = models.UUIDField()
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=40, choices=NotificationKind)
    level = models.CharField(max_length=8, choices=Level, default=Level.INFO)
    title = models.CharField(max_length=200)
    body = models.CharField(max_length=500, blank=True)
    url = models.CharField(max_length=300, blank=True)
    # The fact that it tells of; a handler that runs twice tells it once.
    dedupe_key = models.CharField(max_length=120)
    read_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "notifications_notification"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant_id", "user_id", "seq"], name="notification_seq_unique"),
            models.UniqueConstraint(fields=["tenant_id", "user_id", "dedupe_key"], name="notification_told_once"),
            models.CheckConstraint(condition=models.Q(level__in=Level.values), name="notification_level_known"),
            models.CheckConstraint(
                condition=models.Q(url="") | models.Q(url__regex=r"^/([^/\\]|$)"), name="notification_url_is_a_path"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant_id", "user_id", "-id"], name="notification_recent"),
            models.Index(
                fields=["tenant_id", "user_id", "-id"],
                condition=models.Q(read_at__isnull=True),
                name="notification_unread_recent",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class DeliveryState(models.TextChoices):
    """The life of an e-mail: QUEUED → SENDING → SENT, back to QUEUED after a failure, FAILED in the end."""

    QUEUED = "QUEUED"
    SENDING = "SENDING"
    SENT = "SENT"
    FAILED = "FAILED"


class EmailDelivery(models.Model):
    """An e-mail that is owed. Subject and values are frozen when it is queued; text and attachment when it is sent.

    `next_attempt_at` says when a QUEUED row is due and until when a SENDING row belongs to the worker that took it.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant_id = models.UUIDField(null=True)
    to = models.EmailField("recipient", max_length=254)
    locale = models.CharField(max_length=10)
    template = models.CharField(max_length=40)
    context = models.JSONField(default=dict)
    subject = models.CharField(max_length=200)
    from_name = models.CharField(max_length=100, blank=True)
    reply_to = models.EmailField(max_length=254, blank=True)
    attachment_kind = models.CharField(max_length=20, blank=True)
    attachment_id = models.UUIDField(null=True)
    attachment_name = models.CharField(max_length=150, blank=True)
    related_type = models.CharField(max_length=40, blank=True)
    related_id = models.UUIDField(null=True)
    dedupe_key = models.CharField(max_length=150, unique=True)
    state = models.CharField(max_length=8, choices=DeliveryState, default=DeliveryState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)
    sent_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "notifications_email_delivery"
        verbose_name = "e-mail delivery"
        verbose_name_plural = "e-mail deliveries"
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(state__in=DeliveryState.values), name="email_state_known"),
            models.CheckConstraint(
                condition=models.Q(state="SENT", sent_at__isnull=False)
                | (~models.Q(state="SENT") & models.Q(sent_at__isnull=True)),
                name="email_sent_at_when_sent",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=("QUEUED", "SENDING")) | models.Q(next_attempt_at__isnull=False),
                name="email_waiting_has_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(attachment_kind="", attachment_id__isnull=True)
                | (~models.Q(attachment_kind="") & models.Q(attachment_id__isnull=False, tenant_id__isnull=False)),
                name="email_attachment_whole",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(state__in=("QUEUED", "SENDING")),
                name="email_delivery_due",
            ),
            models.Index(fields=["tenant_id", "related_type", "related_id", "-id"], name="email_delivery_related"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} → {self.to}"
