"""A tenant's members and invitations, and leaving it."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.rest.listing import Listing
from apps.core.rest.preconditions import VersionedView
from apps.core.rest.views import ANY_MEMBER, ApiView, PublicApiView
from apps.iam import selectors, services, stepping_up
from apps.iam.api import presenters, serializers
from apps.iam.origins import known_origin
from apps.tenancy import selectors as tenancy

_MEMBERS, _INVITATIONS = ["Members"], ["Invitations"]
_CONFLICT = OpenApiResponse(description="Problem document: this contradicts what is stored.")
_NO_SEAT = OpenApiResponse(description="Problem document: every seat of the plan is taken.")
_UNKNOWN = OpenApiResponse(description="Problem document: unknown, expired, revoked or used.")


class MemberView(VersionedView):
    """One member."""

    permissions: ClassVar = {"GET": "members:read", "PATCH": "members:write", "DELETE": "members:write"}

    @extend_schema(operation_id="members_retrieve", tags=_MEMBERS, responses=serializers.MemberAnswer)
    def get(self, request: Request, membership_id: UUID) -> Response:
        """The member with his roles, also when he is banned."""
        row = selectors.get_member(actor=self.actor, membership_id=membership_id)
        return self.versioned(presenters.member(tenancy.current_tenant(), row), selectors.member_view(row).version)

    @extend_schema(tags=_MEMBERS, request=serializers.MemberBody, responses=serializers.MemberAnswer)
    def patch(self, request: Request, membership_id: UUID) -> Response:
        """Other roles: at most one built-in one, and custom ones by name or id. Nobody grants what he lacks."""
        roles = self.read_body(serializers.MemberBody)["roles"]
        expected = self.expected_versions()
        services.change_roles(actor=self.actor, membership_id=membership_id, roles=roles, expected=expected)
        return self.get(request, membership_id)

    @extend_schema(tags=_MEMBERS, responses={204: None, 409: _CONFLICT})
    def delete(self, request: Request, membership_id: UUID) -> Response:
        """Take the member out; his sessions in this workspace end."""
        services.remove_member(actor=self.actor, membership_id=membership_id, expected=self.expected_versions())
        return Response(status=204)


class MemberBanView(ApiView):
    """Keeping a member out."""

    permissions: ClassVar = {"POST": "members:write"}

    @extend_schema(
        tags=_MEMBERS, request=serializers.BanBody, responses={200: serializers.MemberAnswer, 409: _CONFLICT}
    )
    def post(self, request: Request, membership_id: UUID) -> Response:
        """For good, or until `expires_at`; his sessions in this workspace end. Replaces an earlier ban."""
        body = self.read_body(serializers.BanBody)
        services.ban_member(
            actor=self.actor, membership_id=membership_id, reason=body["reason"], until=body["expires_at"]
        )
        return _member(self.actor, membership_id)


class MemberUnbanView(ApiView):
    """Letting a member in again."""

    permissions: ClassVar = {"POST": "members:write"}

    @extend_schema(tags=_MEMBERS, request=None, responses={200: serializers.MemberAnswer, 409: _CONFLICT})
    def post(self, request: Request, membership_id: UUID) -> Response:
        """He signs in anew."""
        services.unban_member(actor=self.actor, membership_id=membership_id)
        return _member(self.actor, membership_id)


class TransferOwnershipView(ApiView):
    """Another owner."""

    permissions: ClassVar = {"POST": "ownership:transfer"}

    @extend_schema(tags=_MEMBERS, request=None, responses={200: serializers.MemberAnswer, 409: _CONFLICT})
    def post(self, request: Request, membership_id: UUID) -> Response:
        """This member becomes the owner, the caller a MEMBER. Answers the new owner."""
        stepping_up.require_recent(request)
        services.transfer_ownership(actor=self.actor, membership_id=membership_id)
        return _member(self.actor, membership_id)


class MyMembershipView(ApiView):
    """One's own place in the tenant."""

    permissions: ClassVar = {"DELETE": ANY_MEMBER}

    @extend_schema(tags=_MEMBERS, responses={204: None, 409: _CONFLICT})
    def delete(self, request: Request) -> Response:
        """Leave; the last owner cannot."""
        services.leave(actor=self.actor)
        return Response(status=204)


class InvitationsView(ApiView):
    """Invitations to the tenant."""

    permissions: ClassVar = {"GET": "members:write", "POST": "members:write"}
    listing = Listing(
        serializers.InvitationAnswer,
        "A page of invitations.",
        filters=[
            OpenApiParameter("q", str, description="Part of an e-mail."),
            OpenApiParameter("status", str, enum=["PENDING", "ALL"], description="PENDING (default) or ALL."),
        ],
    )

    @extend_schema(operation_id="invitations_list", tags=_INVITATIONS, responses=listing.page)
    def get(self, request: Request) -> Response:
        """Newest first; the pending ones, expired ones among them, unless all are asked for."""
        filters: dict[str, Any] = {name: request.query_params.get(name, "") for name in ("q", "status")}
        page = selectors.list_invitations(actor=self.actor, page=self.page_request(), filters=filters)
        return self.listed(page, presenters.invitation)

    @extend_schema(
        tags=_INVITATIONS,
        request=serializers.InvitationBody,
        responses={201: serializers.InvitationAnswer, 409: _CONFLICT},
        examples=[OpenApiExample("A colleague", request_only=True, value={"email": "bo@northwind.example"})],
    )
    def post(self, request: Request) -> Response:
        """Good for 72 hours. Nobody grants what he lacks; ownership is never given so."""
        row = services.invite(actor=self.actor, **self.read_body(serializers.InvitationBody))
        return Response(presenters.invitation(row), status=201)


class InvitationView(ApiView):
    """One invitation."""

    permissions: ClassVar = {"DELETE": "members:write"}

    @extend_schema(tags=_INVITATIONS, responses={204: None})
    def delete(self, request: Request, invitation_id: UUID) -> Response:
        """Revoke it: its link is void at once."""
        services.revoke_invitation(actor=self.actor, invitation_id=invitation_id)
        return Response(status=204)


class InvitationResendView(ApiView):
    """The mail of an invitation, once more."""

    permissions: ClassVar = {"POST": "members:write"}

    @extend_schema(tags=_INVITATIONS, request=None, responses={200: serializers.InvitationAnswer, 409: _CONFLICT})
    def post(self, request: Request, invitation_id: UUID) -> Response:
        """A new link for 72 hours from now; the earlier one is void."""
        row = services.resend_invitation(actor=self.actor, invitation_id=invitation_id)
        return Response(presenters.invitation(row))


class InvitationByTokenView(PublicApiView):
    """What a token of a mail offers."""

    @extend_schema(tags=_INVITATIONS, responses={200: serializers.InvitationPreviewAnswer, 404: _UNKNOWN})
    def get(self, request: Request, token: str) -> Response:
        """Which workspace, as what, and whether the address needs to sign up first."""
        return Response(presenters.invitation_preview(services.preview_invitation(token=token)))


class InvitationAcceptView(PublicApiView):
    """Joining by a token of a mail."""

    @extend_schema(
        tags=_INVITATIONS,
        request=serializers.AcceptBody,
        responses={200: serializers.TokenAnswer, 402: _NO_SEAT, 404: _UNKNOWN, 409: _CONFLICT},
    )
    def post(self, request: Request, token: str) -> Response:
        """Who has an account gives its password; a new person chooses one and tells his names."""
        body = self.read_body(serializers.AcceptBody)
        pair = services.accept_invitation(token=token, origin=known_origin(request), **body)
        # RFC 6749, 5.1: tokens are never cached.
        return Response(presenters.token_pair(pair), headers={"Cache-Control": "no-store"})


def _member(actor: Any, membership_id: UUID) -> Response:
    row = selectors.get_member(actor=actor, membership_id=membership_id)
    return Response(presenters.member(tenancy.current_tenant(), row))
