"""Suspending, reactivating and retrying the tenant that one is signed in to."""

from typing import Any, ClassVar, cast

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.errors import NotFound
from apps.core.rest.views import ApiView
from apps.iam.api import presenters, serializers
from apps.iam.identity import Identity
from apps.tenancy import selectors, services

_TAG = ["Organisation"]
_REFUSED = OpenApiResponse(description="Problem document: not the owner, e-mail not verified, or not his to lift.")
_ILLEGAL = OpenApiResponse(description="Problem document with `allowed_actions`: the state does not allow this.")


class _StateView(ApiView):
    """One transition. It works whatever state the tenant is in: the state machine refuses, not the door."""

    permissions: ClassVar = {"POST": "tenant:suspend"}
    writes_when_suspended = True
    serves_unready = True

    def _answer(self) -> Response:
        return Response(presenters.tenant(selectors.tenant_by_id(self._tenant_id)))

    @property
    def _tenant_id(self) -> Any:
        tenant = cast(Identity, self.request.auth).tenant
        if tenant is None:
            raise NotFound("This token belongs to no workspace.")
        return tenant.id


class SuspendView(_StateView):
    """The tenant becomes read-only."""

    @extend_schema(
        tags=_TAG,
        request=serializers.ReasonBody,
        responses={200: serializers.TenantAnswer, 403: _REFUSED, 409: _ILLEGAL},
    )
    def post(self, request: Request) -> Response:
        """Writes are refused with the code `tenant_suspended` until it is reactivated."""
        reason = self.read_body(serializers.ReasonBody)["reason"]
        services.suspend_tenant(actor=self.actor, tenant_id=self._tenant_id, reason=reason)
        return self._answer()


class ReactivateView(_StateView):
    """The end of a suspension."""

    @extend_schema(tags=_TAG, request=None, responses={200: serializers.TenantAnswer, 403: _REFUSED, 409: _ILLEGAL})
    def post(self, request: Request) -> Response:
        """Only what the tenant's people imposed can be lifted here."""
        services.reactivate_tenant(actor=self.actor, tenant_id=self._tenant_id)
        return self._answer()


class RetryProvisioningView(_StateView):
    """One more attempt to prepare a tenant whose preparation failed."""

    @extend_schema(tags=_TAG, request=None, responses={200: serializers.TenantAnswer, 403: _REFUSED, 409: _ILLEGAL})
    def post(self, request: Request) -> Response:
        """The missing steps run in the background."""
        services.retry_provisioning(actor=self.actor, tenant_id=self._tenant_id)
        return self._answer()
