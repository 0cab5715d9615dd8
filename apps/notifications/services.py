"""Telling people: notifications for members, e-mails that are owed, and what a reader does with his own.

Nothing here reaches the outside. Callers push (`push.poke`) and wake the delivery task after the service returns.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import translation

from apps.audit import services as audit
from apps.core.actor import Actor, ActorKind
from apps.core.clock import utcnow
from apps.core.errors import IllegalState, NotFound, PermissionRefused
from apps.notifications import selectors
from apps.notifications.models import DeliveryState, EmailDelivery, Level, Notification

# A letter's context names here the link that only the mail itself may hold: {"kind", "id"}.
PRIVATE_LINK = "private_link"

_ONE_WRITER = "select pg_advisory_xact_lock(hashtextextended('notifications:' || %s, 0))"
_NEXT_SEQS = """
insert into public.notifications_cursor (id, tenant_id, user_id, last_seq)
select gen_random_uuid(), %s, person, 1 from unnest(%s::uuid[]) as person order by person
    on conflict (tenant_id, user_id) do update set last_seq = public.notifications_cursor.last_seq + 1
returning user_id, last_seq
"""


@dataclass(frozen=True, slots=True)
class Text:
    """What a notification says, in one language."""

    title: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A member to be told, and the language to tell him in."""

    user_id: UUID
    locale: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file to be fetched when the e-mail is sent: `kind` ``invoice`` is that invoice's PDF."""

    kind: str
    object_id: UUID
    filename: str


@dataclass(frozen=True, slots=True)
class Letter:
    """An e-mail in one language. `context` holds display-ready, JSON-ready values for ``templates/emails/``."""

    to: str
    locale: str
    template: str
    subject: str
    context: dict[str, Any] = field(default_factory=dict)
    from_name: str = ""
    reply_to: str = ""
    attachment: Attachment | None = None
    related_type: str = ""
    related_id: UUID | None = None


def notify(
    *,
    tenant_id: UUID,
    recipients: Iterable[Recipient],
    kind: str,
    dedupe_key: str,
    text: Callable[[], Text],
    url: str = "",
    level: str = Level.INFO,
    now: datetime | None = None,
) -> list[UUID]:
    """Tell each recipient once per `dedupe_key`; returns the users newly told, whom the caller pushes to.

    `text` is called in each recipient's language and what it gives is stored. Writers of one tenant take turns
    until commit, so that for every reader the order of commits is the order of `seq` and two changes that tell
    overlapping people cannot lock each other out.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ONE_WRITER, [str(tenant_id)])
        wanted = {recipient.user_id: recipient for recipient in recipients}
        already = Notification.objects.filter(tenant_id=tenant_id, dedupe_key=dedupe_key, user_id__in=wanted)
        for user_id in already.values_list("user_id", flat=True):
            del wanted[user_id]
        if not wanted:
            return []
        seqs = _next_seqs(tenant_id, sorted(wanted))
        created_at = now or utcnow()
        rows = []
        for user_id, recipient in wanted.items():
            with translation.override(recipient.locale):
                said = text()
            rows.append(
                Notification(
                    tenant_id=tenant_id,
                    user_id=user_id,
                    seq=seqs[user_id],
                    kind=kind,
                    level=level,
                    title=said.title[:200],
                    body=said.body[:500],
                    url=url,
                    dedupe_key=dedupe_key,
                    created_at=created_at,
                )
            )
        Notification.objects.bulk_create(rows)
    return list(wanted)


def queue_email(*, letter: Letter, tenant_id: UUID | None, dedupe_key: str, now: datetime | None = None) -> UUID | None:
    """Owe an e-mail, in the caller's transaction; the caller wakes the delivery task.

    Returns its id, or None when `dedupe_key` was queued before.
    """
    at = now or utcnow()
    attachment = letter.attachment
    row, created = EmailDelivery.objects.get_or_create(
        dedupe_key=dedupe_key,
        defaults={
            "tenant_id": tenant_id,
            "to": letter.to,
            "locale": letter.locale,
            "template": letter.template,
            "context": letter.context,
            "subject": " ".join(letter.subject.split())[:200],
            "from_name": " ".join(letter.from_name.split())[:100],
            "reply_to": letter.reply_to,
            "attachment_kind": attachment.kind if attachment else "",
            "attachment_id": attachment.object_id if attachment else None,
            "attachment_name": attachment.filename if attachment else "",
            "related_type": letter.related_type,
            "related_id": letter.related_id,
            "next_attempt_at": at,
            "created_at": at,
        },
    )
    return row.id if created else None


def change_key() -> str:
    """A key for the running change: the same within one transaction, another one in every other.

    For facts that may become true again (an invoice sent twice, paid again after a refund) and so have no id of
    their own. It is PostgreSQL's 64-bit transaction id.

    Raises:
        RuntimeError: no transaction is open.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("There is no change to name outside a transaction.")
    with connection.cursor() as cursor:
        cursor.execute("select pg_current_xact_id()::text")
        return str(cursor.fetchone()[0])


def mark_read(*, actor: Actor, notification_id: UUID, is_read: bool, now: datetime | None = None) -> str:
    """Mark one of the actor's own notifications read or unread; returns its path for whoever opens it.

    Raises:
        NotFound: unknown, or somebody else's.
    """
    with transaction.atomic():
        row = selectors.own(actor).select_for_update().filter(pk=notification_id).first()
        if row is None:
            raise NotFound("There is no such notification.")
        if is_read != (row.read_at is not None):
            row.read_at = (now or utcnow()) if is_read else None
            row.save(update_fields=["read_at"])
    return row.url


def mark_all_read(*, actor: Actor, now: datetime | None = None) -> int:
    """Mark everything that the actor was told as read; returns how many were unread."""
    with transaction.atomic():
        return selectors.own(actor).filter(read_at__isnull=True).update(read_at=now or utcnow())


def delete_notification(*, actor: Actor, notification_id: UUID) -> None:
    """Remove one of the actor's own notifications.

    Raises:
        NotFound: unknown, somebody else's, or removed before.
    """
    with transaction.atomic():
        removed, _ = selectors.own(actor).filter(pk=notification_id).delete()
        if not removed:
            raise NotFound("There is no such notification.")


def delete_all(*, actor: Actor) -> int:
    """Remove all of the actor's own notifications; returns how many there were."""
    with transaction.atomic():
        removed, _ = selectors.own(actor).delete()
    return removed


def retry_email(*, actor: Actor, delivery_id: UUID, now: datetime | None = None) -> None:
    """Give a failed e-mail a new set of attempts; the caller wakes the delivery task.

    Raises:
        PermissionRefused: the actor is not an operator with the right to change things.
        NotFound: there is no such e-mail.
        IllegalState: the e-mail has not failed.
    """
    if actor.kind is not ActorKind.OPERATOR:
        raise PermissionRefused
    with transaction.atomic():
        row = EmailDelivery.objects.select_for_update().filter(pk=delivery_id).first()
        if row is None:
            raise NotFound("There is no such e-mail.")
        if row.state != DeliveryState.FAILED:
            raise IllegalState("Only a failed e-mail can be sent again.", allowed_actions=[])
        before = {"state": row.state, "attempts": row.attempts, "last_error": row.last_error}
        row.state, row.attempts, row.next_attempt_at = DeliveryState.QUEUED, 0, now or utcnow()
        row.save(update_fields=["state", "attempts", "next_attempt_at"])
        audit.record(
            actor=actor,
            action="notifications.email.retry",
            entity_type="email_delivery",
            entity_id=row.id,
            entity_label=str(row),
            before=before,
            after={"state": row.state, "attempts": 0},
            tenant_id=row.tenant_id,
        )


def _next_seqs(tenant_id: UUID, user_ids: list[UUID]) -> dict[UUID, int]:
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_SEQS, [tenant_id, user_ids])
        return dict(cursor.fetchall())
