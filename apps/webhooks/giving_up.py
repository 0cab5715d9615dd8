"""Telling an endpoint nothing more: a member says so, it failed too long, or it asked for it."""

from datetime import datetime, timedelta

from django.db.models import Q
from prometheus_client import Counter

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.actor import Actor, system
from apps.core.events import publish
from apps.core.tenants import current_tenant_id
from apps.webhooks.events import EndpointDisabled
from apps.webhooks.models import WAITING, Delivery, DeliveryState, DisabledReason, Endpoint

PATIENCE = timedelta(days=5)
# A message that failed less often says too little: after a quiet week one bad minute is no week of failure.
ENOUGH_ATTEMPTS = 5
_UNHEARD = "The endpoint was disabled."
_DISABLED = Counter("insula_webhook_endpoints_disabled_total", "Webhook endpoints that were disabled", ["reason"])


def has_failed_too_long(endpoint: Endpoint, *, attempts: int, now: datetime) -> bool:
    """Whether nothing has reached it for `PATIENCE`, and a message of now has failed `attempts` times, too."""
    if endpoint.failing_since is None or attempts < ENOUGH_ATTEMPTS:
        return False
    return now - endpoint.failing_since >= PATIENCE


def disable(endpoint: Endpoint, reason: DisabledReason, *, actor: Actor, now: datetime) -> None:
    """Disable a locked endpoint; what waits for it is dead and can be replayed when it is enabled again."""
    endpoint.is_enabled, endpoint.disabled_reason, endpoint.disabled_at = False, reason, now
    endpoint.updated_at = now
    endpoint.save(update_fields=["is_enabled", "disabled_reason", "disabled_at", "updated_at"])
    let_go_of_waiting(endpoint, now=now)
    audit.record(
        actor=actor,
        action="webhooks.endpoint.disable",
        entity_type="webhook_endpoint",
        entity_id=endpoint.id,
        entity_label=endpoint.url.partition("?")[0],
        before={"is_enabled": True},
        after={"is_enabled": False, "reason": str(reason)},
        severity=Severity.MEDIUM,
        tenant_id=current_tenant_id(),
    )
    _DISABLED.labels(str(reason)).inc()


def give_up(endpoint: Endpoint, reason: DisabledReason, *, now: datetime) -> None:
    """`disable`, by the platform itself; those who look after the endpoint hear of it."""
    disable(endpoint, reason, actor=system(current_tenant_id()), now=now)
    publish(
        EndpointDisabled(
            tenant_id=current_tenant_id(),
            endpoint_id=endpoint.id,
            url=endpoint.url,
            reason=str(reason),
            failing_since=endpoint.failing_since,
        )
    )


def let_go_of_waiting(endpoint: Endpoint, *, now: datetime) -> int:
    """End what waits for a disabled endpoint, save tests and calls under way; returns how many deliveries that were."""
    idle = Q(state=DeliveryState.PENDING) | Q(next_attempt_at__lte=now)
    return Delivery.objects.filter(idle, endpoint=endpoint, is_test=False, state__in=WAITING).update(
        state=DeliveryState.DEAD, next_attempt_at=None, completed_at=now, last_error=_UNHEARD
    )
