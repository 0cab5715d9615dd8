"""What every page shows of the person and the workspace."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.templatetags.shown import initials
from apps.iam import avatars, browser, mfa_policy, portraits, selectors
from apps.iam.assigned import labels_of
from apps.iam.permissions import ALL
from apps.iam.sso import connections
from apps.tenancy.selectors import TenantView

_CAN = {permission: permission.replace(":", "_") for permission in sorted(ALL)}


def avatar_url(name: str, size: int = portraits.SIZES[0]) -> str:
    """The path of a picture on its tenant's host."""
    return reverse("iam:avatar", urlconf=settings.TENANT_URLCONF, args=[name, size])


def shell(request: HttpRequest) -> dict[str, Any]:
    """`me`, `can`, `tenant`, `passkeys_work`, `session_left` and, asked for only when shown, the person's `workspaces`.

    `me` and `tenant` are empty for who is not signed in and on the platform's host; `can` then allows nothing.
    """
    actor: Actor | None = getattr(request, "actor", None)
    tenant: TenantView | None = getattr(request, "tenant", None)
    identity: selectors.Identity | None = getattr(request, "identity", None)
    return {
        "me": _me(actor, identity) if actor else None,
        "can": {name: actor is not None and permission in actor.permissions for permission, name in _CAN.items()},
        "tenant": _tenant(tenant) if tenant else None,
        "workspaces": SimpleLazyObject(lambda: _workspaces(actor)),
        # Not asked for on the page that refuses a malformed host.
        "passkeys_work": SimpleLazyObject(lambda: _is_ours(request)),
        # Seconds, for the page's own clock; nothing to end where nobody is signed in.
        "session_left": browser.seconds_left(request, now=utcnow()) if identity and hasattr(request, "session") else 0,
        "sso": SimpleLazyObject(lambda: connections.entrance(tenant.id) if tenant else None),
    }


def _is_ours(request: HttpRequest) -> bool:
    """Whether this host is the platform's or below it: a workspace's own domain cannot use its passkeys."""
    host = request.get_host().partition(":")[0]
    return host == settings.PLATFORM_HOST or host.endswith(f".{settings.PLATFORM_HOST}")


def _me(actor: Actor, identity: selectors.Identity | None) -> dict[str, Any]:
    return {
        "id": actor.user_id,
        "name": actor.name,
        "first_name": identity.first_name if identity else "",
        "email": actor.email,
        "initials": initials(actor.name),
        "role": ", ".join(map(str, labels_of(actor.roles))),
        "locale": identity.locale if identity else "",
        "is_verified": actor.is_verified,
        "operator_until": identity.ends_at if identity and actor.impersonator_id else None,
        # When the member will need a second factor that he has not shown.
        "mfa_due_at": identity.mfa_due_at if identity and mfa_policy.is_reminded(identity) else None,
        "picture": SimpleLazyObject(lambda: picture_of(actor, portraits.SIZES[-1])),
    }


def picture_of(actor: Actor, size: int) -> str:
    """The path of a person's own picture where he is signed in; empty without one."""
    if actor.tenant_id is None or actor.user_id is None:
        return ""
    return pictures_of(actor.tenant_id, [actor.user_id], size).get(actor.user_id, "")


def pictures_of(tenant_id: UUID, user_ids: Iterable[UUID], size: int = portraits.SIZES[-1]) -> dict[UUID, str]:
    """The paths of the pictures of those people who have one in a workspace."""
    return {user_id: avatar_url(name, size) for user_id, name in avatars.names_of(tenant_id, user_ids).items()}


def picture_urls(tenant: TenantView, user_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The addresses of the large pictures of those people who have one in a workspace."""
    found = pictures_of(tenant.id, user_ids, portraits.SIZES[0])
    return {user_id: f"{tenant.home_url}{path}" for user_id, path in found.items()}


def _tenant(tenant: TenantView) -> dict[str, Any]:
    return {
        "id": tenant.id,
        "key": tenant.key,
        "name": tenant.name,
        "slug": tenant.slug,
        "initials": initials(tenant.name),
        "status": tenant.status,
        # Every organisation is on this plan until billing offers others.
        "plan": _("Free plan"),
        "currency": tenant.currency,
        "time_zone": tenant.time_zone,
        "locale": tenant.locale,
    }


def _workspaces(actor: Actor | None) -> list[dict[str, Any]]:
    if actor is None or actor.user_id is None or actor.is_federated:
        return []
    return [
        {
            "key": workspace.tenant.key,
            "name": workspace.tenant.name,
            "initials": initials(workspace.tenant.name),
            "url": workspace.tenant.url,
            "is_current": workspace.tenant.id == actor.tenant_id,
        }
        for workspace in selectors.workspaces_of(actor.user_id)
    ]
