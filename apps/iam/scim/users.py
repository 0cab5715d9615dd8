"""Members as the directory sees them: those with addresses of the tenant's proved mail domains, and nobody else.

Creating one makes him a member at once (the tenant answers for its domain); ``active: false`` keeps him out and ends
his sessions; deleting removes him. A ban that people put is not the directory's to lift. The name of somebody who
works in other workspaces, too, stays as he has it; the directory's is kept beside.
"""

from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from apps.audit import services as audit
from apps.core.clock import utcnow
from apps.core.errors import Conflict, NotFound, PermissionRefused, ValidationFailed
from apps.core.tenants import public_scope
from apps.iam import assigned, members, seats, standing
from apps.iam.assigned import Assigned
from apps.iam.models import Membership, MembershipStatus, User, normal_email
from apps.iam.scim import resources
from apps.iam.scim.models import DirectoryEntry, GroupPlace
from apps.iam.scim.tokens import Directory
from apps.iam.sso import claiming, mail_domains, mapped
from apps.tenancy import selectors as tenancy

CLOSED_BY_DIRECTORY = "Deactivated by the directory"


class Taken(Conflict):
    """Another resource has this unique value (RFC 7644, 3.12: ``uniqueness``)."""

    code, title = "uniqueness", "Another one has this already"


def visible(tenant_id: UUID) -> QuerySet[Membership]:
    """The members for whom the directory may speak; in public scope."""
    known = Q(pk__in=[])
    for domain in mail_domains.verified_domains(tenant_id):
        known |= Q(user__email__endswith=f"@{domain}")
    rows = Membership.objects.filter(known, tenant_id=tenant_id).exclude(status=MembershipStatus.REMOVED)
    return rows.select_related("user", "entry").prefetch_related("directory_groups")


def find(source: Directory, user_id: str) -> Membership:
    """One of them.

    Raises:
        NotFound: no such member, or none for whom the directory may speak.
    """
    found = visible(source.tenant_id).filter(pk=uuid_of(user_id)).first()
    if found is None:
        raise NotFound("There is no such user.")
    return found


def create(source: Directory, said: resources.User) -> Membership:
    """Make somebody a member, with an account if his address has none.

    Raises:
        ValidationFailed: the user name is no address of a proved domain.
        Taken: he is a member already, or another has his external id.
        PlanLimitReached: every seat is taken.
    """
    email = normal_email(said.user_name or "")
    _require_own_address(source, email)
    with public_scope(), transaction.atomic():
        standing.take_turns(source.tenant_id)
        earlier = Membership.objects.filter(tenant_id=source.tenant_id, user__email=email).first()
        if earlier is not None and earlier.status != MembershipStatus.REMOVED:
            raise Taken("A member with this user name exists.")
        seats.require_free_seat(source.tenant_id)
        roles = _default_roles(source)
        user, is_new = User.objects.get_or_create(
            email=email,
            defaults={
                "locale": tenancy.tenant_by_id(source.tenant_id).locale,
                "password": make_password(None),
                "email_verified_at": utcnow(),
            },
        )
        claiming.claim_unproved(user, source.actor)
        member = earlier or Membership(user=user, tenant_id=source.tenant_id)
        member.role, member.status = roles.builtin, MembershipStatus.ACTIVE
        member.save()
        assigned.assign(member, roles)
        if is_new:
            _record(source, "iam.user.provision", "user", user, {"email": email, "by": "scim"})
        _record(source, "iam.membership.create", "membership", member, {"roles": list(roles.names), "by": "scim"})
        _write(source, member, said)
        assigned.tell_of_joining(member, user, roles)
        return find(source, str(member.id))


def change(source: Directory, member: Membership, said: resources.User) -> Membership:
    """Make the member what `said` says, as far as the directory may.

    Raises:
        PermissionRefused: he may do more than the token's maker.
        LastOwner: he is the last owner and would be kept out.
        Taken: another has his external id.
    """
    with public_scope(), transaction.atomic():
        standing.take_turns(source.tenant_id)
        require_reach(source, member)
        _write(source, member, said)
        return find(source, str(member.id))


def delete(source: Directory, member: Membership) -> None:
    """Remove the member from the tenant; his sessions there end.

    Raises:
        PermissionRefused, LastOwner: as `change`; also somebody whom people keep out: created anew he would be let in.
    """
    with public_scope(), transaction.atomic():
        standing.take_turns(source.tenant_id)
        require_reach(source, member)
        _require_no_ban_by_people(member)
        members.remove_member(actor=source.actor, membership_id=member.id)
        DirectoryEntry.objects.filter(membership=member).delete()
        GroupPlace.objects.filter(membership=member).delete()


def require_reach(source: Directory, member: Membership) -> None:
    """Check that the token reaches this member.

    Raises:
        PermissionRefused: he may do more than the token's maker might.
    """
    if not assigned.of_member(member).permissions <= source.reach:
        raise PermissionRefused("This token may not touch somebody who may do more than its maker.")


def is_open(member: Membership) -> bool | None:
    """The SCIM attribute ``active``; empty when the directory took it away."""
    if member.status == MembershipStatus.BANNED:
        return False
    entry = entry_of(member)
    return entry.active if entry else True


def entry_of(member: Membership) -> DirectoryEntry | None:
    """What the directory said of the member, if it said anything."""
    entry: DirectoryEntry | None = getattr(member, "entry", None)
    return entry


def _write(source: Directory, member: Membership, said: resources.User) -> None:
    entry = DirectoryEntry.objects.filter(membership=member).first()
    entry = entry or DirectoryEntry(membership=member, tenant_id=source.tenant_id)
    before = _state(entry)
    entry.external_id = (said.external_id or "")[:255]
    entry.given_name = ((said.name and said.name.given_name) or "")[:100]
    entry.family_name = ((said.name and said.name.family_name) or "")[:100]
    entry.facts = {name: value for name in resources.FACTS if (value := _fact(said, name)) is not None}
    _open_or_close(source, member, entry, said.active)
    entry.active = said.active
    try:
        with transaction.atomic():
            entry.save()
    except IntegrityError as error:
        raise Taken("Another user has this external id.") from error
    _write_name(source, member.user, entry)
    after = _state(entry)
    if before != after:
        changed = {name: value for name, value in after.items() if before[name] != value}
        _record(source, "iam.directory_entry.write", "membership", member, changed)


def _open_or_close(source: Directory, member: Membership, entry: DirectoryEntry, active: bool | None) -> None:
    if active is False and member.status == MembershipStatus.ACTIVE:
        members.ban_member(actor=source.actor, membership_id=member.id, reason=CLOSED_BY_DIRECTORY)
        entry.has_closed = True
    elif active is not False and entry.has_closed:
        if Membership.objects.filter(pk=member.pk, status=MembershipStatus.BANNED).exists():
            members.unban_member(actor=source.actor, membership_id=member.id)
        entry.has_closed = False


def _require_no_ban_by_people(member: Membership) -> None:
    entry = DirectoryEntry.objects.filter(membership=member).first()
    if Membership.objects.filter(standing.may_enter(), pk=member.pk).exists() or (entry and entry.has_closed):
        return
    raise PermissionRefused("People keep this user out; it is theirs to remove him or to let him in again.")


def _write_name(source: Directory, user: User, entry: DirectoryEntry) -> None:
    names = (entry.given_name, entry.family_name)
    if names == (user.first_name, user.last_name) or user.platform_role or not any(names):
        return
    elsewhere = Membership.objects.filter(user=user).exclude(tenant_id=source.tenant_id)
    if elsewhere.exclude(status=MembershipStatus.REMOVED).exists():
        return
    user.first_name, user.last_name = names
    user.save(update_fields=["first_name", "last_name", "updated_at"])


def _default_roles(source: Directory) -> Assigned:
    roles = mapped.default(source.tenant_id)
    return roles if roles.permissions <= source.reach else mapped.LEAST


def _require_own_address(source: Directory, email: str) -> None:
    try:
        validate_email(email)
    except ValidationError as error:
        raise ValidationFailed.one("userName", "invalid", "The user name must be an e-mail address.") from error
    if len(email) > 254 or not mail_domains.speaks_for(source.tenant_id, email):
        detail = "The address is of no mail domain that this workspace has verified."
        raise ValidationFailed.one("userName", "foreign_domain", detail)


def _fact(said: resources.User, name: str) -> Any:
    value = getattr(said, name)
    if isinstance(value, list):
        return [item.model_dump(scim_ctx=None, exclude_none=True) for item in value][:20] or None
    return value[:255] if isinstance(value, str) else value


def _state(entry: DirectoryEntry) -> dict[str, Any]:
    return {
        "external_id": entry.external_id,
        "given_name": entry.given_name,
        "family_name": entry.family_name,
        "active": entry.active,
    }


def _record(source: Directory, action: str, kind: str, row: User | Membership, after: dict[str, Any]) -> None:
    audit.record(
        actor=source.actor,
        action=action,
        entity_type=kind,
        entity_id=row.pk,
        entity_label=row.email if isinstance(row, User) else row.user.email,
        after=after,
        tenant_id=source.tenant_id,
    )


def uuid_of(text: str) -> UUID:
    """A SCIM id as ours.

    Raises:
        NotFound: it is none.
    """
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound("There is no such resource.") from error
