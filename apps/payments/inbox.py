"""The inbox of gateways' events: stored once, processed exactly once in effect, kept for good.

An event only says where to look: the truth is fetched from the gateway before it is applied, so that events may
come twice, late or in any order.
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction

from apps.audit import services as audit
from apps.core.actor import Actor, gateway
from apps.core.clock import utcnow
from apps.core.errors import GatewayFailed, NotFound, Unavailable
from apps.core.tenants import public_scope, tenant_scope
from apps.payments.choices import GatewayEventStatus
from apps.payments.gateways.base import Message, PaymentFacts, Subject
from apps.payments.gateways.registry import CHECKOUT
from apps.payments.models import GatewayEvent, Payment
from apps.payments.settling import apply_facts
from apps.tenancy import selectors as tenancy
from apps.tenancy.selectors import TenantView

logger = structlog.get_logger(__name__)

# Longer than a worker may take for one event; a worker that dies leaves the event to the sweep after this.
LEASE = timedelta(minutes=2)
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=10), timedelta(hours=6)
MOST_ATTEMPTS = 20
BATCH = 100
_OPEN = (GatewayEventStatus.RECEIVED, GatewayEventStatus.FAILED)


class EventNotFound(NotFound):
    """There is no such event."""

    code, title = "gateway_event_not_found", "There is no such event"


def receive(*, provider: str, message: Message, now: datetime | None = None) -> UUID | None:
    """Store a message whose signature held; its row's id, or None when it was stored before."""
    now = now or utcnow()
    concerns_payments = CHECKOUT.subject_of(message.type, message.payload) is not None
    event = GatewayEvent(
        provider=provider,
        event_id=message.event_id,
        type=message.type,
        live=message.live,
        payload=message.payload,
        occurred_at=message.occurred_at,
        received_at=now,
        status=GatewayEventStatus.RECEIVED if concerns_payments else GatewayEventStatus.IGNORED,
        next_attempt_at=now if concerns_payments else None,
        processed_at=None if concerns_payments else now,
    )
    with transaction.atomic():
        GatewayEvent.objects.bulk_create([event], ignore_conflicts=True)
        stored = GatewayEvent.objects.filter(pk=event.pk, status=GatewayEventStatus.RECEIVED).exists()
    return event.pk if stored else None


def process_event(*, event_row_id: UUID, now: datetime | None = None) -> None:
    """Do what one event asks for, if it is due and nobody else is at it. A failure is written to the row."""
    now = now or utcnow()
    event = _claim(event_row_id, now)
    if event is None:
        return
    try:
        _process(event, now)
    except Exception as error:
        # One event that nobody foresaw must not keep the sweep from the others.
        expected = isinstance(error, GatewayFailed | Unavailable)
        log = logger.warning if expected else logger.exception
        log("payments.event_failed", event_id=event.event_id, type=event.type, error=str(error))
        _postpone(event, f"{type(error).__name__}: {error}", now)


def process_due(*, now: datetime | None = None) -> int:
    """Process what lost hints, crashes and failures left behind; returns how many events were due."""
    with public_scope(), transaction.atomic():
        due = list(
            GatewayEvent.objects.filter(status__in=_OPEN, next_attempt_at__lte=now or utcnow())
            .order_by("next_attempt_at")
            .values_list("pk", flat=True)[:BATCH]
        )
    for event_row_id in due:
        process_event(event_row_id=event_row_id, now=now)
    return len(due)


def process_again(*, actor: Actor, event_row_id: UUID, now: datetime | None = None) -> None:
    """Put an event back into the queue, whatever became of it; doing its work twice changes nothing.

    Raises:
        EventNotFound: there is no such event.
    """
    now = now or utcnow()
    with transaction.atomic():
        event = GatewayEvent.objects.select_for_update().filter(pk=event_row_id).first()
        if event is None:
            raise EventNotFound
        before = {"status": event.status, "attempts": event.attempts, "last_error": event.last_error}
        event.status, event.attempts, event.next_attempt_at = GatewayEventStatus.RECEIVED, 0, now
        event.processed_at = None
        event.save()
        audit.record(
            actor=actor,
            action="payments.gateway_event.process_again",
            entity_type="gateway_event",
            entity_id=event.id,
            entity_label=event.event_id,
            before=before,
            after={"status": event.status},
            tenant_id=event.tenant_id,
        )


def _claim(event_row_id: UUID, now: datetime) -> GatewayEvent | None:
    with public_scope(), transaction.atomic():
        event = (
            GatewayEvent.objects.select_for_update(skip_locked=True)
            .filter(pk=event_row_id, status__in=_OPEN, next_attempt_at__lte=now)
            .first()
        )
        if event is not None:
            event.attempts += 1
            event.next_attempt_at = now + LEASE
            event.save(update_fields=["attempts", "next_attempt_at"])
        return event


def _process(event: GatewayEvent, now: datetime) -> None:
    subject = CHECKOUT.subject_of(event.type, event.payload)
    target = _target(event.provider, subject) if subject is not None else None
    if subject is None or target is None:
        _ignore(event, now)
        return
    tenant, payment_id = target
    with tenant_scope(tenant.scope):
        session_ref, payment_ref = _refs(payment_id, subject)
        if not session_ref and not payment_ref:
            _ignore(event, now)
            return
        facts = CHECKOUT.inspect(session_ref=session_ref, payment_ref=payment_ref)
        _apply(event, tenant, payment_id, facts, now)


def _ignore(event: GatewayEvent, now: datetime) -> None:
    with public_scope(), transaction.atomic():
        _finish(event.pk, GatewayEventStatus.IGNORED, now)


def _apply(event: GatewayEvent, tenant: TenantView, payment_id: UUID, facts: PaymentFacts, now: datetime) -> None:
    with transaction.atomic():
        # The event is the platform's until its tenant is written: the tenant's own role does not see it.
        with public_scope():
            done = _finish(event.pk, GatewayEventStatus.PROCESSED, now, tenant_id=tenant.id, payment_id=payment_id)
        if not done:
            return
        actor = gateway(tenant.id, name=event.provider.title())
        apply_facts(actor=actor, payment_id=payment_id, facts=facts, now=now)


def _target(provider: str, subject: Subject) -> tuple[TenantView, UUID] | None:
    """The payment by the gateway's own ids, else by what we wrote on its objects: the webhook may come before the
    saga has noted the ids.
    """
    with public_scope(), transaction.atomic():
        named = [("checkout_session", subject.session_ref), ("payment_intent", subject.payment_ref)]
        found = next(
            (hit for kind, ref in named if ref and (hit := tenancy.resolve_ref(f"{provider}.{kind}", ref))), None
        )
        if found is None and subject.tenant_id and subject.payment_id:
            found = subject.tenant_id, subject.payment_id
        if found is None:
            return None
        try:
            tenant = tenancy.tenant_by_id(found[0])
        except NotFound:
            return None
    if not tenant.is_readable:
        return None
    with tenant_scope(tenant.scope), transaction.atomic():
        known = Payment.objects.filter(pk=found[1], gateway=provider).exists()
    return (tenant, found[1]) if known else None


def _refs(payment_id: UUID, subject: Subject) -> tuple[str, str]:
    with transaction.atomic():
        known = Payment.objects.values_list("session_ref", "payment_ref").get(pk=payment_id)
    return subject.session_ref or known[0], subject.payment_ref or known[1]


def _finish(
    event_row_id: UUID, status: str, now: datetime, *, tenant_id: UUID | None = None, payment_id: UUID | None = None
) -> bool:
    """Close the event unless somebody else has; in the transaction of what it brought about."""
    changed = GatewayEvent.objects.filter(pk=event_row_id, status__in=_OPEN).update(
        status=status,
        processed_at=now,
        next_attempt_at=None,
        last_error="",
        tenant_id=tenant_id,
        payment_id=payment_id,
    )
    return changed == 1


def _postpone(event: GatewayEvent, error: str, now: datetime) -> None:
    wait = min(FIRST_RETRY * 2 ** min(event.attempts - 1, 20), LONGEST_RETRY)
    with public_scope(), transaction.atomic():
        GatewayEvent.objects.filter(pk=event.pk, status__in=_OPEN).update(
            status=GatewayEventStatus.FAILED,
            last_error=error[:500],
            next_attempt_at=now + wait if event.attempts < MOST_ATTEMPTS else None,
        )
