"""A tenant's roles."""

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.errors import IllegalState, NotFound
from apps.core.rest.listing import Listing
from apps.core.rest.preconditions import VersionedView
from apps.core.rest.views import ApiView
from apps.iam import roles, services
from apps.iam.api import presenters, serializers
from apps.iam.models import Role

_ROLES = ["Roles"]
_CONFLICT = OpenApiResponse(description="Problem document: the name is taken, the role is in use, or it is built in.")
_EXAMPLE = OpenApiExample(
    "A bookkeeper's help",
    request_only=True,
    value={"name": "Bookkeeping", "permissions": ["invoices:read", "payments:read", "ledger:read"]},
)


class RolesView(ApiView):
    """The roles of the workspace."""

    permissions: ClassVar = {"GET": "members:read", "POST": "roles:write"}
    listing = Listing(serializers.RoleAnswer, "All roles, the built-in ones first.", keys={})

    @extend_schema(operation_id="roles_list", tags=_ROLES, responses=listing.page)
    def get(self, request: Request) -> Response:
        """The built-in roles, the highest first, then the workspace's own by name; all of them at once."""
        return self.listed_whole(presenters.role(role) for role in services.list_roles(actor=self.actor))

    @extend_schema(
        tags=_ROLES,
        request=serializers.RoleBody,
        responses={201: serializers.RoleAnswer, 409: _CONFLICT},
        examples=[_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """A role of the workspace's own. Nobody puts into it what he lacks; ownership is never in one."""
        made = services.create_role(actor=self.actor, **self.read_body(serializers.RoleBody))
        return Response(presenters.role(made), status=201)


class RoleView(VersionedView):
    """One role."""

    permissions: ClassVar = {"GET": "members:read", "PATCH": "roles:write", "DELETE": "roles:write"}

    @extend_schema(tags=_ROLES, responses=serializers.RoleAnswer)
    def get(self, request: Request, role_id: str) -> Response:
        """By id, or by name when it is built in."""
        return self._answer(services.get_role(actor=self.actor, role_id=role_id))

    @extend_schema(
        tags=_ROLES,
        request=serializers.RoleChangeBody,
        responses={200: serializers.RoleAnswer, 409: _CONFLICT},
        examples=[_EXAMPLE],
    )
    def patch(self, request: Request, role_id: str) -> Response:
        """Another name or other permissions, at once for everybody who holds the role."""
        body, expected = self.read_body(serializers.RoleChangeBody), self.expected_versions()
        return self._answer(services.update_role(actor=self.actor, role_id=_own(role_id), expected=expected, **body))

    @extend_schema(tags=_ROLES, responses={204: None, 409: _CONFLICT})
    def delete(self, request: Request, role_id: str) -> Response:
        """Refused while anybody holds it, or a pending invitation offers it."""
        services.delete_role(actor=self.actor, role_id=_own(role_id), expected=self.expected_versions())
        return Response(status=204)

    def _answer(self, role: roles.RoleView) -> Response:
        return self.versioned(presenters.role(role), role.version)


def _own(role_id: str) -> UUID:
    if role_id in Role.values:
        raise IllegalState("Built-in roles cannot be changed.", allowed_actions=[])
    try:
        return UUID(role_id)
    except ValueError as error:
        raise NotFound("There is no such role.") from error
