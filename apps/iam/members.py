"""Members of a tenant: other roles, bans, removal, leaving, a new owner. All changes of one tenant take turns."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core import versions
from apps.core.actor import Actor, system
from apps.core.clock import utcnow
from apps.core.errors import IllegalState, NotFound, PermissionRefused, ValidationFailed
from apps.core.events import publish
from apps.core.tenants import public_scope
from apps.iam import assigned, signins, standing
from apps.iam.assigned import Assigned
from apps.iam.errors import NotAMember
from apps.iam.events import (
    MemberBanned,
    MemberRemoved,
    MemberUnbanned,
    OwnershipTransferred,
)
from apps.iam.models import Membership, MembershipStatus, Role, TokenFamily
from apps.iam.selectors import member_view


def change_roles(
    *, actor: Actor, membership_id: UUID, roles: Sequence[str], expected: versions.Expected = None
) -> None:
    """Give a member these roles instead of his own: built-in ones by name, custom ones by name or id.

    Raises:
        PermissionRefused: the actor lacks ``members:write``, stands too low, or lacks what a new role holds.
        ValidationFailed: there is no such role, or two are built in.
        NotFound: no such member here.
        LastOwner: the tenant would have no owner.
        VersionConflict: the member's version is not among `expected`.
    """
    with public_scope(), transaction.atomic():
        held, member = _open(actor, membership_id, "members:write")
        versions.require(expected, member_view(member).version)
        before, after = assigned.of_member(member), assigned.named(member.tenant_id, roles)
        if before == after:
            return
        _require_reach(actor, held, member)
        standing.require_grantable(held, before, after)
        if after.builtin != Role.OWNER:
            standing.require_other_owner(member)
        assigned.change(actor, member, before, after)


def ban_member(*, actor: Actor, membership_id: UUID, reason: str = "", until: datetime | None = None) -> None:
    """Keep a member out, for good or until a moment; his sessions here end. A new ban replaces the old one.

    Raises:
        PermissionRefused: as `change_roles`, or the actor means himself.
        ValidationFailed: the ban would end in the past.
        NotFound, LastOwner: as `change_roles`.
    """
    now = utcnow()
    if until is not None and until <= now:
        raise ValidationFailed.one("expires_at", "in_the_past", _("A ban ends in the future."))
    with public_scope(), transaction.atomic():
        held, member = _open(actor, membership_id, "members:write")
        if member.user_id == actor.user_id:
            raise PermissionRefused(_("Nobody bans himself."))
        _require_reach(actor, held, member)
        standing.require_other_owner(member)
        before = {"status": member.status}
        member.status, member.banned_at, member.banned_until = MembershipStatus.BANNED, now, until
        member.ban_reason = reason[:300]
        member.save(update_fields=["status", "banned_at", "banned_until", "ban_reason", "updated_at"])
        _end_sessions(member, "ban")
        after = {"status": member.status, "reason": member.ban_reason, "until": until.isoformat() if until else None}
        _record(actor, member, "iam.membership.ban", before=before, after=after, severity=Severity.CRITICAL)
        publish(
            MemberBanned(
                tenant_id=member.tenant_id,
                membership_id=member.id,
                user_id=member.user_id,
                reason=member.ban_reason,
                until=until,
            )
        )


def unban_member(*, actor: Actor, membership_id: UUID) -> None:
    """Let a banned member in again; he signs in anew.

    Raises:
        PermissionRefused, NotFound: as `change_roles`.
        IllegalState: he is not banned.
    """
    with public_scope(), transaction.atomic():
        held, member = _open(actor, membership_id, "members:write")
        _require_reach(actor, held, member)
        if member.status != MembershipStatus.BANNED:
            raise IllegalState(_("This member is not banned."), allowed_actions=["ban", "remove"])
        _lift(actor, member)


def lift_expired_bans(*, now: datetime | None = None) -> int:
    """Write down that bans have run out, which they do at their moment by themselves; returns how many."""
    moment, lifted = now or utcnow(), 0
    with public_scope():
        due = Membership.objects.filter(status=MembershipStatus.BANNED, banned_until__lte=moment)
        for membership_id in list(due.values_list("pk", flat=True)[:500]):
            with transaction.atomic():
                member = (
                    due.select_for_update(skip_locked=True, of=("self",))
                    .select_related("user")
                    .filter(pk=membership_id)
                    .first()
                )
                if member is not None:
                    _lift(system(member.tenant_id), member)
                    lifted += 1
    return lifted


def remove_member(*, actor: Actor, membership_id: UUID, expected: versions.Expected = None) -> None:
    """Take a member out of the tenant; what he did there stays. Removing oneself is leaving.

    Raises:
        PermissionRefused, NotFound, LastOwner: as `change_roles`.
        VersionConflict: the member's version is not among `expected`.
    """
    with public_scope(), transaction.atomic():
        held, member = _open(actor, membership_id, "members:write")
        versions.require(expected, member_view(member).version)
        _require_reach(actor, held, member)
        standing.require_other_owner(member)
        _take_out(actor, member)


def leave(*, actor: Actor) -> None:
    """Leave the tenant that the actor works in.

    Raises:
        NotAMember: he does not belong to it any more.
        LastOwner: as `change_roles`.
    """
    tenant_id = standing.tenant_of(actor)
    with public_scope(), transaction.atomic():
        standing.take_turns(tenant_id)
        member = _rows(tenant_id).filter(user_id=standing.person(actor)).first()
        if member is None:
            raise NotAMember
        standing.require_other_owner(member)
        _take_out(actor, member)


def transfer_ownership(*, actor: Actor, membership_id: UUID) -> None:
    """Make another member the owner; the actor becomes a MEMBER (PRODUCT, iam).

    Raises:
        PermissionRefused: the actor is not an owner, any more perhaps.
        NotFound: no such member here.
        IllegalState: the member may not enter, or is an owner already.
    """
    with public_scope(), transaction.atomic():
        _held, heir = _open(actor, membership_id, "ownership:transfer")
        can_own = heir.status == MembershipStatus.ACTIVE and heir.user.may_sign_in and heir.role != Role.OWNER
        if not can_own or heir.user_id == actor.user_id:
            raise IllegalState(_("Choose an active member who is not an owner yet."), allowed_actions=[])
        former = _rows(heir.tenant_id).get(user_id=standing.person(actor))
        for member, role in ((heir, Role.OWNER), (former, Role.MEMBER)):
            before, after = assigned.of_member(member), Assigned(role.value)
            assigned.assign(member, after)
            _record(
                actor,
                member,
                "iam.ownership.transfer",
                before={"roles": list(before.names)},
                after={"roles": list(after.names)},
                severity=Severity.CRITICAL,
            )
        publish(
            OwnershipTransferred(
                tenant_id=heir.tenant_id, from_user_id=former.user_id, to_user_id=heir.user_id, by_name=actor.name
            )
        )


def _rows(tenant_id: UUID) -> QuerySet[Membership]:
    present = Membership.objects.exclude(status=MembershipStatus.REMOVED)
    return present.select_related("user").prefetch_related("custom_roles").filter(tenant_id=tenant_id)


def _open(actor: Actor, membership_id: UUID, permission: str) -> tuple[frozenset[str] | None, Membership]:
    """Take the tenant's turn; what the actor holds now, and the member."""
    actor.require(permission)
    tenant_id = standing.tenant_of(actor)
    standing.take_turns(tenant_id)
    held = standing.held_now(actor, tenant_id, permission)
    member = _rows(tenant_id).filter(pk=membership_id).first()
    if member is None:
        raise NotFound(_("There is no such member."))
    return held, member


def _require_reach(actor: Actor, held: frozenset[str] | None, member: Membership) -> None:
    if member.user_id != actor.user_id:
        standing.require_above(held, assigned.of_member(member).permissions)


def _lift(actor: Actor, member: Membership) -> None:
    member.status, member.banned_at, member.banned_until = MembershipStatus.ACTIVE, None, None
    member.ban_reason = ""
    member.save(update_fields=["status", "banned_at", "banned_until", "ban_reason", "updated_at"])
    _record(
        actor,
        member,
        "iam.membership.unban",
        before={"status": MembershipStatus.BANNED.value},
        after={"status": member.status},
        severity=Severity.MEDIUM,
    )
    publish(MemberUnbanned(tenant_id=member.tenant_id, membership_id=member.id, user_id=member.user_id))


def _take_out(actor: Actor, member: Membership) -> None:
    roles = assigned.of_member(member)
    # A custom role that only former members held may be deleted.
    assigned.assign(member, Assigned(roles.builtin))
    before, member.status = member.status, MembershipStatus.REMOVED
    member.banned_at, member.banned_until, member.ban_reason = None, None, ""
    member.save(update_fields=["status", "banned_at", "banned_until", "ban_reason", "updated_at"])
    _end_sessions(member, "removed")
    has_left = member.user_id == actor.user_id
    action = "iam.membership.leave" if has_left else "iam.membership.remove"
    _record(
        actor,
        member,
        action,
        before={"status": before, "roles": list(roles.names)},
        after={"status": member.status},
        severity=Severity.HIGH,
    )
    publish(
        MemberRemoved(tenant_id=member.tenant_id, membership_id=member.id, user_id=member.user_id, has_left=has_left)
    )


def _end_sessions(member: Membership, reason: str) -> None:
    living = TokenFamily.objects.filter(user_id=member.user_id, tenant_id=member.tenant_id, revoked_at=None)
    signins.revoke(list(living.values_list("pk", flat=True)), reason)


def _record(
    actor: Actor,
    member: Membership,
    action: str,
    *,
    before: Mapping[str, object],
    after: Mapping[str, object],
    severity: Severity,
) -> None:
    audit.record(
        actor=actor,
        action=action,
        entity_type="membership",
        entity_id=member.id,
        entity_label=member.user.email,
        before=dict(before),
        after=dict(after),
        severity=severity,
        tenant_id=member.tenant_id,
    )
