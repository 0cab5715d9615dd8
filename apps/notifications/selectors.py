"""Reading notifications: one person's own within one tenant, and the e-mails sent about an object."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Max, QuerySet

from apps.core.actor import Actor
from apps.core.rest.paging import Page, PageRequest, paginate
from apps.core.rest.thin import CompiledList
from apps.notifications.models import EmailDelivery, Notification, NotificationCursor

BELL_ROWS = 8
# The largest value of the column; a greater number cannot be a cursor of ours.
MAX_SEQ = 2**63 - 1


@dataclass(frozen=True, slots=True)
class NotificationView:
    """A notification as its reader sees it. `cursor` is its place in his sequence; `url` a path on the tenant."""

    id: UUID
    cursor: int
    kind: str
    level: str
    title: str
    body: str
    url: str
    is_read: bool
    read_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """An e-mail about an object, for its timeline."""

    id: UUID
    to: str
    template: str
    subject: str
    state: str
    attempts: int
    sent_at: datetime | None
    created_at: datetime


def unread_count(*, actor: Actor, up_to: int = MAX_SEQ) -> int:
    """How many of the actor's notifications in his tenant are unread, as far as the cursor `up_to`."""
    return own(actor).filter(read_at__isnull=True, seq__lte=up_to).count()


def cursor(*, actor: Actor) -> int:
    """The last cursor given to the actor; 0 when he was never told anything."""
    if actor.tenant_id is None or actor.user_id is None:
        return 0
    last = NotificationCursor.objects.filter(tenant_id=actor.tenant_id, user_id=actor.user_id)
    return last.aggregate(last=Max("last_seq"))["last"] or 0


def own(actor: Actor) -> QuerySet[Notification]:
    """Every row of the actor in his tenant; none for somebody who is no member, such as an operator."""
    if actor.tenant_id is None or actor.user_id is None:
        return Notification.objects.none()
    return _of(actor.tenant_id, actor.user_id)


def _of(tenant_id: UUID, user_id: UUID) -> QuerySet[Notification]:
    return Notification.objects.filter(tenant_id=tenant_id, user_id=user_id)


# What `list_notifications` reads of the caller unless told otherwise.
OWN = CompiledList(lambda caller: _of(caller.tenant_id, caller.user_id))


def bell(*, actor: Actor) -> list[NotificationView]:
    """The actor's latest notifications, newest first, as many as the bell shows."""
    return [view(row) for row in own(actor).order_by("-id")[:BELL_ROWS]]


def list_notifications(*, actor: Actor, page: PageRequest, unread: bool = False) -> Page[NotificationView]:
    """A page of the actor's notifications, newest first; only unread ones when asked."""
    rows = own(actor)
    if unread:
        rows = rows.filter(read_at__isnull=True)
    found = paginate(rows, page)
    return Page([view(row) for row in found.rows], found.next_cursor)


def notifications_after(*, actor: Actor, after: int, limit: int) -> list[NotificationView]:
    """What the actor was told since the cursor `after`, oldest first, at most `limit`."""
    return [view(row) for row in own(actor).filter(seq__gt=after).order_by("seq")[:limit]]


def deliveries_for(*, tenant_id: UUID, related_type: str, related_id: UUID) -> list[DeliveryView]:
    """E-mails about one object, oldest first; the caller has checked that the object may be shown."""
    rows = EmailDelivery.objects.filter(tenant_id=tenant_id, related_type=related_type, related_id=related_id)
    names = list(DeliveryView.__dataclass_fields__)
    return [DeliveryView(**values) for values in rows.order_by("id").values(*names)[:100]]


def due_deliveries(*, now: datetime, limit: int) -> list[UUID]:
    """E-mails that wait to be sent, or whose worker vanished, most overdue first."""
    rows = EmailDelivery.objects.filter(state__in=("QUEUED", "SENDING"), next_attempt_at__lte=now)
    return list(rows.order_by("next_attempt_at").values_list("pk", flat=True)[:limit])


def view(row: Notification) -> NotificationView:
    """The plain value of a row."""
    return NotificationView(
        id=row.id,
        cursor=row.seq,
        kind=row.kind,
        level=row.level,
        title=row.title,
        body=row.body,
        url=row.url,
        is_read=row.read_at is not None,
        read_at=row.read_at,
        created_at=row.created_at,
    )
