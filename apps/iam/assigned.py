"""The roles of a member or an invitation as one value: at most one built-in role, and custom ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.actor import Actor
from apps.core.errors import ValidationFailed
from apps.core.events import publish
from apps.iam.events import MemberJoined, MemberRolesChanged
from apps.iam.models import Invitation, Membership, Role, User
from apps.iam.permissions import permissions_of, together
from apps.iam.role_models import CustomRole, RoleGrant

MAX_ROLES = 20


@dataclass(frozen=True, slots=True)
class Assigned:
    """Roles together. `builtin` is empty when there are custom ones alone."""

    builtin: str
    custom: tuple[CustomRole, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The roles' names, the built-in one first."""
        return (*((self.builtin,) if self.builtin else ()), *(role.name for role in self.custom))

    @property
    def labels(self) -> list[str | Promise]:
        """The roles' names for people."""
        return labels_of(self.names)

    @property
    def text(self) -> str:
        """The labels in one line."""
        return ", ".join(map(str, self.labels))

    @property
    def permissions(self) -> frozenset[str]:
        """What they allow together."""
        return together(self.builtin, (role.permissions for role in self.custom))

    def added_to(self, before: "Assigned") -> frozenset[str]:
        """What the roles allow that are not among `before`, whether others allow it already or not."""
        builtin = permissions_of((self.builtin,)) if self.builtin != before.builtin else frozenset()
        return builtin | together("", (role.permissions for role in self.custom if role not in before.custom))


def labels_of(names: Iterable[str]) -> list[str | Promise]:
    """Roles as people read them: built-in ones translated, custom ones by the name that the tenant gave."""
    return [Role(name).label if name in Role.values else name for name in names]


def of_member(member: Membership) -> Assigned:
    """What a member holds."""
    return Assigned(member.role, tuple(sorted(member.custom_roles.all(), key=lambda role: role.name)))


def of_invitation(row: Invitation) -> Assigned:
    """What an invitation offers."""
    return Assigned(row.role, (row.custom_role,) if row.custom_role else ())


def named(tenant_id: UUID, words: Sequence[str], *, field: str = "roles") -> Assigned:
    """The roles of a tenant that `words` name: built-in ones by name, custom ones by name (in any case) or id.

    Raises:
        ValidationFailed: none, too many, an unknown one, or two built-in ones; `field` names the input.
    """
    wanted = list(dict.fromkeys(words))
    if not wanted or len(wanted) > MAX_ROLES:
        _refuse(field, "required", _("Name between one and %(number)d roles.") % {"number": MAX_ROLES})
    builtin = [word for word in wanted if word in Role.values]
    if len(builtin) > 1:
        _refuse(field, "one_built_in", _("Choose one built-in role; custom roles may come on top."))
    own = list(CustomRole.objects.filter(tenant_id=tenant_id)) if len(wanted) > len(builtin) else []
    by_word = {role.name.lower(): role for role in own} | {str(role.id): role for role in own}
    custom = {by_word.get(word.lower()) for word in wanted if word not in Role.values}
    found = [role for role in custom if role is not None]
    if len(found) < len(custom):
        _refuse(field, "unknown_role", _("There is no such role."))
    return Assigned(builtin[0] if builtin else "", tuple(sorted(found, key=lambda role: role.name)))


def assign(member: Membership, roles: Assigned) -> None:
    """Make these the roles of a member, in the caller's transaction and the tenant's turn; saves nothing else."""
    if member.role != roles.builtin:
        member.role = roles.builtin
        member.save(update_fields=["role", "updated_at"])
    RoleGrant.objects.filter(membership=member).exclude(role__in=roles.custom).delete()
    present = set(RoleGrant.objects.filter(membership=member).values_list("role_id", flat=True))
    RoleGrant.objects.bulk_create(
        RoleGrant(tenant_id=member.tenant_id, membership=member, role=role)
        for role in roles.custom
        if role.id not in present
    )
    # What was read ahead says the former roles.
    member._prefetched_objects_cache = {}  # type: ignore[attr-defined]  # not in the stubs


def change(actor: Actor, member: Membership, before: Assigned, after: Assigned, *, by: str = "") -> None:
    """`assign` other roles to a member, with trail and event; `by` says in the trail what decided it, if nobody did."""
    assign(member, after)
    audit.record(
        actor=actor,
        action="iam.membership.change_role",
        entity_type="membership",
        entity_id=member.id,
        entity_label=member.user.email,
        before={"roles": list(before.names)},
        after={"roles": list(after.names)} | ({"by": by} if by else {}),
        severity=Severity.HIGH,
        tenant_id=member.tenant_id,
    )
    publish(
        MemberRolesChanged(
            tenant_id=member.tenant_id,
            membership_id=member.id,
            user_id=member.user_id,
            roles_before=before.names,
            roles=after.names,
        )
    )


def tell_of_joining(member: Membership, user: User, roles: Assigned) -> None:
    """Publish that somebody is a member from now on."""
    publish(
        MemberJoined(
            tenant_id=member.tenant_id,
            membership_id=member.id,
            user_id=user.id,
            name=user.name,
            role=", ".join(roles.names),
        )
    )


def _refuse(field: str, code: str, detail: str) -> NoReturn:
    raise ValidationFailed.one(field, code, detail)
