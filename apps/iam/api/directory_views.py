"""The tenant's directory over REST: its tokens, and the roles of its groups. SCIM itself is at ``/scim/v2/``."""

from dataclasses import asdict
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.rest.listing import Listing
from apps.core.rest.preconditions import VersionedView
from apps.core.rest.views import ApiView
from apps.iam import stepping_up
from apps.iam.api import sso_serializers as serializers
from apps.iam.scim import groups, tokens
from apps.iam.scim.groups import GroupView
from apps.iam.scim.tokens import PERMISSION, ScimTokenView

_TAG = ["Directory"]
_UNKNOWN = OpenApiResponse(description="Problem document: there is no such thing here.")
_CONFLICT = OpenApiResponse(description="Problem document: this contradicts what is stored.")


class ScimTokensView(ApiView):
    """The tokens of the tenant's directory."""

    permissions: ClassVar = {"GET": PERMISSION, "POST": PERMISSION}
    listing = Listing(serializers.ScimTokenAnswer, "The tokens that hold, newest first.", keys={})

    @extend_schema(operation_id="scim_tokens_list", tags=_TAG, responses=listing.page)
    def get(self, request: Request) -> Response:
        """Those that hold, newest first; secrets are not here."""
        return self.listed_whole(asdict(row) for row in tokens.list_tokens(actor=self.actor))

    @extend_schema(
        tags=_TAG,
        request=serializers.ScimTokenBody,
        responses={201: serializers.NewScimTokenAnswer},
        examples=[OpenApiExample("For a directory", request_only=True, value={"name": "Microsoft Entra"})],
    )
    def post(self, request: Request) -> Response:
        """Make one; the secret is in this answer and nowhere else."""
        body = self.read_body(serializers.ScimTokenBody)
        stepping_up.require_recent(request)
        family_id = stepping_up.identity_of(request).family_id
        return _shown_once(*tokens.create_token(actor=self.actor, family_id=family_id, **body), status=201)


class ScimTokenResource(ApiView):
    """One token."""

    permissions: ClassVar = {"DELETE": PERMISSION}

    @extend_schema(tags=_TAG, responses={204: None, 404: _UNKNOWN})
    def delete(self, request: Request, scim_token_id: UUID) -> Response:
        """End it at once."""
        tokens.revoke_token(actor=self.actor, token_id=scim_token_id)
        return Response(status=204)


class ScimTokenRotateView(ApiView):
    """A new secret for a token."""

    permissions: ClassVar = {"POST": PERMISSION}

    @extend_schema(tags=_TAG, request=None, responses={200: serializers.NewScimTokenAnswer, 404: _UNKNOWN})
    def post(self, request: Request, scim_token_id: UUID) -> Response:
        """The present one stays good for a day. The answer is another token under the same name."""
        stepping_up.require_recent(request)
        family_id = stepping_up.identity_of(request).family_id
        made = tokens.rotate_token(actor=self.actor, family_id=family_id, token_id=scim_token_id)
        return _shown_once(*made, status=200)


class DirectoryGroupsView(ApiView):
    """The groups that the directory has sent."""

    permissions: ClassVar = {"GET": PERMISSION}
    listing = Listing(serializers.DirectoryGroupAnswer, "All groups, by name.", keys={})

    @extend_schema(operation_id="directory_groups_list", tags=_TAG, responses=listing.page)
    def get(self, request: Request) -> Response:
        """All of them, by name, with the role that each gives."""
        return self.listed_whole(_group(row) for row in groups.list_groups(actor=self.actor))


class DirectoryGroupView(VersionedView):
    """One group."""

    permissions: ClassVar = {"GET": PERMISSION, "PATCH": PERMISSION}

    @extend_schema(
        operation_id="directory_groups_retrieve",
        tags=_TAG,
        responses={200: serializers.DirectoryGroupAnswer, 404: _UNKNOWN},
    )
    def get(self, request: Request, group_id: UUID) -> Response:
        """The group with the role that it gives."""
        found = groups.get_group(actor=self.actor, group_id=group_id)
        return self.versioned(_group(found), found.version)

    @extend_schema(
        tags=_TAG,
        request=serializers.DirectoryGroupBody,
        responses={200: serializers.DirectoryGroupAnswer, 404: _UNKNOWN, 409: _CONFLICT},
    )
    def patch(self, request: Request, group_id: UUID) -> Response:
        """The role of its members, at once; owners keep theirs."""
        body = self.read_body(serializers.DirectoryGroupBody)
        stepping_up.require_recent(request)
        expected = self.expected_versions()
        groups.map_group(actor=self.actor, group_id=group_id, role=body["role"], expected=expected)
        return self.get(request, group_id)


def _shown_once(made: ScimTokenView, secret: str, *, status: int) -> Response:
    return Response({**asdict(made), "secret": secret}, status=status, headers={"Cache-Control": "no-store"})


def _group(row: GroupView) -> dict[str, Any]:
    return {"id": row.id, "name": row.name, "role": row.role or None, "size": row.size}
