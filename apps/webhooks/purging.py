"""Removing what was told long ago, with how that went."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from apps.core.clock import utcnow
from apps.webhooks.models import WAITING, Delivery, Message

BATCH = 1_000
# As SQL, because Django would first load every row that goes, with its text.
_ATTEMPTS = "delete from webhooks_attempt where delivery_id = any(%s)"
_DELIVERIES = "delete from webhooks_delivery where id = any(%s)"
_MESSAGES = """
delete from webhooks_message m
 where id = any(%s) and not exists (select from webhooks_delivery d where d.message_id = m.id)
"""


def purge(*, now: datetime | None = None) -> int:
    """Remove messages of the current tenant older than `settings.WEBHOOK_KEEP_DAYS`, with their deliveries and log.

    What is still on its way stays. Returns how many messages went; each thousand in a transaction of its own.
    """
    before, removed = (now or utcnow()) - timedelta(days=settings.WEBHOOK_KEEP_DAYS), 0
    while batch := _remove_some(before):
        removed += batch
    return removed


def _remove_some(before: datetime) -> int:
    waiting = Delivery.objects.filter(message=OuterRef("pk"), state__in=WAITING)
    with transaction.atomic():
        old = Message.objects.filter(~Exists(waiting), occurred_at__lt=before).order_by("occurred_at", "pk")
        chosen = list(old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:BATCH])
        deliveries = Delivery.objects.filter(message__in=chosen)
        # Whoever replays one at this moment keeps it, with its message.
        gone = list(
            deliveries.exclude(state__in=WAITING).select_for_update(skip_locked=True).values_list("pk", flat=True)
        )
        with connection.cursor() as cursor:
            cursor.execute(_ATTEMPTS, [gone])
            cursor.execute(_DELIVERIES, [gone])
            cursor.execute(_MESSAGES, [chosen])
            return int(cursor.rowcount)
