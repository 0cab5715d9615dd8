"""Who acts: the one value that every service takes first."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from apps.core.errors import PermissionRefused


class ActorKind(StrEnum):
    """What kind of caller an actor is."""

    USER = "USER"
    OPERATOR = "OPERATOR"
    CUSTOMER = "CUSTOMER"
    GATEWAY = "GATEWAY"
    SYSTEM = "SYSTEM"
    DIRECTORY = "DIRECTORY"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, for the audit trail. `source`: ``WEB``, ``API``, ``WEBHOOK``, ``TASK``, ``CLI``."""

    source: str = "TASK"
    ip: str | None = None
    user_agent: str = ""
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """An authenticated caller within at most one tenant, with the permissions that he has there."""

    kind: ActorKind
    tenant_id: UUID | None = None
    user_id: UUID | None = None
    name: str = ""
    email: str = ""
    roles: tuple[str, ...] = ()
    permissions: frozenset[str] = frozenset()
    impersonator_id: UUID | None = None
    # Of a program that came with an API key: it acts as the key's maker, with no more than the key's scopes.
    api_key_id: UUID | None = None
    api_key_name: str = ""
    # Vouched for by the tenant's own identity provider, who speaks for nothing outside this tenant.
    is_federated: bool = False
    is_verified: bool = True  # a person's e-mail; what is no person has nothing to verify
    origin: Origin = field(default_factory=Origin)

    @property
    def is_authenticated(self) -> bool:
        """Always true: an actor exists only after authentication."""
        return True

    def may(self, permission: str) -> bool:
        """Whether the actor holds `permission`; the system and the gateway act under rules of their own."""
        return self.kind in (ActorKind.SYSTEM, ActorKind.GATEWAY) or permission in self.permissions

    def require(self, permission: str) -> None:
        """Check `permission`.

        Raises:
            PermissionRefused: the actor lacks it.
        """
        if not self.may(permission):
            raise PermissionRefused(f"This needs the permission {permission}.", permission=permission)

    def within(self, tenant_id: UUID) -> "Actor":
        """The same actor, acting on `tenant_id` (for the system's own work)."""
        return replace(self, tenant_id=tenant_id)


def system(tenant_id: UUID | None = None, *, origin: Origin | None = None) -> Actor:
    """The platform itself: scheduled work, sweeps, provisioning."""
    return Actor(ActorKind.SYSTEM, tenant_id=tenant_id, name="Insula", origin=origin or Origin())


def gateway(tenant_id: UUID, *, name: str, origin: Origin | None = None) -> Actor:
    """A payment provider telling of money that moved."""
    return Actor(ActorKind.GATEWAY, tenant_id=tenant_id, name=name, origin=origin or Origin(source="WEBHOOK"))


def customer(tenant_id: UUID, *, name: str, email: str, origin: Origin) -> Actor:
    """A tenant's customer, known only by the unguessable link that he followed; holds no permission."""
    return Actor(ActorKind.CUSTOMER, tenant_id=tenant_id, name=name, email=email, origin=origin)


def directory(tenant_id: UUID, *, token_name: str, permissions: frozenset[str], origin: Origin) -> Actor:
    """A tenant's directory, known by one of its tokens; bounded by what the token's maker might do."""
    return Actor(
        ActorKind.DIRECTORY,
        tenant_id=tenant_id,
        name=f"SCIM: {token_name}",
        permissions=permissions,
        origin=origin,
    )
