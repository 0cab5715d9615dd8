"""What the tenancy app tells the others."""

from dataclasses import dataclass

from apps.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantCreated(Event):
    """A tenant's row stands and waits for its schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantProvisioned(Event):
    """The tenant's schema stands and is empty; published in a transaction within that tenant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantStatusChanged(Event):
    """The tenant moved from one state to another."""

    before: str
    after: str
