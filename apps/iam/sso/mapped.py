"""Roles as providers and directories give them: stored as a built-in one's name or a custom one's id."""

from collections.abc import Iterable
from uuid import UUID

from apps.core.errors import ValidationFailed
from apps.iam import assigned
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


def _reach(role: str) -> int:
    return len(permissions_of((role,)))
