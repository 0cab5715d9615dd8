"""Sign-up, sign-in, tokens, one's own profile, the tenant and its members."""

from typing import Any, ClassVar, cast

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.errors import NotFound
from apps.core.rest.listing import Listing
from apps.core.rest.preconditions import VersionedView
from apps.core.rest.views import ANY_MEMBER, ApiView, PublicApiView
from apps.iam import accounts, api_keys, pages, portraits, selectors, services, stepping_up, tokens
from apps.iam.api import presenters, serializers
from apps.iam.api.authentication import bearer_token
from apps.iam.identity import Identity
from apps.iam.origins import known_origin
from apps.tenancy import deleting, profile, subdomains
from apps.tenancy import selectors as tenancy

_TAG = ["Sign-up and sign-in"]
_REFUSED = OpenApiResponse(description="Problem document: e-mail or password is wrong, or the token does not hold.")
_CONFLICT = OpenApiResponse(description="Problem document: this contradicts what is stored.")


class _SignedIn(ApiView):
    """A resource of whoever is signed in, operators without a tenant included."""

    tenantless = True

    @property
    def identity(self) -> Identity:
        """Who is signed in."""
        return cast(Identity, self.request.auth)


class SignUpView(PublicApiView):
    """Person, tenant and ownership in one call."""

    # A repeat must not open a second workspace: the key belongs to whoever the body names.
    repeatable_by = "email"

    @extend_schema(
        tags=_TAG,
        request=serializers.SignUpBody,
        responses={201: serializers.SignUpAnswer, 401: _REFUSED, 409: _CONFLICT},
        examples=[
            OpenApiExample(
                "A new organisation",
                request_only=True,
                value={
                    "email": "ada@northwind.example",
                    "password": "Analytical-1",
                    "first_name": "Ada",
                    "last_name": "Byron",
                    "tenant_name": "Northwind",
                },
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Answers at once; the tenant is prepared in the background (see `Location`)."""
        body = self.read_body(serializers.SignUpBody)
        made = services.sign_up(**body, origin=known_origin(request))
        place = reverse("api:signup-status", args=[made.tenant.key])
        return Response(presenters.sign_up(made), status=201, headers={"Location": place})


class SignUpStatusView(PublicApiView):
    """How far a sign-up is."""

    @extend_schema(tags=_TAG, responses=serializers.SignUpStatusAnswer)
    def get(self, request: Request, key: str) -> Response:
        """Status, step and progress in per cent."""
        now = tenancy.provisioning(key)
        return Response({"status": now.status, "step": now.step, "progress": now.progress})


class DiscoverView(PublicApiView):
    """Which workspaces credentials open."""

    @extend_schema(
        tags=_TAG,
        request=serializers.CredentialsBody,
        responses={200: serializers.DiscoverAnswer, 401: _REFUSED},
    )
    def post(self, request: Request) -> Response:
        """Active memberships of active tenants; issues no token."""
        body = self.read_body(serializers.CredentialsBody)
        found = services.discover(**body, origin=known_origin(request))
        return Response({"data": [presenters.workspace(workspace) for workspace in found]})


class SignInView(PublicApiView):
    """From credentials to tokens."""

    @extend_schema(
        tags=_TAG,
        request=serializers.SignInBody,
        responses={200: serializers.TokenAnswer, 401: _REFUSED},
        examples=[
            OpenApiExample(
                "To one workspace",
                request_only=True,
                value={"email": "ada@northwind.example", "password": "Analytical-1", "tenant": "northwind"},
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """On a tenant's host the host names the tenant."""
        body = self.read_body(serializers.SignInBody)
        of_host = getattr(request._request, "tenant", None)
        wanted = body.pop("tenant", of_host.key if of_host else "")
        if wanted is None:
            return _tokens(services.sign_in_operator(**body, origin=known_origin(request)))
        return _tokens(services.sign_in(**body, tenant=wanted or None, origin=known_origin(request)))


class RefreshView(PublicApiView):
    """From a refresh token to the next pair."""

    @extend_schema(
        tags=_TAG,
        request=serializers.RefreshBody,
        responses={200: serializers.TokenAnswer, 401: _REFUSED, 409: _CONFLICT},
    )
    def post(self, request: Request) -> Response:
        """The old token is spent; spending it again ends the whole family."""
        body = self.read_body(serializers.RefreshBody)
        return _tokens(services.refresh(refresh_token=body["refresh"], origin=known_origin(request)))


class SignOutView(_SignedIn):
    """The end of this sign-in."""

    permissions: ClassVar = {"POST": ANY_MEMBER}
    serves_temporary_password = True
    writes_when_suspended = True

    @extend_schema(tags=_TAG, request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """Its access and refresh tokens are void at once."""
        services.sign_out(actor=self.actor, family_id=self.identity.family_id)
        return Response(status=204)


class SignOutAllView(_SignedIn):
    """The end of every sign-in."""

    permissions: ClassVar = {"POST": ANY_MEMBER}
    serves_temporary_password = True
    writes_when_suspended = True

    @extend_schema(tags=_TAG, request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """Everything that was issued before this moment is void, in every tenant and browser."""
        services.sign_out_all(actor=self.actor)
        return Response(status=204)


class ValidateView(_SignedIn):
    """What an access token stands for."""

    permissions: ClassVar = {"POST": ANY_MEMBER}
    open_to_keys = frozenset({"POST"})
    writes_when_suspended = True

    @extend_schema(tags=_TAG, request=None, responses={200: serializers.ValidateAnswer, 401: _REFUSED})
    def post(self, request: Request) -> Response:
        """The answer is current: roles are read from the database, not from the token."""
        actor, tenant = self.actor, self.identity.tenant
        if actor.api_key_id is not None:
            expires_at = api_keys.expiry_of(actor.api_key_id)
        else:
            expires_at = tokens.read_access(bearer_token(request._request) or "").expires_at
        return Response(
            {
                "active": True,
                "user_id": actor.user_id,
                "email": actor.email,
                "tenant_key": tenant.key if tenant else None,
                "roles": list(actor.roles),
                "permissions": sorted(actor.permissions),
                "api_key": {"id": actor.api_key_id, "name": actor.api_key_name} if actor.api_key_id else None,
                "expires_at": expires_at,
            }
        )


class MeView(_SignedIn, VersionedView):
    """One's own profile."""

    permissions: ClassVar = {"GET": ANY_MEMBER, "PATCH": ANY_MEMBER}
    open_to_keys = frozenset({"GET"})

    @extend_schema(tags=["Profile"], responses=serializers.ProfileAnswer)
    def get(self, request: Request) -> Response:
        """Names, language, and what one may do here."""
        return self._answer()

    @extend_schema(tags=["Profile"], request=serializers.ProfileBody, responses=serializers.ProfileAnswer)
    def patch(self, request: Request) -> Response:
        """Change names or language; the e-mail is read-only."""
        changes, expected = self.read_body(serializers.ProfileBody), self.expected_versions()
        services.update_profile(actor=self.actor, changes=changes, expected=expected)
        return self._answer()

    def _answer(self) -> Response:
        assert self.actor.user_id is not None
        person = selectors.get_profile(self.actor.user_id)
        path = pages.picture_of(self.actor, portraits.SIZES[0])
        home = self.identity.tenant.home_url if self.identity.tenant else ""
        body = {**presenters.profile(person, self.identity), "avatar_url": home + path if path else None}
        return self.versioned(body, accounts.profile_version(person))


class MyMembershipsView(_SignedIn):
    """Every tenant that one belongs to."""

    permissions: ClassVar = {"GET": ANY_MEMBER}

    listing = Listing(serializers.MembershipAnswer, "Every workspace that one belongs to, by name.", keys={})

    @extend_schema(operation_id="me_memberships_list", tags=["Profile"], responses=listing.page)
    def get(self, request: Request) -> Response:
        """By name, whatever state the tenants are in."""
        found = selectors.memberships_of_actor(self.actor)
        return self.listed_whole(presenters.membership(workspace) for workspace in found)


class TenantView(VersionedView):
    """The tenant that one is signed in to."""

    permissions: ClassVar = {"GET": ANY_MEMBER, "PATCH": "settings:write", "DELETE": "tenant:delete"}
    open_to_keys = frozenset({"GET"})
    writes_when_suspended = frozenset({"DELETE"})
    serves_unready = frozenset({"GET", "DELETE"})

    @extend_schema(tags=["Organisation"], responses=serializers.TenantAnswer)
    def get(self, request: Request) -> Response:
        """Names, address and settings."""
        identity = cast(Identity, request.auth)
        if identity.tenant is None:
            raise NotFound("This token belongs to no workspace.")
        return self.versioned(presenters.tenant(identity.tenant), identity.tenant.version)

    @extend_schema(
        tags=["Organisation"],
        request=serializers.TenantBody,
        responses={200: serializers.TenantAnswer, 409: _CONFLICT},
    )
    def patch(self, request: Request) -> Response:
        """Change what the body names. Issued invoices keep what they say; the old slug leads to the new one."""
        changes = self.read_body(serializers.TenantBody)
        slug = changes.pop("slug", None)
        profile.update_settings(actor=self.actor, changes=changes, expected=self.expected_versions())
        if slug is not None:
            subdomains.change_slug(actor=self.actor, slug=slug)
        assert self.actor.tenant_id is not None
        found = tenancy.tenant_by_id(self.actor.tenant_id)
        return self.versioned(presenters.tenant(found), found.version)

    @extend_schema(tags=["Organisation"], responses={204: None, 409: _CONFLICT})
    def delete(self, request: Request) -> Response:
        """Close the tenant to everybody, this token included. Its owner can restore it by the link in his mail."""
        identity = cast(Identity, request.auth)
        if identity.tenant is None:
            raise NotFound("This token belongs to no workspace.")
        stepping_up.require_recent(request)
        deleting.delete_tenant(actor=self.actor, tenant_id=identity.tenant.id)
        return Response(status=204)


class MembersView(ApiView):
    """The tenant's members."""

    permissions: ClassVar = {"GET": "members:read"}
    listing = Listing(
        serializers.MemberAnswer,
        "A page of members.",
        filters=[
            OpenApiParameter("q", str, description="Part of a name or an e-mail."),
            OpenApiParameter("role", str),
            OpenApiParameter("status", str),
        ],
    )

    @extend_schema(operation_id="members_list", tags=["Organisation"], responses=listing.page)
    def get(self, request: Request) -> Response:
        """Newest first; removed members only when `status` asks for them."""
        filters: dict[str, Any] = {name: request.query_params.get(name, "") for name in ("q", "role", "status")}
        page = selectors.list_members(actor=self.actor, page=self.page_request(), filters=filters)
        return self.listed(page, presenters.members(tenancy.current_tenant(), page.rows))


def _tokens(pair: services.TokenPair) -> Response:
    # RFC 6749, 5.1: tokens are never cached.
    return Response(presenters.token_pair(pair), headers={"Cache-Control": "no-store"})
