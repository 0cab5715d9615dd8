"""The IAM API's answers as plain dicts."""

from typing import Any

from apps.iam.identity import Identity
from apps.iam.models import Membership
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


def member(row: Membership) -> dict[str, Any]:
    """One member of a tenant."""
    found = member_view(row)
    return {
        "id": found.id,
        "user_id": found.user_id,
        "email": found.email,
        "first_name": found.first_name,
        "last_name": found.last_name,
        "roles": list(found.roles),
        "status": found.status,
        "joined_at": found.joined_at,
    }


def _with_status(found: TenantView) -> dict[str, Any]:
    return {**tenant_ref(found), "status": found.status}
