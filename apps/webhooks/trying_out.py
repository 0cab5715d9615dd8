"""Trying an endpoint out: a message that tells of nothing and goes before all others, for somebody looks on."""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import IllegalState
from apps.core.tenants import current_tenant_id
from apps.tenancy import selectors as tenancy
from apps.webhooks import endpoint_secrets, endpoints, owing, recording
from apps.webhooks.catalogue import TEST
from apps.webhooks.errors import AlreadyTesting
from apps.webhooks.models import Delivery, DeliveryState, Endpoint
from apps.webhooks.selectors import PERMISSION, DeliveryView, delivery_view, endpoint_view
from apps.webhooks.sending import TEST_PATIENCE

# Who looks whether a test is under way before he begins one does so alone.
_ONE_TESTER = "select pg_advisory_xact_lock(hashtextextended('webhooks.test:' || %s, 0))"
_MESSAGE = "This is a test from Insula. Nothing happened."


def send_test_event(*, actor: Actor, endpoint_id: UUID, now: datetime | None = None) -> DeliveryView:
    """Owe an endpoint a test event, whatever it listens to and also while it is disabled.

    A worker calls it at once, one time; the delivery tells how that went. Nothing else follows from a test that fails.
    A workspace has one test at a time, so that those who look on do not take the workers from those who do not.

    Raises:
        PermissionRefused: the actor lacks ``webhooks:write``.
        EndpointNotFound: unknown, or another tenant's.
        IllegalState: the endpoint has no secret because it came by an archive.
        AlreadyTesting: another test of this workspace waits for its answer.
    """
    actor.require(PERMISSION)
    moment = now or utcnow()
    with transaction.atomic():
        endpoint = endpoints.lock(endpoint_id)
        if not endpoint_secrets.has_current(endpoint):
            told = _("Give this endpoint a new secret first: secrets do not travel by archives.")
            raise IllegalState(told, allowed_actions=endpoint_view(endpoint).allowed_actions)
        _require_no_other(moment)
        row = _write(endpoint, moment)
        audit.record(
            actor=actor,
            action="webhooks.endpoint.test",
            entity_type="webhook_endpoint",
            entity_id=endpoint.id,
            entity_label=endpoint.url.partition("?")[0],
            after={"event_id": row.message.event_id},
            tenant_id=current_tenant_id(),
        )
        owing.tell([endpoint.id], due_at=moment)
        return delivery_view(row)


def _require_no_other(now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ONE_TESTER, [str(current_tenant_id())])
    # What waits for longer is never sent, and whose lease is over never answered.
    waits = Q(state=DeliveryState.PENDING, created_at__gt=now - TEST_PATIENCE)
    is_asked = Q(state=DeliveryState.SENDING, next_attempt_at__gt=now)
    tests = Delivery.objects.filter(is_test=True, next_attempt_at__isnull=False)
    if tests.filter(waits | is_asked).exists():
        raise AlreadyTesting(_("Another test waits for its answer. Try again in a moment."))


def _write(endpoint: Endpoint, now: datetime) -> Delivery:
    tenant = tenancy.tenant_by_id(current_tenant_id())
    message = recording.write_message(tenant=tenant, event=TEST, data={"message": _MESSAGE}, subject_id=None, now=now)
    return Delivery.objects.create(
        endpoint=endpoint, message=message, is_test=True, next_attempt_at=now, created_at=now
    )
