"""How endpoints do, counted for pages: the outcomes of their last deliveries, and deliveries by state."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef

from apps.core.actor import Actor
from apps.webhooks.models import Delivery, DeliveryState, Endpoint
from apps.webhooks.selectors import PERMISSION, DeliveryFilters

LAST = 12


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The states of an endpoint's last deliveries, the newest last; tests are none of them."""

    states: tuple[str, ...] = ()

    @property
    def arrived(self) -> int:
        """How many were taken."""
        return self.states.count(DeliveryState.SUCCEEDED)

    @property
    def ended(self) -> int:
        """How many are over, one way or the other."""
        return self.arrived + self.states.count(DeliveryState.DEAD)


def last_outcomes(*, actor: Actor, endpoint_ids: Iterable[UUID]) -> dict[UUID, Outcomes]:
    """Of each of these endpoints, in one query.

    Raises:
        PermissionRefused: the actor lacks ``webhooks:write``.
    """
    actor.require(PERMISSION)
    last = Delivery.objects.filter(endpoint=OuterRef("pk"), is_test=False).order_by("-id").values("state")[:LAST]
    rows = Endpoint.objects.filter(pk__in=list(endpoint_ids)).values_list("pk", ArraySubquery(last))
    return {endpoint_id: Outcomes(tuple(reversed(states))) for endpoint_id, states in rows}


def count_by_state(*, actor: Actor, filters: DeliveryFilters) -> dict[str, int]:
    """How many deliveries there are in each state, whatever state `filters` name.

    Raises:
        PermissionRefused: the actor lacks ``webhooks:write``.
    """
    actor.require(PERMISSION)
    rows = Delivery.objects.all()
    if filters.endpoint_id:
        rows = rows.filter(endpoint_id=filters.endpoint_id)
    if filters.event_type:
        rows = rows.filter(message__type=filters.event_type)
    counted = rows.values_list("state").annotate(Count("pk")).order_by()
    return dict.fromkeys(DeliveryState.values, 0) | dict(counted)
