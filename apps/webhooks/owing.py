"""What endpoints are owed: noted for the sweep when it is written, and looked through by the sweep."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, Subquery

from apps.core.clock import utcnow
from apps.core.events import publish
from apps.core.tenants import current_tenant_id
from apps.tenancy import due_work
from apps.webhooks.events import DeliveriesOwed
from apps.webhooks.models import Delivery, Endpoint

WORK = "webhooks"
# Who was woken just now is not woken again by sweeps that come close together, as after an outage of the workers.
WOKEN = timedelta(seconds=20)


def tell(endpoint_ids: Iterable[UUID], *, due_at: datetime) -> None:
    """Say, in the transaction that wrote it, that something waits for these endpoints from `due_at` on.

    Whatever makes a delivery due, or due earlier, says so: a worker is woken, and the sweep finds what he leaves.
    """
    owed = tuple(endpoint_ids)
    if owed:
        due_work.note(WORK, due_at=due_at)
        publish(DeliveriesOwed(tenant_id=current_tenant_id(), endpoint_ids=owed, due_at=due_at))


def survey(*, now: datetime | None = None) -> list[UUID]:
    """The endpoints of the current tenant to which something is due now.

    In place of the tenant's notes it leaves one for when the next delivery is due, but not within `WOKEN`; none when
    none waits.
    """
    with transaction.atomic():
        # Taken before anything is read: see `due_work`.
        due_work.take(WORK)
        next_of = Delivery.objects.filter(endpoint=OuterRef("pk"), next_attempt_at__isnull=False)
        next_at = Subquery(next_of.order_by("next_attempt_at").values("next_attempt_at")[:1])
        rows = Endpoint.objects.annotate(next_at=next_at).filter(next_at__isnull=False).order_by("pk")
        waiting = list(rows.values_list("pk", "next_at"))
        if not waiting:
            return []
        moment = now or utcnow()
        due_work.note(WORK, due_at=max(min(due_at for _, due_at in waiting), moment + WOKEN))
        return [endpoint_id for endpoint_id, due_at in waiting if due_at <= moment]
