"""One's own picture over REST: announce, upload, confirm, remove."""

from typing import Any, ClassVar, cast

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.rest.views import ANY_MEMBER, ApiView, PublicApiView
from apps.iam import avatars, portraits
from apps.iam.identity import Identity
from apps.iam.pages import avatar_url

_TAG = ["Profile"]
_REFUSED = OpenApiResponse(
    description="Problem document: no picture that we take, or not the key of an upload of yours."
)
_MISSING = OpenApiResponse(description="Problem document, `not_uploaded`: nothing is there under this key yet.")


class AvatarBody(serializers.Serializer[Any]):
    content_type = serializers.ChoiceField(
        choices=sorted(portraits.CONTENT_TYPES.values()), required=False, allow_blank=True, default=""
    )
    size = serializers.IntegerField(
        min_value=1, max_value=portraits.LARGEST_FILE, required=False, allow_null=True, default=None, help_text="Bytes."
    )


class UploadAnswer(serializers.Serializer[Any]):
    upload_url = serializers.CharField()
    method = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField(), help_text="To be sent with the file.")
    object_key = serializers.CharField()
    expires_at = serializers.DateTimeField()


class AvatarConfirmBody(serializers.Serializer[Any]):
    object_key = serializers.CharField(max_length=300)


class AvatarAnswer(serializers.Serializer[Any]):
    avatar_url = serializers.CharField(help_text="256 × 256 WebP; instead of -256 also -64.")


class AvatarView(ApiView):
    """One's own picture in this workspace."""

    permissions: ClassVar = {"POST": ANY_MEMBER, "DELETE": ANY_MEMBER}
    own_transactions = True

    @extend_schema(tags=_TAG, request=AvatarBody, responses={201: UploadAnswer, 400: _REFUSED})
    def post(self, request: Request) -> Response:
        """Where to put the file (JPEG, PNG, WebP or GIF, 5 MB) within 15 minutes; then confirm it."""
        body = self.read_body(AvatarBody)
        made = avatars.announce(actor=self.actor, base_url=_reached_at(request), **body)
        answer = {
            "upload_url": made.target.url,
            "method": made.target.method,
            "headers": made.target.headers,
            "object_key": made.object_key,
            "expires_at": made.expires_at,
        }
        return Response(answer, status=201, headers={"Cache-Control": "no-store"})

    @extend_schema(tags=_TAG, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Show initials again."""
        avatars.remove(actor=self.actor)
        return Response(status=204)


class AvatarConfirmView(ApiView):
    """The end of an upload."""

    permissions: ClassVar = {"POST": ANY_MEMBER}
    own_transactions = True

    @extend_schema(tags=_TAG, request=AvatarConfirmBody, responses={200: AvatarAnswer, 400: _REFUSED, 409: _MISSING})
    def post(self, request: Request) -> Response:
        """Show the picture. It is drawn anew: only its pixels stay."""
        name = avatars.confirm(actor=self.actor, **self.read_body(AvatarConfirmBody))
        tenant = cast(Identity, request.auth).tenant
        assert tenant is not None
        return Response({"avatar_url": f"{tenant.home_url}{avatar_url(name)}"})


class AvatarUploadView(PublicApiView):
    """A signed address for one file, where files are not put into a bucket directly."""

    own_transactions = True

    @extend_schema(
        tags=_TAG,
        request={"image/*": OpenApiTypes.BINARY},
        responses={204: None, 400: _REFUSED},
        operation_id="me_avatar_upload",
    )
    def put(self, request: Request, token: str) -> Response:
        """The file's bytes. The address is good for 15 minutes and needs no token."""
        avatars.receive(token=token, content=request._request.body)
        return Response(status=204)


def _reached_at(request: Request) -> str:
    return f"{settings.PUBLIC_SCHEME}://{request._request.get_host()}"
