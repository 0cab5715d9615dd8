"""Inviting people: 72 hours, MEMBER by default, one pending invitation for an address (PRODUCT, iam)."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.core import ids
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import Conflict, NotFound, PermissionRefused
from apps.core.events import publish
from apps.core.tenants import public_scope
from apps.iam import assigned, mailed, standing
from apps.iam.assigned import Assigned
from apps.iam.errors import AlreadyInvited, AlreadyMember, InvalidLink, InvitationsClosed
from apps.iam.events import InvitationSent
from apps.iam.models import Invitation, Membership, MembershipStatus, Role, User, normal_email
from apps.tenancy import rollout
from apps.tenancy import selectors as tenancy

LIFETIME = timedelta(hours=72)
MAX_MAILS = 10
_KIND = "invitation"


def invite(*, actor: Actor, email: str, role: str = Role.MEMBER, now: datetime | None = None) -> Invitation:
    """Invite an address to the actor's tenant, in a built-in role by name or a custom one by name or id.

    Raises:
        InvitationsClosed: everybody shares one workspace here.
        PermissionRefused: the actor lacks ``members:write`` or what the role holds; ownership is never given so.
        ValidationFailed: there is no such role.
        AlreadyMember, AlreadyInvited: as their names say.
    """
    email, moment = normal_email(email), now or utcnow()
    tenant_id = _open(actor)
    with public_scope(), transaction.atomic():
        standing.take_turns(tenant_id)
        offered = assigned.named(tenant_id, [role], field="role")
        _require_grantable(actor, tenant_id, offered)
        present = Membership.objects.filter(tenant_id=tenant_id, user__email=email)
        if present.exclude(status=MembershipStatus.REMOVED).exists():
            raise AlreadyMember
        waiting = Invitation.objects.filter(tenant_id=tenant_id, email=email, accepted_at=None, revoked_at=None)
        if waiting.filter(expires_at__gt=moment).exists():
            raise AlreadyInvited
        waiting.update(revoked_at=moment)
        custom_role = offered.custom[0] if offered.custom else None
        row_id = ids.uuid7()
        row = Invitation.objects.create(
            id=row_id,
            tenant_id=tenant_id,
            email=email,
            role=offered.builtin,
            custom_role=custom_role,
            digest=mailed.digest_of(_KIND, row_id),
            invited_by_id=actor.user_id,
            invited_by_name=actor.name[:254],
            created_at=moment,
            expires_at=moment + LIFETIME,
        )
        _record(actor, row, "iam.invitation.create", {"email": email, "role": offered.names[0]})
        _send(row)
        return row


def revoke_invitation(*, actor: Actor, invitation_id: UUID) -> None:
    """Void a pending invitation.

    Raises:
        InvitationsClosed, PermissionRefused: as `invite`.
        NotFound: none is pending under this id.
    """
    tenant_id = _open(actor)
    with public_scope(), transaction.atomic():
        standing.take_turns(tenant_id)
        standing.held_now(actor, tenant_id, "members:write")
        row = _waiting(tenant_id, invitation_id)
        row.revoked_at = utcnow()
        row.save(update_fields=["revoked_at"])
        _record(actor, row, "iam.invitation.revoke", None)


def resend_invitation(*, actor: Actor, invitation_id: UUID, now: datetime | None = None) -> Invitation:
    """Mail an invitation anew, expired ones too: 72 hours from now, and the earlier link is void.

    Raises:
        InvitationsClosed, PermissionRefused: as `invite`.
        NotFound: it was accepted or revoked, or there is none.
        Conflict: it was mailed ten times.
    """
    tenant_id, moment = _open(actor), now or utcnow()
    with public_scope(), transaction.atomic():
        # Before the row, as whoever accepts it or deletes its role does.
        standing.take_turns(tenant_id)
        row = _waiting(tenant_id, invitation_id)
        _require_grantable(actor, tenant_id, assigned.of_invitation(row))
        if row.generation + 1 >= MAX_MAILS:
            raise Conflict(_("This invitation was mailed often enough. Revoke it and ask the person."))
        row.generation += 1
        row.digest = mailed.digest_of(_KIND, row.id, row.generation)
        row.expires_at = moment + LIFETIME
        row.save(update_fields=["generation", "digest", "expires_at"])
        _record(actor, row, "iam.invitation.resend", None)
        _send(row)
        return row


def link_of(invitation_id: UUID) -> str:
    """The address on the tenant's host that the mail tells its reader to follow.

    Raises:
        InvalidLink: there is no such invitation, or it was made under another secret key.
    """
    with public_scope():
        row = Invitation.objects.filter(pk=invitation_id).first()
    if row is None or mailed.digest_of(_KIND, row.id, row.generation) != row.digest:
        raise InvalidLink
    token = mailed.token_of(_KIND, row.id, row.generation)
    path = reverse("iam:invitation", args=[token], urlconf=settings.TENANT_URLCONF)
    return f"{tenancy.tenant_by_id(row.tenant_id).url}{path}"


def _open(actor: Actor) -> UUID:
    actor.require("members:write")
    if rollout.is_single():
        raise InvitationsClosed
    return standing.tenant_of(actor)


def _require_grantable(actor: Actor, tenant_id: UUID, offered: Assigned) -> None:
    held = standing.held_now(actor, tenant_id, "members:write")
    if reason := standing.why_not(held, offered.permissions):
        raise PermissionRefused(reason)


def _waiting(tenant_id: UUID, invitation_id: UUID) -> Invitation:
    waiting = Invitation.objects.filter(tenant_id=tenant_id, accepted_at=None, revoked_at=None)
    row = waiting.select_for_update().filter(pk=invitation_id).first()
    if row is None:
        raise NotFound(_("There is no such invitation."))
    return row


def _send(row: Invitation) -> None:
    tenant = tenancy.tenant_by_id(row.tenant_id)
    known = User.objects.filter(email=row.email).values_list("locale", flat=True).first()
    publish(
        InvitationSent(
            tenant_id=row.tenant_id,
            invitation_id=row.id,
            generation=row.generation,
            email=row.email,
            role=", ".join(assigned.of_invitation(row).names),
            inviter=row.invited_by_name,
            tenant_name=tenant.name,
            locale=known or tenant.locale,
        )
    )


def _record(actor: Actor, row: Invitation, action: str, after: dict[str, object] | None) -> None:
    audit.record(
        actor=actor,
        action=action,
        entity_type="invitation",
        entity_id=row.id,
        entity_label=row.email,
        after=after,
        tenant_id=row.tenant_id,
    )
