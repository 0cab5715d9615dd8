"""Sending again: one delivery, or everything that an endpoint missed since a moment."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import IllegalState, ValidationFailed
from apps.core.tenants import current_tenant_id
from apps.webhooks import endpoints, owing
from apps.webhooks.catalogue import EVENT_TYPES
from apps.webhooks.errors import DeliveryNotFound
from apps.webhooks.models import Delivery, DeliveryState, Endpoint, Message
from apps.webhooks.selectors import PERMISSION, DeliveryView, delivery_view, endpoint_view

# What will be purged within that time is not sent again.
_NEARLY_PURGED = timedelta(hours=1)


def replay(*, actor: Actor, delivery_id: UUID, now: datetime | None = None) -> DeliveryView:
    """Send a message again that was delivered or given up, with all its attempts before it; its id is the same.

    Raises:
        PermissionRefused: the actor lacks ``webhooks:write``.
        DeliveryNotFound: unknown, another tenant's, or purged.
        IllegalState: it is on its way, is a test, or its endpoint is disabled.
    """
    actor.require(PERMISSION)
    moment = now or utcnow()
    with transaction.atomic():
        rows = Delivery.objects.filter(pk=delivery_id)
        endpoint_id = rows.values_list("endpoint_id", flat=True).first()
        if endpoint_id is None:
            raise DeliveryNotFound
        # The endpoint first, as everybody who takes both.
        endpoint = endpoints.lock(endpoint_id)
        row = rows.select_for_update(of=("self",)).select_related("message").first()
        if row is None:
            raise DeliveryNotFound
        row.endpoint = endpoint
        if not delivery_view(row).allowed_actions:
            told = _("Only what was delivered or given up can be sent again, to an enabled endpoint.")
            raise IllegalState(told, allowed_actions=[])
        before = {"state": row.state, "attempts": row.attempts}
        row.state, row.next_attempt_at, row.completed_at, row.round_attempts = (
            DeliveryState.PENDING, moment, None, 0
        )  # fmt: skip
        row.save(update_fields=["state", "next_attempt_at", "completed_at", "round_attempts"])
        audit.record(
            actor=actor,
            action="webhooks.delivery.replay",
            entity_type="webhook_delivery",
            entity_id=row.id,
            entity_label=f"{row.message.type} {row.message.event_id}",
            before=before,
            after={"state": row.state},
            tenant_id=current_tenant_id(),
        )
        owing.tell([endpoint.id], due_at=moment)
        return delivery_view(row)


def replay_since(
    *, actor: Actor, endpoint_id: UUID, since: datetime, only_dead: bool = True, now: datetime | None = None
) -> int:
    """Send an endpoint again what it listens to and did not get since a moment; returns how many messages.

    That is what was given up and what happened while it was disabled; without `only_dead` also what it took. The
    oldest come first, `settings.WEBHOOK_REPLAY_MOST` at most: whoever needs more calls again.

    Raises:
        PermissionRefused: the actor lacks ``webhooks:write``.
        EndpointNotFound: unknown, or another tenant's.
        IllegalState: it is disabled.
        ValidationFailed: the moment is still to come.
    """
    actor.require(PERMISSION)
    moment = now or utcnow()
    if since > moment:
        raise ValidationFailed.one("since", "in_future", _("Name a moment that has passed."))
    with transaction.atomic():
        endpoint = endpoints.lock(endpoint_id)
        if not endpoint.is_enabled:
            told = _("Enable this endpoint first.")
            raise IllegalState(told, allowed_actions=endpoint_view(endpoint).allowed_actions)
        kept_since = moment - timedelta(days=settings.WEBHOOK_KEEP_DAYS) + _NEARLY_PURGED
        missed = _missed(endpoint, max(since, kept_since), only_dead=only_dead)
        queued = _queue_again([row_id for _, row_id in missed if row_id], moment)
        fresh = [message_id for message_id, row_id in missed if row_id is None]
        Delivery.objects.bulk_create(
            Delivery(endpoint=endpoint, message_id=message_id, next_attempt_at=moment, created_at=moment)
            for message_id in fresh
        )
        if not queued + len(fresh):
            return 0
        audit.record(
            actor=actor,
            action="webhooks.endpoint.replay",
            entity_type="webhook_endpoint",
            entity_id=endpoint.id,
            entity_label=endpoint.url.partition("?")[0],
            after={"since": since.isoformat(), "only_dead": only_dead, "messages": queued + len(fresh)},
            tenant_id=current_tenant_id(),
        )
        owing.tell([endpoint.id], due_at=moment)
        return queued + len(fresh)


def _missed(endpoint: Endpoint, since: datetime, *, only_dead: bool) -> list[tuple[UUID, UUID | None]]:
    """Messages, and the endpoint's deliveries of them where there are any, the oldest first."""
    heard = [each.name for each in EVENT_TYPES if set(each.patterns) & set(endpoint.event_types)]
    own = Delivery.objects.filter(message=OuterRef("pk"), endpoint=endpoint)
    wanted = Q(state=None) | Q(state=DeliveryState.DEAD)
    if not only_dead:
        wanted |= Q(state=DeliveryState.SUCCEEDED)
    rows = Message.objects.filter(occurred_at__gte=since, type__in=heard).annotate(
        delivery_id=Subquery(own.values("pk")[:1]), state=Subquery(own.values("state")[:1])
    )
    return list(
        rows.filter(wanted)
        .order_by("occurred_at", "pk")
        .values_list("pk", "delivery_id")[: settings.WEBHOOK_REPLAY_MOST]
    )


def _queue_again(delivery_ids: list[UUID], now: datetime) -> int:
    ended = (DeliveryState.DEAD, DeliveryState.SUCCEEDED)
    return Delivery.objects.filter(pk__in=delivery_ids, state__in=ended).update(
        state=DeliveryState.PENDING, next_attempt_at=now, completed_at=None, round_attempts=0
    )
