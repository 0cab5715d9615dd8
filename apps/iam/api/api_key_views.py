"""API keys over REST."""

from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.rest.listing import Listing
from apps.core.rest.views import ApiView
from apps.iam import api_keys, stepping_up
from apps.iam.api import api_key_serializers as serializers
from apps.iam.api_key_models import ApiKey
from apps.iam.api_keys import NewSecret

_TAG = ["API keys"]
_UNKNOWN = OpenApiResponse(description="Problem document: there is no such key here, or it was revoked.")


class ApiKeysView(ApiView):
    """The tenant's keys."""

    permissions: ClassVar = {"GET": api_keys.PERMISSION, "POST": api_keys.PERMISSION}

    listing = Listing(serializers.ApiKeyAnswer, "A page of keys.", filters=[OpenApiParameter("include_revoked", bool)])

    @extend_schema(operation_id="api_keys_list", tags=_TAG, responses=listing.page)
    def get(self, request: Request) -> Response:
        """Newest first; secrets are not here."""
        with_revoked = request.query_params.get("include_revoked", "").lower() in ("true", "1")
        page = api_keys.list_api_keys(actor=self.actor, page=self.page_request(), with_revoked=with_revoked)
        return self.listed(page, present)

    @extend_schema(
        tags=_TAG,
        request=serializers.ApiKeyBody,
        responses={201: serializers.NewApiKeyAnswer},
        examples=[
            OpenApiExample(
                "A key that reads invoices",
                request_only=True,
                value={"name": "Accounting export", "scopes": ["invoices:read", "clients:read"]},
            ),
            OpenApiExample(
                "A key whose requests are signed",
                request_only=True,
                value={
                    "name": "Shop",
                    "scopes": ["invoices:write"],
                    "expires_at": "2099-12-31T00:00:00Z",
                    "signature_algorithm": "hmac-sha256",
                },
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """The secret is in this answer and nowhere else."""
        stepping_up.require_recent_unless_key(request)
        body = self.read_body(serializers.ApiKeyBody)
        algorithm = body.pop("signature_algorithm") or ""
        family_id = stepping_up.identity_of(request).family_id
        made = api_keys.create_api_key(actor=self.actor, family_id=family_id, algorithm=algorithm, **body)
        return _shown_once(made, 201)


class ApiKeyView(ApiView):
    """One key."""

    permissions: ClassVar = {"DELETE": api_keys.PERMISSION}

    @extend_schema(tags=_TAG, responses={204: None, 404: _UNKNOWN})
    def delete(self, request: Request, key_id: UUID) -> Response:
        """End it at once, and the keys that it made."""
        api_keys.revoke_api_key(actor=self.actor, key_id=key_id)
        return Response(status=204)


class ApiKeyRotateView(ApiView):
    """A new secret for a key."""

    permissions: ClassVar = {"POST": api_keys.PERMISSION}

    @extend_schema(
        tags=_TAG, request=serializers.RotateBody, responses={200: serializers.NewApiKeyAnswer, 404: _UNKNOWN}
    )
    def post(self, request: Request, key_id: UUID) -> Response:
        """Only who made the key can. The present secret stays good for the overlap."""
        stepping_up.require_recent_unless_key(request)
        body = self.read_body(serializers.RotateBody)
        overlap = timedelta(seconds=body["overlap_seconds"])
        made = api_keys.rotate_api_key(
            actor=self.actor,
            family_id=stepping_up.identity_of(request).family_id,
            key_id=key_id,
            overlap=overlap,
            public_key=body["public_key"],
        )
        return _shown_once(made, 200)


def present(key: ApiKey) -> dict[str, Any]:
    """A key as those see it who manage keys."""
    return {
        "id": key.id,
        "name": key.name,
        "hint": key.hint,
        "status": key.state.value,
        "scopes": list(key.scopes),
        "signature_algorithm": key.algorithm or None,
        "created_by": {"id": key.user_id, "name": key.user.name, "email": key.user.email},
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "rotated_at": key.rotated_at,
        "previous_secret_until": key.overlaps_until,
        "last_used_at": key.last_used_at,
        "last_used_ip": key.last_used_ip,
    }


def _shown_once(made: NewSecret, status: int) -> Response:
    body = {**present(made.key), "secret": made.secret, "signing_secret": made.signing_secret or None}
    return Response(body, status=status, headers={"Cache-Control": "no-store"})
