"""How many members a tenant may have."""

from uuid import UUID

from django.conf import settings

from apps.core.errors import PlanLimitReached
from apps.iam.models import Membership, MembershipStatus


def seats_of(tenant_id: UUID) -> int | None:
    """The seats of a tenant's plan; None when there is no limit. Every tenant has the installation's own number."""
    return settings.SEATS_PER_WORKSPACE or None


def seats_taken(tenant_id: UUID) -> int:
    """Everybody but those who were removed: who is banned keeps his seat."""
    return Membership.objects.filter(tenant_id=tenant_id).exclude(status=MembershipStatus.REMOVED).count()


def require_free_seat(tenant_id: UUID) -> None:
    """Check that one more may join; the caller holds the tenant's turn (`standing.take_turns`).

    Raises:
        PlanLimitReached: every seat is taken.
    """
    seats = seats_of(tenant_id)
    if seats is not None and seats_taken(tenant_id) >= seats:
        raise PlanLimitReached(f"All {seats} seats of this workspace are taken.", limit="seats", seats=seats)
