"""Who may enter, whom a member may act upon, and what he may grant (PRODUCT, "What each role may do")."""

from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotFound, PermissionRefused
from apps.iam import assigned
from apps.iam.assigned import Assigned
from apps.iam.errors import LastOwner
from apps.iam.models import Membership, MembershipStatus, Role
from apps.iam.permission_labels import in_words
from apps.iam.permissions import GOVERNING

OWNERSHIP = "ownership:transfer"
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


def held_now(actor: Actor, tenant_id: UUID, permission: str) -> frozenset[str] | None:
    """The actor's permissions at this moment, which another change may have moved since the request began.

    Never more than he acts with: a key of his may be limited. None for the system and for operators, who act by rights
    of their own.

    Raises:
        PermissionRefused: he lacks `permission` now.
    """
    actor.require(permission)
    if actor.kind is not ActorKind.USER:
        return None
    own = Membership.objects.filter(may_enter(), user_id=person(actor), tenant_id=tenant_id).first()
    held = assigned.of_member(own).permissions & actor.permissions if own else frozenset()
    if permission not in held:
        raise PermissionRefused(f"This needs the permission {permission}.", permission=permission)
    return held


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


def stands_below(other: frozenset[str], held: frozenset[str] | None) -> bool:
    """Whether who holds `held` may act upon who holds `other`: owners upon everybody, others downwards.

    Down is who governs less: of what governs people and the workspace (`GOVERNING`) he holds a proper part. What he may
    do with invoices, money and books does not lift him.
    """
    return held is None or OWNERSHIP in held or other & GOVERNING < held & GOVERNING


def require_above(held: frozenset[str] | None, other: frozenset[str]) -> None:
    """Check `stands_below`.

    Raises:
        PermissionRefused: the other stands as high or higher.
    """
    if not stands_below(other, held):
        raise PermissionRefused(_("You can act only upon members who may do less in this workspace than you."))


def may_grant(held: frozenset[str] | None, permissions: frozenset[str]) -> bool:
    """Whether who holds `held` may give these: nothing that he lacks, to nobody as high as himself; never ownership."""
    if OWNERSHIP in permissions:
        return False
    return held is None or (permissions <= held and permissions & GOVERNING < held & GOVERNING)


def why_not(held: frozenset[str] | None, permissions: frozenset[str]) -> str:
    """Why `may_grant` says no, for people; empty when it does not."""
    if may_grant(held, permissions):
        return ""
    if OWNERSHIP in permissions:
        return _("Ownership is not given as a role: transfer it.")
    assert held is not None
    if lacking := permissions - held:
        return _("Nobody grants what he lacks: %(permissions)s.") % {"permissions": in_words(lacking)}
    return _("Nobody makes others his equals.")


def require_grantable(held: frozenset[str] | None, before: Assigned, after: Assigned) -> None:
    """Check that who holds `held` may make the roles `before` those of `after`.

    Raises:
        PermissionRefused: a new role holds what he lacks, or all together are as much as he has.
    """
    if reason := why_not(held, after.added_to(before) | ({OWNERSHIP} & after.permissions)):
        raise PermissionRefused(reason)
    if not stands_below(after.permissions, held):
        raise PermissionRefused(_("Nobody makes others his equals."))


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
