"""Roles as providers and directories give them: stored as a built-in one's name or a custom one's id."""

from collections.abc import Iterable
from uuid import UUID

from django.utils.translation import gettext as _

from apps.core.errors import PermissionRefused, ValidationFailed
from apps.iam import assigned, standing
from apps.iam.assigned import Assigned
from apps.iam.models import Role
from apps.iam.permissions import permissions_of
from apps.iam.sso.models import DEFAULT_ROLE, SsoConnection

LEAST = Assigned(Role.VIEWER.value)


def one(tenant_id: UUID, word: str) -> Assigned:
    """The role that `word` names; one that is gone by now is the least."""
    try:
        return assigned.named(tenant_id, [word])
    except ValidationFailed:
        return LEAST


def together(tenant_id: UUID, words: Iterable[str]) -> Assigned:
    """Several at once: the built-in one that allows the most, and every custom one."""
    found = [one(tenant_id, word) for word in words]
    builtin = max((roles.builtin for roles in found if roles.builtin), key=_reach, default="")
    custom = {role.id: role for roles in found for role in roles.custom}
    return Assigned(builtin, tuple(sorted(custom.values(), key=lambda role: role.name)))


def default(tenant_id: UUID) -> Assigned:
    """The role of people whom a provider or a directory brings and says nothing else about."""
    word = SsoConnection.objects.filter(tenant_id=tenant_id).values_list("default_role", flat=True).first()
    return one(tenant_id, word or DEFAULT_ROLE)


def granted(held: frozenset[str] | None, tenant_id: UUID, word: str, *, field: str) -> str:
    """`word` as it is stored, if who holds `held` may give that role.

    Raises:
        ValidationFailed: there is no such role; `field` is where it was named.
        PermissionRefused: it holds what he lacks, or ownership.
    """
    roles = assigned.named(tenant_id, [word], field=field)
    if not standing.may_grant(held, roles.permissions):
        raise PermissionRefused(_("Nobody grants what he lacks, and ownership is transferred."))
    return roles.builtin or str(roles.custom[0].id)


def _reach(role: str) -> int:
    return len(permissions_of((role,)))
