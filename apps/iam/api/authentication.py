"""Bearer tokens as DRF authentication; the workspace middleware has verified them and knows the tenant."""

from typing import Any

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apps.core.actor import Actor
from apps.core.errors import PermissionRefused
from apps.iam.identity import Identity

PLATFORM_PREFIX = "/api/v1/platform/"


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer <access token>`` → (`Actor`, `Identity`).

    An operator's token names no tenant: it is good below ``/platform/`` and where a view has `tenantless`.
    """

    def authenticate(self, request: Request) -> tuple[Actor, Identity] | None:
        """Take over what the middleware found.

        Raises:
            InvalidToken: the token does not hold.
            PermissionRefused: an operator's token on a tenant's resource.
        """
        django_request: Any = request._request
        if getattr(django_request, "token_error", None) is not None:
            raise django_request.token_error
        identity: Identity | None = getattr(django_request, "identity", None)
        if identity is None:
            return None
        view = (request.parser_context or {}).get("view")
        needs_tenant = not getattr(view, "tenantless", False) and not request.path.startswith(PLATFORM_PREFIX)
        if identity.tenant is None and needs_tenant:
            raise PermissionRefused("This token belongs to no workspace; it is good for the platform only.")
        return identity.actor, identity

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for (RFC 6750)."""
        return 'Bearer realm="insula"'


def bearer_token(request: HttpRequest) -> str | None:
    """The bearer token of a request, if it sends one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None
