"""Reading people, memberships and who is signed in."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.core import versions
from apps.core.actor import Actor, Origin
from apps.core.clock import utcnow
from apps.core.errors import NotFound
from apps.core.rest.paging import Page, PageRequest, paginate
from apps.core.tenants import public_scope
from apps.iam import assigned, identity, standing, tokens
from apps.iam.errors import InvalidToken
from apps.iam.identity import Identity
from apps.iam.keys import key_ring
from apps.iam.mfa_policy import is_admitted
from apps.iam.models import Channel, Invitation, Membership, MembershipStatus, User
from apps.iam.permissions import CUSTOMISABLE, roles_with
from apps.iam.role_models import RoleGrant
from apps.tenancy import selectors as tenancy
from apps.tenancy.selectors import TenantStatus, TenantView

__all__ = [
    "Identity",
    "MemberView",
    "ProfileView",
    "WorkspaceView",
    "actor_for_member",
    "get_member",
    "get_profile",
    "identified_by_token",
    "identity_of_session",
    "identity_of_token",
    "is_admitted",
    "jwks",
    "list_invitations",
    "list_members",
    "member_view",
    "members_with",
    "membership",
    "membership_id_of",
    "memberships_of",
    "memberships_of_actor",
    "names_of",
    "operator_of",
    "workspaces_of",
]

# Keys of a browser's session on a tenant's host.
SESSION_FAMILY, SESSION_USER, SESSION_TENANT = "iam_family", "iam_user", "iam_tenant"


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member of a tenant. `id` is the membership's."""

    id: UUID
    user_id: UUID
    email: str
    first_name: str
    last_name: str
    name: str
    locale: str
    roles: tuple[str, ...]
    status: str
    joined_at: datetime
    banned_until: datetime | None = None
    ban_reason: str = ""

    @property
    def version(self) -> str:
        """The version of what people decide about a member."""
        names = ("roles", "status", "banned_until", "ban_reason")
        return versions.version_of({name: getattr(self, name) for name in names})


@dataclass(frozen=True, slots=True)
class WorkspaceView:
    """A tenant as one of its members sees it among his others."""

    tenant: TenantView
    roles: tuple[str, ...]
    status: str
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class ProfileView:
    """A person's own data."""

    id: UUID
    email: str
    email_verified: bool
    first_name: str
    last_name: str
    name: str
    locale: str
    platform_role: str
    created_at: datetime


def identity_of_token(token: str, origin: Origin) -> Identity:
    """Whom an access token stands for.

    Raises:
        InvalidToken: not a valid access token of ours, expired, or revoked.
    """
    claims = tokens.read_access(token)
    found = identity.identify(
        family_id=claims.family_id,
        user_id=claims.user_id,
        tenant_id=claims.tenant_id,
        channel=Channel.API,
        origin=origin,
    )
    if found is None:
        raise InvalidToken("The access token was revoked.")
    return found


@contextmanager
def identified_by_token(token: str, origin: Origin) -> Iterator[Identity]:
    """`identity_of_token`, within a transaction that the same message to the database has opened.

    It is the tenant's (`current_scope`) if the token names one whose schema stands.

    Raises:
        InvalidToken: as there.
    """
    claims = tokens.read_access(token)
    if claims.tenant_id is None:
        yield identity_of_token(token, origin)
        return
    with identity.identified_within(
        family_id=claims.family_id,
        user_id=claims.user_id,
        tenant_id=claims.tenant_id,
        channel=Channel.API,
        origin=origin,
    ) as found:
        if found is None:
            raise InvalidToken("The access token was revoked.")
        yield found


def identity_of_session(session: SessionBase, tenant_id: UUID, origin: Origin) -> Identity | None:
    """Whom a browser's session stands for on the host of `tenant_id`; a session of another tenant is nobody's."""
    if session.get(SESSION_TENANT) != str(tenant_id):
        return None
    return identity.identify(
        family_id=UUID(session[SESSION_FAMILY]),
        user_id=UUID(session[SESSION_USER]),
        tenant_id=tenant_id,
        channel=Channel.BROWSER,
        origin=origin,
    )


def operator_of(user: Any, origin: Origin) -> Actor | None:
    """The operator behind the user of Django's own session (the admin), if he is one."""
    if not isinstance(user, User) or not user.is_staff:
        return None
    return identity.operator(
        user_id=user.id, name=user.name, email=user.email, platform_role=user.platform_role, origin=origin
    )


def actor_for_member(user_id: UUID, tenant_id: UUID, origin: Origin) -> Actor | None:
    """The actor of an active member, for work on his behalf; nobody when he is not one (any more)."""
    with public_scope():
        row = (
            Membership.objects.select_related("user")
            .filter(standing.may_enter(), standing.is_let_in(), user_id=user_id, tenant_id=tenant_id)
            .first()
        )
        if row is None:
            return None
        custom = assigned.of_member(row).custom
    return identity.member(
        user_id=user_id,
        tenant_id=tenant_id,
        name=row.user.name,
        email=row.user.email,
        role=row.role,
        custom_roles=[role.name for role in custom],
        custom_permissions=[word for role in custom for word in role.permissions],
        is_verified=row.user.email_verified_at is not None,
        origin=origin,
    )


def members_with(tenant_id: UUID, permission: str) -> list[MemberView]:
    """The active members of a tenant who hold `permission`, the longest-standing first."""
    holders = Q(role__in=roles_with(permission))
    if permission in CUSTOMISABLE:
        granted = RoleGrant.objects.filter(membership=OuterRef("pk"), role__permissions__contains=[permission])
        holders |= Q(Exists(granted))
    with public_scope():
        rows = _members().filter(standing.may_enter(), standing.is_let_in(), holders, tenant_id=tenant_id)
        return [member_view(row) for row in rows.order_by("pk")]


def list_members(*, actor: Actor, page: PageRequest, filters: Mapping[str, str] | None = None) -> Page[Membership]:
    """The members of the actor's tenant, newest first. Filters: q (name, e-mail), role (by name), status.

    Removed members are shown only when `status` asks for them.

    Raises:
        PermissionRefused: the actor lacks ``members:read``.
    """
    actor.require("members:read")
    filters = filters or {}
    rows = _members().filter(tenant_id=standing.tenant_of(actor))
    if filters.get("status"):
        rows = rows.filter(status=filters["status"].upper())
    else:
        rows = rows.exclude(status=MembershipStatus.REMOVED)
    if filters.get("role"):
        is_custom = Q(Exists(RoleGrant.objects.filter(membership=OuterRef("pk"), role__name__iexact=filters["role"])))
        rows = rows.filter(Q(role=filters["role"].upper()) | is_custom)
    if text := filters.get("q"):
        rows = rows.filter(
            Q(user__email__icontains=text) | Q(user__first_name__icontains=text) | Q(user__last_name__icontains=text)
        )
    return paginate(rows, page)


def get_member(*, actor: Actor, membership_id: UUID) -> Membership:
    """One member of the actor's tenant.

    Raises:
        PermissionRefused: the actor lacks ``members:read``.
        NotFound: no such member here.
    """
    actor.require("members:read")
    with public_scope():
        rows = _members().exclude(status=MembershipStatus.REMOVED)
        row = rows.filter(pk=membership_id, tenant_id=standing.tenant_of(actor)).first()
    if row is None:
        raise NotFound("There is no such member.")
    return row


def membership(*, tenant_id: UUID, membership_id: UUID) -> Membership:
    """A member of a tenant, removed ones too, for code that has checked already who asks.

    Raises:
        NotFound: there was never such a member.
    """
    with public_scope():
        row = _members().filter(pk=membership_id, tenant_id=tenant_id).first()
        if row is None:
            raise NotFound("There is no such member.")
        return row


def membership_id_of(*, tenant_id: UUID, user_id: UUID) -> UUID:
    """The id of a person's membership of a tenant.

    Raises:
        NotFound: he never belonged to it.
    """
    with public_scope():
        found = Membership.objects.filter(tenant_id=tenant_id, user_id=user_id).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound("There is no such member.")
    return found


def list_invitations(*, actor: Actor, page: PageRequest, filters: Mapping[str, str] | None = None) -> Page[Invitation]:
    """The invitations of the actor's tenant, newest first. Filters: q (e-mail), status (PENDING by default, or ALL).

    Raises:
        PermissionRefused: the actor lacks ``members:write``.
    """
    actor.require("members:write")
    filters = filters or {}
    rows = Invitation.objects.select_related("custom_role").filter(tenant_id=standing.tenant_of(actor))
    if filters.get("status", "").upper() != "ALL":
        rows = rows.filter(accepted_at=None, revoked_at=None)
    if text := filters.get("q"):
        rows = rows.filter(email__icontains=text)
    with public_scope():
        return paginate(rows, page)


def workspaces_of(user_id: UUID) -> list[WorkspaceView]:
    """Where a person may sign in: his active memberships of active tenants, by name (PRODUCT, discovery)."""
    return [
        workspace
        for workspace in memberships_of(user_id)
        if workspace.status == MembershipStatus.ACTIVE
        and workspace.tenant.status == TenantStatus.ACTIVE
        and workspace.tenant.is_served
    ]


def memberships_of(user_id: UUID) -> list[WorkspaceView]:
    """Every tenant that a person belongs to, whatever its state, by name; removed memberships are gone."""
    with public_scope():
        rows = Membership.objects.prefetch_related("custom_roles").filter(user_id=user_id)
        rows = rows.exclude(status=MembershipStatus.REMOVED)
        found = {row.tenant_id: row for row in rows}
        return [
            WorkspaceView(tenant, assigned.of_member(row).names, _status_now(row), row.created_at)
            for tenant in tenancy.tenants_by_ids(list(found))
            for row in (found[tenant.id],)
            if tenant.status != TenantStatus.DELETED
        ]


def _members() -> QuerySet[Membership]:
    # A tenant's role may not read the password's hash, and some of this runs within a tenant's scope.
    return Membership.objects.select_related("user").defer("user__password").prefetch_related("custom_roles")


def memberships_of_actor(actor: Actor) -> list[WorkspaceView]:
    """`memberships_of` the actor; only the present one for whom a workspace's provider vouches."""
    if actor.user_id is None:
        return []
    found = memberships_of(actor.user_id)
    return [row for row in found if row.tenant.id == actor.tenant_id] if actor.is_federated else found


def _status_now(row: Membership) -> str:
    # A ban that has run out does not wait for the sweep that writes it down.
    has_run_out = row.banned_until is not None and row.banned_until <= utcnow()
    return MembershipStatus.ACTIVE if row.status == MembershipStatus.BANNED and has_run_out else row.status


def get_profile(user_id: UUID) -> ProfileView:
    """A person's own data.

    Raises:
        NotFound: there is no such person.
    """
    with public_scope():
        user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise NotFound("There is no such person.")
    return ProfileView(
        user.id,
        user.email,
        user.email_verified_at is not None,
        user.first_name,
        user.last_name,
        user.name,
        user.locale,
        user.platform_role,
        user.created_at,
    )


def names_of(user_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The names of these people by their ids, as others call them; who gave none is called by his e-mail."""
    wanted = list(user_ids)
    if not wanted:
        return {}
    with public_scope():
        return {user.id: user.name for user in User.objects.filter(pk__in=wanted)}


def jwks() -> dict[str, list[dict[str, str]]]:
    """The public keys that verify our access tokens."""
    return key_ring().jwks()


def member_view(row: Membership) -> MemberView:
    """The plain value of a row whose user is loaded."""
    user = row.user
    return MemberView(
        row.id,
        user.id,
        user.email,
        user.first_name,
        user.last_name,
        user.name,
        user.locale,
        assigned.of_member(row).names,
        _status_now(row),
        row.created_at,
        row.banned_until,
        row.ban_reason,
    )
