"""What the tenancy app tells the others."""

from dataclasses import dataclass
from uuid import UUID

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


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantSettingsChanged(Event):
    """Name, address, region, tax ids or the address of the pages changed; `changed` names the fields."""

    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainVerified(Event):
    """DNS has shown that the domain is the tenant's; its pages are there from now on."""

    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainLost(Event):
    """Nothing is at the domain any more: DNS stopped naming the tenant, or it was `given_up` by its people."""

    domain: str
    given_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandEvent(Event):
    """Something happened to a brand."""

    brand_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandCreated(BrandEvent):
    """A brand was added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandUpdated(BrandEvent):
    """A brand looks or speaks differently; issued invoices keep what they show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandDeleted(BrandEvent):
    """A brand is gone; drafts that named it use the default one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantPurged(Event):
    """Nothing of the tenant is left but its audit trail; its name and slug are free."""

    key: str
    name: str
