"""Trying an endpoint out: one message that tells of nothing, sent at once, with its answer."""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import IllegalState
from apps.core.tenants import assert_no_transaction, current_tenant_id
from apps.tenancy import selectors as tenancy
from apps.webhooks import calling, endpoint_secrets, endpoints, recording, sending
from apps.webhooks.calling import TOTAL_SECONDS, Job
from apps.webhooks.catalogue import TEST
from apps.webhooks.errors import AlreadyTesting
from apps.webhooks.models import Delivery, DeliveryState
from apps.webhooks.selectors import PERMISSION, DeliveryDetail, delivery_detail, endpoint_view

# Who looks whether a test is under way before he begins one does so alone.
_ONE_TESTER = "select pg_advisory_xact_lock(hashtextextended('webhooks.test:' || %s, 0))"
_MESSAGE = "This is a test from Insula. Nothing happened."


def send_test_event(
    *, actor: Actor, endpoint_id: UUID, total_seconds: float = TOTAL_SECONDS, now: datetime | None = None
) -> DeliveryDetail:
    """Call an endpoint once, now, whatever it listens to and also while it is disabled; tells how that went.

    No transaction may be open: it waits for the answer, `total_seconds` at most. Nothing else follows from a test that
    fails, and it is not tried again. Whoever asks waits in a thread that serves requests, so a workspace has one test
    at a time.

    Raises:
        PermissionRefused: the actor lacks ``webhooks:write``.
        EndpointNotFound: unknown, or another tenant's.
        IllegalState: the endpoint has no secret because it came by an archive.
        AlreadyTesting: another test of this workspace waits for its answer.
    """
    actor.require(PERMISSION)
    assert_no_transaction("Trying a webhook endpoint out")
    job = _prepare(actor, endpoint_id, now or utcnow())
    sending.settle(job, calling.call(job, total_seconds=total_seconds))
    with transaction.atomic():
        return delivery_detail(delivery_id=job.delivery_id)


def _prepare(actor: Actor, endpoint_id: UUID, now: datetime) -> Job:
    with transaction.atomic():
        endpoint = endpoints.lock(endpoint_id)
        if not endpoint_secrets.has_current(endpoint):
            told = _("Give this endpoint a new secret first: secrets do not travel by archives.")
            raise IllegalState(told, allowed_actions=endpoint_view(endpoint).allowed_actions)
        with connection.cursor() as cursor:
            cursor.execute(_ONE_TESTER, [str(current_tenant_id())])
        tests = Delivery.objects.filter(state=DeliveryState.SENDING, is_test=True, next_attempt_at__gt=now)
        if tests.exists():
            raise AlreadyTesting(_("Another test waits for its answer. Try again in a moment."))
        tenant = tenancy.tenant_by_id(current_tenant_id())
        message = recording.write_message(
            tenant=tenant, event=TEST, data={"message": _MESSAGE}, subject_id=None, now=now
        )
        # Taken from the start, so that no worker sends it, too.
        row = Delivery.objects.create(
            endpoint=endpoint,
            message=message,
            state=DeliveryState.SENDING,
            is_test=True,
            attempts=1,
            round_attempts=1,
            next_attempt_at=now + sending.LEASE,
            created_at=now,
        )
        audit.record(
            actor=actor,
            action="webhooks.endpoint.test",
            entity_type="webhook_endpoint",
            entity_id=endpoint.id,
            entity_label=endpoint.url.partition("?")[0],
            after={"event_id": message.event_id},
            tenant_id=tenant.id,
        )
        return calling.job_of(endpoint=endpoint, row=row, now=now)
