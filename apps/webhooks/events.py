"""What the webhooks app tells the others, and itself."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveriesOwed(Event):
    """Something waits to be sent to these endpoints, from `due_at` on."""

    endpoint_ids: tuple[UUID, ...]
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointDisabled(Event):
    """The platform gave an endpoint up. `reason` is ``FAILING`` (since `failing_since`) or ``GONE`` (it said 410)."""

    endpoint_id: UUID
    url: str
    reason: str
    failing_since: datetime | None
