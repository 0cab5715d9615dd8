"""A tenant's roles: the built-in ones, and those that it makes for itself. Escalation is impossible: see `standing`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core import versions
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import Conflict, FieldError, NotFound, PermissionRefused, ValidationFailed
from apps.core.events import publish
from apps.core.tenants import public_scope
from apps.iam import assigned, standing
from apps.iam.assigned import Assigned
from apps.iam.errors import RoleInUse, RoleNameTaken
from apps.iam.events import CustomRoleChanged
from apps.iam.models import Invitation, Membership, MembershipStatus, Role
from apps.iam.permission_labels import in_words
from apps.iam.permissions import ALL, CUSTOMISABLE, ROLE_PERMISSIONS
from apps.iam.role_models import CustomRole
from apps.iam.scim.models import DirectoryGroup
from apps.iam.sso.models import SsoConnection

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

MAX_NAME = 60
MAX_CUSTOM_ROLES = 100


@dataclass(frozen=True, slots=True)
class RoleView:
    """One role. `id` is its name when it is built in; `members` counts everybody who holds it, banned ones too."""

    id: str
    name: str
    label: str | Promise
    permissions: frozenset[str]
    is_builtin: bool
    members: int

    @property
    def version(self) -> str:
        """The version of what people edit."""
        return versions.version_of({"name": self.name, "permissions": sorted(self.permissions)})


@dataclass(frozen=True, slots=True)
class RoleOption:
    """A role that somebody might give. `refusal` says why he may not, and is empty when he may."""

    role: RoleView
    refusal: str


def list_roles(*, actor: Actor) -> list[RoleView]:
    """The built-in roles, the highest first, and the tenant's own by name.

    Raises:
        PermissionRefused: the actor lacks ``members:read``.
    """
    actor.require("members:read")
    tenant_id = standing.tenant_of(actor)
    with public_scope():
        present = Membership.objects.exclude(status=MembershipStatus.REMOVED).filter(tenant_id=tenant_id)
        counts = dict(present.order_by().values_list("role").annotate(number=Count("pk")))
        return [
            *(_builtin(role, counts.get(role.value, 0)) for role in Role),
            *(_custom(row) for row in _counted(tenant_id).order_by("name")),
        ]


def get_role(*, actor: Actor, role_id: str) -> RoleView:
    """One role, by the id of a custom one or the name of a built-in one.

    Raises:
        PermissionRefused: the actor lacks ``members:read``.
        NotFound: no such role here.
    """
    found = next((role for role in list_roles(actor=actor) if role.id == role_id), None)
    if found is None:
        raise NotFound(_("There is no such role."))
    return found


def options_for(actor: Actor) -> list[RoleOption]:
    """Every role but ownership, with the reason why the actor may not give it, for forms. Raises as `list_roles`."""
    return [
        RoleOption(role, standing.why_not(actor.permissions, role.permissions))
        for role in list_roles(actor=actor)
        if role.id != Role.OWNER
    ]


def holders_of(*, actor: Actor, role_id: str) -> list[Membership]:
    """The members who hold a role, the longest-standing first. Raises as `get_role`."""
    role = get_role(actor=actor, role_id=role_id)
    holds = Q(role=role.id) if role.is_builtin else Q(grants__role_id=role.id)
    with public_scope():
        rows = Membership.objects.select_related("user").prefetch_related("custom_roles")
        rows = rows.exclude(status=MembershipStatus.REMOVED).filter(holds, tenant_id=standing.tenant_of(actor))
        return list(rows.order_by("pk"))


def create_role(*, actor: Actor, name: str, permissions: Sequence[str]) -> RoleView:
    """Make a role.

    Raises:
        PermissionRefused: the actor lacks ``roles:write``, or a permission that the role would hold.
        ValidationFailed: no name, a built-in role's name, no permission, or an unknown one.
        RoleNameTaken: the tenant has a role of this name.
        Conflict: the tenant has a hundred roles.
    """
    tenant_id = standing.tenant_of(actor)
    with public_scope(), transaction.atomic():
        held = _open(actor, tenant_id)
        name, wanted = _checked_name(name), _checked_permissions(permissions)
        _require_held(held, wanted)
        if CustomRole.objects.filter(tenant_id=tenant_id).count() >= MAX_CUSTOM_ROLES:
            raise Conflict(_("A workspace has at most %(number)d roles of its own.") % {"number": MAX_CUSTOM_ROLES})
        _require_free_name(tenant_id, name)
        role = CustomRole.objects.create(tenant_id=tenant_id, name=name, permissions=sorted(wanted))
        _record(actor, role, "iam.role.create", None, _state(role))
        return _custom(_counted(tenant_id).get(pk=role.pk))


def update_role(
    *,
    actor: Actor,
    role_id: UUID,
    name: str | None = None,
    permissions: Sequence[str] | None = None,
    expected: versions.Expected = None,
) -> RoleView:
    """Change a role's name or what it holds, at once for everybody who has it.

    Raises:
        PermissionRefused: the actor lacks ``roles:write``, or a permission that the role holds or would hold; he would
            widen a role of his own; somebody who is not below him holds it; or it waits for people to come (an
            invitation, a provider's or a directory's group) and would hold what he may not give.
        ValidationFailed, RoleNameTaken: as `create_role`.
        NotFound: no such role here.
        VersionConflict: the role's version is not among `expected`.
    """
    tenant_id = standing.tenant_of(actor)
    with public_scope(), transaction.atomic():
        held = _open(actor, tenant_id)
        role = _expected(tenant_id, role_id, expected)
        before, had = _state(role), CUSTOMISABLE & set(role.permissions)
        wanted = had if permissions is None else _checked_permissions(permissions)
        _require_held(held, had | wanted)
        if name is not None:
            role.name = _checked_name(name)
            _require_free_name(tenant_id, role.name, but=role.id)
        if wanted != had:
            _require_above_holders(actor, held, role, wanted)
            _require_grantable_if_offered(held, role, wanted)
            role.permissions = sorted(wanted)
        if _state(role) == before:
            return _custom(_counted(tenant_id).get(pk=role.pk))
        role.save(update_fields=["name", "permissions", "updated_at"])
        _record(actor, role, "iam.role.update", before, _state(role))
        publish(CustomRoleChanged(tenant_id=tenant_id, role_id=role.id, permissions=tuple(role.permissions)))
        return _custom(_counted(tenant_id).get(pk=role.pk))


def delete_role(*, actor: Actor, role_id: UUID, expected: versions.Expected = None) -> None:
    """Delete a role that nobody holds and no pending invitation offers.

    Raises:
        PermissionRefused: the actor lacks ``roles:write``, or a permission that the role holds.
        RoleInUse: somebody holds it, or is invited to it.
        NotFound: no such role here.
        VersionConflict: the role's version is not among `expected`.
    """
    tenant_id, now = standing.tenant_of(actor), utcnow()
    with public_scope(), transaction.atomic():
        held = _open(actor, tenant_id)
        role = _expected(tenant_id, role_id, expected)
        _require_held(held, CUSTOMISABLE & set(role.permissions))
        waiting = Invitation.objects.filter(custom_role=role, accepted_at=None, revoked_at=None)
        members, invitations = role.grants.count(), waiting.filter(expires_at__gt=now).count()
        if members or invitations:
            raise RoleInUse(
                _("Give those who hold this role another one first, and revoke the invitations to it."),
                members=members,
                invitations=invitations,
            )
        # What ran out could be sent again, and would offer nothing.
        waiting.update(revoked_at=now)
        _record(actor, role, "iam.role.delete", _state(role), None)
        role.delete()


def _open(actor: Actor, tenant_id: UUID) -> frozenset[str] | None:
    actor.require("roles:write")
    standing.take_turns(tenant_id)
    return standing.held_now(actor, tenant_id, "roles:write")


def _expected(tenant_id: UUID, role_id: UUID, expected: versions.Expected) -> CustomRole:
    role = _own(tenant_id, role_id)
    versions.require(expected, _custom(_counted(tenant_id).get(pk=role.pk)).version)
    return role


def _own(tenant_id: UUID, role_id: UUID) -> CustomRole:
    role = CustomRole.objects.filter(tenant_id=tenant_id, pk=role_id).first()
    if role is None:
        raise NotFound(_("There is no such role."))
    return role


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME:
        raise ValidationFailed.one("name", "required", _("Give the role a name of at most 60 characters."))
    if name.upper() in Role.values or name.lower() in {str(role.label).lower() for role in Role} or _is_id(name):
        raise ValidationFailed.one("name", "reserved", _("This is the name of a built-in role."))
    if "," in name:
        raise ValidationFailed.one("name", "invalid", _("A role's name has no comma."))
    return name


def _is_id(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True


def _checked_permissions(permissions: Sequence[str]) -> frozenset[str]:
    if not permissions:
        raise ValidationFailed.one("permissions", "required", _("A role allows something at least."))
    wrong = [
        FieldError("permissions", "unknown_permission", _("There is no permission %(name)s.") % {"name": word[:40]})
        if word not in ALL
        else FieldError("permissions", "not_for_custom_roles", _("Ownership is not given as a role: transfer it."))
        for word in dict.fromkeys(permissions)
        if word not in CUSTOMISABLE
    ]
    if wrong:
        raise ValidationFailed(wrong)
    return frozenset(permissions)


def _require_free_name(tenant_id: UUID, name: str, *, but: UUID | None = None) -> None:
    same = CustomRole.objects.filter(tenant_id=tenant_id, name__iexact=name)
    if (same.exclude(pk=but) if but else same).exists():
        raise RoleNameTaken


def _require_held(held: frozenset[str] | None, permissions: frozenset[str]) -> None:
    if held is not None and (lacking := permissions - held):
        raise PermissionRefused(_("Nobody grants what he lacks: %(permissions)s.") % {"permissions": in_words(lacking)})


def _require_above_holders(actor: Actor, held: frozenset[str] | None, role: CustomRole, wanted: frozenset[str]) -> None:
    """Everybody whom the change touches must stand below, before and after it; the actor himself may only lose."""
    rows = Membership.objects.prefetch_related("custom_roles").filter(grants__role=role)
    for member in rows:
        present = assigned.of_member(member)
        if member.user_id == actor.user_id:
            if not wanted <= frozenset(role.permissions):
                raise PermissionRefused(_("Nobody adds to a role that he holds himself."))
            continue
        others = Assigned(present.builtin, tuple(other for other in present.custom if other != role))
        standing.require_above(held, present.permissions)
        standing.require_above(held, others.permissions | wanted)


def _require_grantable_if_offered(held: frozenset[str] | None, role: CustomRole, wanted: frozenset[str]) -> None:
    """What waits for people to come, they get without being asked who they are: it stays what could be given."""
    word = str(role.id)
    invited = Invitation.objects.filter(custom_role=role, accepted_at=None, revoked_at=None)
    mapped = DirectoryGroup.objects.filter(tenant_id=role.tenant_id, role=word)
    connections = SsoConnection.objects.filter(tenant_id=role.tenant_id)
    is_told = any(word in (row.default_role, *row.group_roles.values()) for row in connections)
    if (is_told or invited.exists() or mapped.exists()) and (reason := standing.why_not(held, wanted)):
        raise PermissionRefused(reason)


class _Number(TypedDict):
    number: int


def _counted(tenant_id: UUID) -> "QuerySet[WithAnnotations[CustomRole, _Number]]":
    return CustomRole.objects.filter(tenant_id=tenant_id).annotate(number=Count("grants"))


def _builtin(role: Role, members: int) -> RoleView:
    return RoleView(role.value, role.value, role.label, ROLE_PERMISSIONS[role.value], True, members)


def _custom(row: "WithAnnotations[CustomRole, _Number]") -> RoleView:
    held = CUSTOMISABLE & set(row.permissions)
    return RoleView(str(row.id), row.name, row.name, held, False, row.number)


def _state(role: CustomRole) -> dict[str, object]:
    return {"name": role.name, "permissions": list(role.permissions)}


def _record(
    actor: Actor,
    role: CustomRole,
    action: str,
    before: dict[str, object] | None,
    after: dict[str, object] | None,
) -> None:
    audit.record(
        actor=actor,
        action=action,
        entity_type="role",
        entity_id=role.id,
        entity_label=role.name,
        before=before,
        after=after,
        severity=Severity.HIGH,
        tenant_id=role.tenant_id,
    )
