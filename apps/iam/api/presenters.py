"""The IAM API's answers as plain dicts."""

from collections.abc import Callable, Iterable
from typing import Any

from apps.iam import assigned, pages
from apps.iam.accepting import InvitationPreview
from apps.iam.identity import Identity
from apps.iam.models import Invitation, Membership
from apps.iam.roles import RoleView
from apps.iam.selectors import ProfileView, WorkspaceView, member_view
from apps.iam.services import SignUpView, TokenPair
from apps.tenancy.selectors import TenantView


def sign_up(made: SignUpView) -> dict[str, Any]:
    """A fresh sign-up."""
    return {"user": {"id": made.user_id, "email": made.email}, "tenant": _with_status(made.tenant)}


def token_pair(pair: TokenPair) -> dict[str, Any]:
    """Both tokens, for whom and where."""
    actor, tenant = pair.identity.actor, pair.identity.tenant
    return {
        "access": pair.access,
        "refresh": pair.refresh,
        "token_type": "Bearer",
        "expires_in": pair.expires_in,
        "tenant": tenant_ref(tenant) if tenant else None,
        "user": {"id": actor.user_id, "email": actor.email},
    }


def tenant_ref(tenant: TenantView) -> dict[str, Any]:
    """A tenant by its names."""
    return {"key": tenant.key, "slug": tenant.slug, "name": tenant.name}


def workspace(found: WorkspaceView) -> dict[str, Any]:
    """One of the workspaces that credentials open."""
    return {**tenant_ref(found.tenant), "roles": list(found.roles)}


def membership(found: WorkspaceView) -> dict[str, Any]:
    """One of a person's memberships."""
    return {
        "tenant": _with_status(found.tenant),
        "roles": list(found.roles),
        "status": found.status,
        "joined_at": found.joined_at,
    }


def profile(person: ProfileView, identity: Identity) -> dict[str, Any]:
    """A person's own data, and what he may do where he is signed in."""
    return {
        "id": person.id,
        "email": person.email,
        "email_verified": person.email_verified,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "locale": person.locale,
        "platform_role": person.platform_role or None,
        "tenant": tenant_ref(identity.tenant) if identity.tenant else None,
        "roles": list(identity.actor.roles),
        "permissions": sorted(identity.actor.permissions),
        "created_at": person.created_at,
    }


def tenant(found: TenantView) -> dict[str, Any]:
    """A tenant to its members."""
    names = ["legal_name", "address", "tax_id", "email", "time_zone", "locale", "currency"]
    return {
        "id": found.id,
        **_with_status(found),
        "url": found.url,
        **{name: getattr(found, name) for name in names},
    }


def members(tenant: TenantView, rows: Iterable[Membership]) -> Callable[[Membership], dict[str, Any]]:
    """What shows each of these members of a tenant, after one look for all their pictures."""
    urls = pages.picture_urls(tenant, [row.user_id for row in rows])
    return lambda row: _member(row, urls.get(row.user_id))


def member(tenant: TenantView, row: Membership) -> dict[str, Any]:
    """One member of a tenant."""
    return members(tenant, [row])(row)


def _member(row: Membership, avatar_url: str | None) -> dict[str, Any]:
    found = member_view(row)
    return {
        "id": found.id,
        "user_id": found.user_id,
        "email": found.email,
        "first_name": found.first_name,
        "last_name": found.last_name,
        "avatar_url": avatar_url,
        "roles": list(found.roles),
        "status": found.status,
        "joined_at": found.joined_at,
        "banned_until": found.banned_until,
        "ban_reason": found.ban_reason or None,
    }


def invitation(row: Invitation) -> dict[str, Any]:
    """An invitation to those who may send them; its token is in the mail alone."""
    return {
        "id": row.id,
        "email": row.email,
        "role": ", ".join(assigned.of_invitation(row).names),
        "status": row.state.value,
        "invited_by": row.invited_by_name,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
    }


def invitation_preview(found: InvitationPreview) -> dict[str, Any]:
    """An invitation to whoever holds its token."""
    return {
        "tenant": tenant_ref(found.tenant),
        "email": found.email,
        "role": ", ".join(found.roles),
        "invited_by": found.inviter,
        "expires_at": found.expires_at,
        "needs_sign_up": found.needs_sign_up,
    }


def role(found: RoleView) -> dict[str, Any]:
    """A role and what it allows."""
    return {
        "id": found.id,
        "name": found.name,
        "permissions": sorted(found.permissions),
        "is_builtin": found.is_builtin,
        "members": found.members,
    }


def _with_status(found: TenantView) -> dict[str, Any]:
    return {**tenant_ref(found), "status": found.status}
