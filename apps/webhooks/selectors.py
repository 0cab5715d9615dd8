"""Reading endpoints, what they were owed, and how that went. Whoever may set webhooks up may see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.core import versions
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import FieldError, ValidationFailed
from apps.core.rest.paging import Page, PageRequest, paginate
from apps.webhooks.catalogue import CATALOGUE
from apps.webhooks.errors import DeliveryNotFound, EndpointNotFound
from apps.webhooks.models import WAITING, Attempt, Delivery, DeliveryState, Endpoint

__all__ = [
    "PERMISSION",
    "AttemptView",
    "DeliveryDetail",
    "DeliveryFilters",
    "DeliveryView",
    "EndpointView",
    "delivery_view",
    "endpoint_view",
    "get_delivery",
    "get_endpoint",
    "list_deliveries",
    "list_endpoints",
]

PERMISSION = "webhooks:write"
UPDATE, ROTATE, ENABLE, DISABLE = "update", "rotate_secret", "enable", "disable"
DELETE, TEST, REPLAY_SINCE, REPLAY = "delete", "test", "replay_since", "replay"
# A delivery may be replayed as often as somebody likes.
MOST_ATTEMPTS_SHOWN = 100
_EDITED = ("url", "description", "event_types", "is_enabled")


@dataclass(frozen=True, slots=True)
class EndpointView:
    """An endpoint as others see it; its secrets are told by their last four signs, `waiting` counts deliveries."""

    id: UUID
    url: str
    description: str
    event_types: tuple[str, ...]
    is_enabled: bool
    disabled_reason: str
    disabled_at: datetime | None
    failing_since: datetime | None
    secret_hint: str
    former_secret_until: datetime | None
    waiting: int
    created_at: datetime
    updated_at: datetime

    @property
    def version(self) -> str:
        """The version of what people edit."""
        return versions.version_of({name: getattr(self, name) for name in _EDITED})

    @property
    def allowed_actions(self) -> tuple[str, ...]:
        """What may be done with it now, by anyone who may set webhooks up. Without a secret nothing is sent."""
        always = (UPDATE, ROTATE, DELETE)
        if self.is_enabled:
            return (*always, DISABLE, TEST, REPLAY_SINCE)
        return (*always, ENABLE, TEST) if self.secret_hint else always


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """What one endpoint is owed of one fact, and how far that is."""

    id: UUID
    endpoint_id: UUID
    endpoint_url: str
    event_id: str
    event_type: str
    subject_id: UUID | None
    state: str
    is_test: bool
    attempts: int
    next_attempt_at: datetime | None
    last_status: int | None
    last_error: str
    occurred_at: datetime
    completed_at: datetime | None
    created_at: datetime
    allowed_actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One call. Without a `status` nobody answered, and `error` says why."""

    number: int
    started_at: datetime
    duration_ms: int
    status: int | None
    error: str
    request_headers: dict[str, str]
    response_headers: dict[str, str]
    response_body: str


@dataclass(frozen=True, slots=True)
class DeliveryDetail:
    """A delivery with the exact text that is sent and its last `MOST_ATTEMPTS_SHOWN` attempts, the first one first."""

    delivery: DeliveryView
    payload: str
    log: tuple[AttemptView, ...]


@dataclass(frozen=True, slots=True)
class DeliveryFilters:
    """What a caller asks for; empty values mean no limit."""

    endpoint_id: UUID | None = None
    state: str = ""
    event_type: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "DeliveryFilters":
        """Read ``endpoint_id, state, event_type`` of a query string; states in either case.

        Raises:
            ValidationFailed: a value is not one of the possible ones.
        """
        errors: list[FieldError] = []
        endpoint_id, state, event_type = None, query.get("state", "").upper(), query.get("event_type", "")
        try:
            endpoint_id = UUID(query["endpoint_id"]) if query.get("endpoint_id") else None
        except ValueError:
            errors.append(FieldError("endpoint_id", "invalid", "endpoint_id is the id of an endpoint."))
        if state and state not in DeliveryState.values:
            told = ", ".join(DeliveryState.values).lower()
            errors.append(FieldError("state", "unknown", f"state is one of {told}."))
        if event_type and event_type not in CATALOGUE:
            errors.append(FieldError("event_type", "unknown", "There is no such type of event."))
        if errors:
            raise ValidationFailed(errors)
        return cls(endpoint_id, state, event_type)


def list_endpoints(*, actor: Actor, page: PageRequest) -> Page[EndpointView]:
    """The workspace's endpoints, newest first.

    Raises:
        PermissionRefused: the actor lacks ``webhooks:write``.
    """
    actor.require(PERMISSION)
    found = paginate(_endpoints(), page)
    return Page([endpoint_view(row) for row in found.rows], found.next_cursor)


def get_endpoint(*, actor: Actor, endpoint_id: UUID) -> EndpointView:
    """One endpoint.

    Raises:
        PermissionRefused: the actor lacks ``webhooks:write``.
        EndpointNotFound: unknown, or another tenant's.
    """
    actor.require(PERMISSION)
    row = _endpoints().filter(pk=endpoint_id).first()
    if row is None:
        raise EndpointNotFound
    return endpoint_view(row)


def list_deliveries(*, actor: Actor, page: PageRequest, filters: DeliveryFilters) -> Page[DeliveryView]:
    """What endpoints were owed, newest first.

    Raises:
        PermissionRefused: the actor lacks ``webhooks:write``.
    """
    actor.require(PERMISSION)
    rows = _deliveries()
    if filters.endpoint_id:
        rows = rows.filter(endpoint_id=filters.endpoint_id)
    if filters.state:
        rows = rows.filter(state=filters.state)
    if filters.event_type:
        rows = rows.filter(message__type=filters.event_type)
    found = paginate(rows, page)
    return Page([delivery_view(row) for row in found.rows], found.next_cursor)


def get_delivery(*, actor: Actor, delivery_id: UUID) -> DeliveryDetail:
    """One delivery with its text and its log.

    Raises:
        PermissionRefused: the actor lacks ``webhooks:write``.
        DeliveryNotFound: unknown, another tenant's, or purged.
    """
    actor.require(PERMISSION)
    row = Delivery.objects.select_related("endpoint", "message").filter(pk=delivery_id).first()
    if row is None:
        raise DeliveryNotFound
    last = reversed(row.log.order_by("-number")[:MOST_ATTEMPTS_SHOWN])
    log = tuple(_attempt_view(attempt) for attempt in last)
    return DeliveryDetail(delivery_view(row), row.message.payload, log)


def endpoint_view(row: Endpoint) -> EndpointView:
    """The plain value of a row; what was not loaded with it is asked now."""
    now = utcnow()
    secrets = [secret for secret in row.secrets.all() if secret.sealed_secret]
    hint = next((secret.hint for secret in secrets if secret.expires_at is None), "")
    former = [secret.expires_at for secret in secrets if secret.expires_at and secret.expires_at > now]
    waiting = getattr(row, "waiting", None)
    return EndpointView(
        id=row.id,
        url=row.url,
        description=row.description,
        event_types=tuple(row.event_types),
        is_enabled=row.is_enabled,
        disabled_reason=row.disabled_reason,
        disabled_at=row.disabled_at,
        failing_since=row.failing_since,
        secret_hint=hint,
        former_secret_until=max(former, default=None),
        waiting=row.deliveries.filter(state__in=WAITING).count() if waiting is None else waiting,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def delivery_view(row: Delivery) -> DeliveryView:
    """The plain value of a row whose endpoint and message are loaded."""
    is_queued = row.state == DeliveryState.PENDING
    may_replay = row.state not in WAITING and not row.is_test and row.endpoint.is_enabled
    return DeliveryView(
        id=row.id,
        endpoint_id=row.endpoint_id,
        endpoint_url=row.endpoint.url,
        event_id=row.message.event_id,
        event_type=row.message.type,
        subject_id=row.message.subject_id,
        state=row.state,
        is_test=row.is_test,
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at if is_queued else None,
        last_status=row.last_status,
        last_error=row.last_error,
        occurred_at=row.message.occurred_at,
        completed_at=row.completed_at,
        created_at=row.created_at,
        allowed_actions=(REPLAY,) if may_replay else (),
    )


def _attempt_view(row: Attempt) -> AttemptView:
    names: dict[str, Any] = {name: getattr(row, name) for name in AttemptView.__dataclass_fields__}
    return AttemptView(**names)


def _endpoints() -> QuerySet[Endpoint]:
    # By the index of what is due; deliveries that ended are many.
    owed = Delivery.objects.filter(endpoint=OuterRef("pk"), next_attempt_at__isnull=False).order_by()
    waiting = owed.values("endpoint").annotate(number=Count("pk")).values("number")
    return Endpoint.objects.prefetch_related("secrets").annotate(waiting=Coalesce(Subquery(waiting), 0))


def _deliveries() -> QuerySet[Delivery]:
    # The text of a message is long and no list shows it.
    return Delivery.objects.select_related("endpoint", "message").defer("message__payload")
