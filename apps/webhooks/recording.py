"""Writing down what endpoints are owed, in the transaction of whoever tells a fact."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.core import correlation, ids, tracing
from apps.core.clock import utcnow
from apps.core.rest.rendering import JsonRenderer
from apps.core.tenants import current_tenant_id
from apps.tenancy import selectors as tenancy
from apps.tenancy.selectors import TenantView
from apps.webhooks import owing
from apps.webhooks.catalogue import VERSION, EventType
from apps.webhooks.models import Delivery, Message
from apps.webhooks.representations import REPRESENTED

# Held until the commit, so that an endpoint that is deleted meanwhile waits for the fact and not the fact for it.
_LISTENERS = "select id, is_enabled from webhooks_endpoint where event_types && %s::varchar[] for key share"


def tell(*, event: EventType, subject_id: UUID, now: datetime | None = None) -> UUID | None:
    """Owe a fact of the current tenant to every enabled endpoint that listens; the message's id, None without any.

    `subject_id`: the thing that the fact is about; how the API shows it is asked only when somebody listens. Disabled
    endpoints are owed nothing, but the message is kept for them, so that it can be replayed.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LISTENERS, [list(event.patterns)])
        listeners = cursor.fetchall()
    if not listeners:
        return None
    moment, tenant = now or utcnow(), tenancy.tenant_by_id(current_tenant_id())
    data = REPRESENTED[event.resource](tenant.id, subject_id)
    message = write_message(tenant=tenant, event=event, data=data, subject_id=subject_id, now=moment)
    owed = [endpoint_id for endpoint_id, is_enabled in listeners if is_enabled]
    Delivery.objects.bulk_create(
        Delivery(endpoint_id=endpoint_id, message=message, next_attempt_at=moment, created_at=moment)
        for endpoint_id in owed
    )
    owing.tell(owed, due_at=moment)
    return message.id


def write_message(
    *, tenant: TenantView, event: EventType, data: Mapping[str, Any], subject_id: UUID | None, now: datetime
) -> Message:
    """The message of one fact, with the text that every endpoint gets."""
    span = tracing.current()
    message = Message(
        id=ids.uuid7(),
        type=event.name,
        subject_id=subject_id,
        correlation_id=correlation.current()[:64],
        traceparent=span.header if span else "",
        occurred_at=now,
    )
    envelope = {
        "id": message.event_id,
        "type": event.name,
        "version": VERSION,
        "timestamp": now,
        "tenant": {"key": tenant.key, "slug": tenant.slug},
        "data": data,
    }
    message.payload = JsonRenderer().render(envelope).decode()
    message.save(force_insert=True)
    return message
