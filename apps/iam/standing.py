"""Who may enter, whom a member may act upon, and what he may grant (PRODUCT, "What each role may do")."""

from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotFound, PermissionRefused
from apps.iam.errors import LastOwner
from apps.iam.models import Membership, MembershipStatus, Role
from apps.iam.permissions import permissions_of

_RANKS = {role: rank for rank, role in enumerate((Role.VIEWER, Role.MEMBER, Role.ACCOUNTANT, Role.ADMIN, Role.OWNER))}
# Weak enough to let rows that refer to the tenant come and go, strong enough that holders take turns.
_ONE_CHANGER = "SELECT 1 FROM public.tenancy_tenant WHERE id = %s FOR NO KEY UPDATE"


def may_enter() -> Q:
    """Memberships that let their people in: active ones, and banned ones whose ban has run out."""
    return Q(status=MembershipStatus.ACTIVE) | Q(status=MembershipStatus.BANNED, banned_until__lte=Now())


def is_let_in() -> Q:
    """Memberships whose person's account is switched on and not banned from the platform."""
    return Q(user__is_active=True) & (Q(user__banned_at=None) | Q(user__banned_until__lte=Now()))


def take_turns(tenant_id: UUID) -> None:
    """Wait until no other change of this tenant's members is under way; holds until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE_CHANGER, [tenant_id])


def role_now(actor: Actor, tenant_id: UUID, permission: str) -> str | None:
    """The actor's role at this moment, which another change may have moved since the request began.

    None for the system and for operators, who act by rights of their own.

    Raises:
        PermissionRefused: he lacks `permission` now.
    """
    actor.require(permission)
    if actor.kind is not ActorKind.USER:
        return None
    own = Membership.objects.filter(may_enter(), user_id=person(actor), tenant_id=tenant_id).first()
    if own is None or permission not in permissions_of((own.role,)):
        raise PermissionRefused(f"This needs the permission {permission}.", permission=permission)
    return own.role


def person(actor: Actor) -> UUID:
    """Who the actor is.

    Raises:
        PermissionRefused: he is no person.
    """
    if actor.user_id is None:
        raise PermissionRefused
    return actor.user_id


def tenant_of(actor: Actor) -> UUID:
    """The tenant that the actor works in.

    Raises:
        NotFound: he works in none.
    """
    if actor.tenant_id is None:
        raise NotFound("This token belongs to no workspace.")
    return actor.tenant_id


def require_above(own_role: str | None, role: str) -> None:
    """Check that who has `own_role` may act upon somebody in `role`: owners upon everybody, others downwards.

    Raises:
        PermissionRefused: the other stands as high or higher.
    """
    if own_role is None or own_role == Role.OWNER or _RANKS[Role(role)] < _RANKS[Role(own_role)]:
        return
    raise PermissionRefused("You can act only upon members whose role is below yours.")


def may_grant(own_role: str | None, role: str) -> bool:
    """Whether who has `own_role` may give `role`: lower ones that hold nothing which he lacks; never ownership."""
    if role == Role.OWNER:
        return False
    return own_role is None or permissions_of((role,)) < permissions_of((own_role,))


def grantable(own_role: str) -> list[Role]:
    """The roles that who has `own_role` may give, the highest first."""
    return [role for role in sorted(_RANKS, key=lambda role: -_RANKS[role]) if may_grant(own_role, role)]


def require_other_owner(membership: Membership) -> None:
    """Check that the tenant keeps an owner who may enter when this membership is not one any more.

    Raises:
        LastOwner: it would not.
    """
    if membership.role != Role.OWNER:
        return
    others = Membership.objects.filter(may_enter(), is_let_in(), tenant_id=membership.tenant_id, role=Role.OWNER)
    if not others.exclude(pk=membership.pk).exists():
        raise LastOwner("The last owner stays. Transfer the ownership first.")
