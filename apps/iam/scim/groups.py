"""The directory's groups. A group that was given a role here gives it to its members; owners keep theirs.

Who is in several such groups gets the most powerful built-in role among them and every custom one; who leaves the last
one gets the default role again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core import versions
from apps.core.actor import Actor
from apps.core.errors import NotFound, PermissionRefused, ValidationFailed
from apps.core.tenants import public_scope
from apps.iam import assigned, members, standing
from apps.iam.assigned import Assigned
from apps.iam.models import Membership
from apps.iam.scim import resources, users
from apps.iam.scim.models import DirectoryGroup, GroupPlace
from apps.iam.scim.tokens import PERMISSION, Directory
from apps.iam.sso import mapped
from apps.iam.standing import OWNERSHIP

MOST_GROUPS, MOST_MEMBERS = 1000, 5000


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group as administrators see it; `role` is empty, a built-in role's name or a custom one's id."""

    id: UUID
    name: str
    role: str
    size: int

    @property
    def version(self) -> str:
        """The version of what people decide about it."""
        return versions.version_of({"role": self.role})


def rows(tenant_id: UUID) -> QuerySet[DirectoryGroup]:
    """The tenant's groups; in public scope."""
    return DirectoryGroup.objects.filter(tenant_id=tenant_id).prefetch_related("places")


def list_groups(*, actor: Actor) -> list[GroupView]:
    """The groups by name.

    Raises:
        PermissionRefused: the actor lacks ``scim:write``.
    """
    actor.require(PERMISSION)
    with public_scope():
        found = DirectoryGroup.objects.filter(tenant_id=standing.tenant_of(actor)).annotate(size=Count("places"))
        return [GroupView(row.id, row.display_name, row.role, row.size) for row in found.order_by("display_name")]


def get_group(*, actor: Actor, group_id: UUID) -> GroupView:
    """One group. Raises as `list_groups` does, and NotFound."""
    found = next((group for group in list_groups(actor=actor) if group.id == group_id), None)
    if found is None:
        raise NotFound(_("There is no such group."))
    return found


def map_group(*, actor: Actor, group_id: UUID, role: str, expected: versions.Expected = None) -> None:
    """Give a group a role, or none; its members have it at once.

    Raises:
        PermissionRefused: the actor lacks ``scim:write``, what the role holds, or stands below one of the members.
        ValidationFailed: there is no such role.
        NotFound: no such group here.
        VersionConflict: its version is not among `expected`.
    """
    actor.require(PERMISSION)
    tenant_id = standing.tenant_of(actor)
    with public_scope(), transaction.atomic():
        standing.take_turns(tenant_id)
        held = standing.held_now(actor, tenant_id, PERMISSION)
        row = DirectoryGroup.objects.select_for_update().filter(tenant_id=tenant_id, pk=group_id).first()
        if row is None:
            raise NotFound(_("There is no such group."))
        versions.require(expected, versions.version_of({"role": row.role}))
        if role:
            role = mapped.granted(held, tenant_id, role, field="role")
        before, row.role = row.role, role
        if before == role:
            return
        row.save(update_fields=["role", "updated_at"])
        _record(actor, row, "map", {"role": role}, before={"role": before}, severity=Severity.HIGH)
        places = GroupPlace.objects.filter(group=row).values_list("membership_id", flat=True)
        _follow(actor, tenant_id, places, had_role=bool(before))


def find(source: Directory, group_id: str) -> DirectoryGroup:
    """One group.

    Raises:
        NotFound: there is no such group in the tenant.
    """
    found = rows(source.tenant_id).filter(pk=users.uuid_of(group_id)).first()
    if found is None:
        raise NotFound("There is no such group.")
    return found


def create(source: Directory, said: resources.Group) -> DirectoryGroup:
    """Write a new group and its members; it gives no role until somebody here says so.

    Raises:
        Taken: another group has this name.
        ValidationFailed: no name, an unknown member, or too many of either.
    """
    with public_scope(), transaction.atomic():
        standing.take_turns(source.tenant_id)
        if DirectoryGroup.objects.filter(tenant_id=source.tenant_id).count() >= MOST_GROUPS:
            raise ValidationFailed.one("displayName", "too_many", "A workspace keeps at most 1000 groups.")
        row = DirectoryGroup(tenant_id=source.tenant_id)
        _save(row, said)
        _record(source.actor, row, "create", {"name": row.display_name})
        _set_members(source, row, said)
        return find(source, str(row.id))


def change(source: Directory, row: DirectoryGroup, said: resources.Group) -> DirectoryGroup:
    """Make the group what `said` says. Raises as `create`, and PermissionRefused or LastOwner for its members."""
    with public_scope(), transaction.atomic():
        standing.take_turns(source.tenant_id)
        before = row.display_name
        _save(row, said)
        if before != row.display_name:
            _record(source.actor, row, "rename", {"name": row.display_name}, before={"name": before})
        _set_members(source, row, said)
        return find(source, str(row.id))


def delete(source: Directory, row: DirectoryGroup) -> None:
    """Take the group away, and with it the role that it gave."""
    with public_scope(), transaction.atomic():
        standing.take_turns(source.tenant_id)
        people = list(GroupPlace.objects.filter(group=row).values_list("membership_id", flat=True))
        _record(source.actor, row, "delete", {"name": row.display_name}, severity=Severity.MEDIUM)
        had_role = bool(row.role)
        row.delete()
        _follow(source.actor, source.tenant_id, people, had_role=had_role, reach=source.reach)


def _save(row: DirectoryGroup, said: resources.Group) -> None:
    row.display_name, row.external_id = (said.display_name or "").strip()[:255], (said.external_id or "")[:255]
    if not row.display_name:
        raise ValidationFailed.one("displayName", "required", "A group has a name.")
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise users.Taken("Another group has this name.") from error


def _set_members(source: Directory, row: DirectoryGroup, said: resources.Group) -> None:
    wanted = {users.uuid_of(str(item.value)) for item in said.members or [] if item.value}
    if len(wanted) > MOST_MEMBERS:
        raise ValidationFailed.one("members", "too_many", "A group has at most 5000 members.")
    known = set(users.visible(source.tenant_id).filter(pk__in=wanted).values_list("pk", flat=True))
    if wanted - known:
        raise ValidationFailed.one("members", "unknown", "A member is not known here.")
    present = set(GroupPlace.objects.filter(group=row).values_list("membership_id", flat=True))
    GroupPlace.objects.filter(group=row, membership_id__in=present - wanted).delete()
    GroupPlace.objects.bulk_create(
        GroupPlace(tenant_id=source.tenant_id, group=row, membership_id=pk) for pk in wanted - present
    )
    if changed := present ^ wanted:
        after: dict[str, object] = {"joined": len(wanted - present), "left": len(present - wanted)}
        _record(source.actor, row, "change_members", after)
        if row.role:
            _follow(source.actor, source.tenant_id, changed, had_role=True, reach=source.reach)


def _follow(
    actor: Actor, tenant_id: UUID, people: Iterable[UUID], *, had_role: bool, reach: frozenset[str] | None = None
) -> None:
    """Give each of these members what his groups mean now."""
    for member in Membership.objects.filter(tenant_id=tenant_id, pk__in=list(people)).select_related("user"):
        before = assigned.of_member(member)
        if OWNERSHIP in before.permissions:
            continue
        given = DirectoryGroup.objects.filter(places__membership=member).exclude(role="")
        words = list(given.values_list("role", flat=True))
        if not words and not had_role:
            continue
        after = mapped.together(tenant_id, words) if words else mapped.default(tenant_id)
        if before.names == after.names:
            continue
        _require_reach(reach, before, after)
        members.change_roles(actor=actor, membership_id=member.id, roles=_words(after))


def _require_reach(reach: frozenset[str] | None, before: Assigned, after: Assigned) -> None:
    if reach is not None and not (before.permissions | after.permissions) <= reach:
        raise PermissionRefused("This token may not change the role of somebody who may do more than its maker.")


def _words(roles: Assigned) -> list[str]:
    return [*((roles.builtin,) if roles.builtin else ()), *(str(role.id) for role in roles.custom)]


def _record(
    actor: Actor,
    row: DirectoryGroup,
    verb: str,
    after: dict[str, object],
    *,
    before: dict[str, object] | None = None,
    severity: Severity = Severity.INFO,
) -> None:
    audit.record(
        actor=actor,
        action=f"iam.directory_group.{verb}",
        entity_type="directory_group",
        entity_id=row.id,
        entity_label=row.display_name,
        before=before,
        after=after,
        severity=severity,
        tenant_id=row.tenant_id,
    )
