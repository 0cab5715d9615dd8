"""Token exchange: another workspace without signing in again."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.rest.parsing import InteroperableJsonParser, PlainFormParser
from apps.core.rest.views import PublicApiView
from apps.iam import exchanging
from apps.iam.api import presenters
from apps.iam.api.serializers import TenantRef, UserRef
from apps.iam.origins import known_origin

_REFUSED = OpenApiResponse(
    description="Problem document: not a member there, or `mfa_required`: that workspace demands a second factor, "
    "which `POST /auth/confirm` takes for the present token."
)
_INVALID = OpenApiResponse(
    description="Problem document: the subject token does not hold, or `mfa_required`: the person has a second factor, "
    "and the token's sign-in has shown none."
)


class ExchangeBody(serializers.Serializer[Any]):
    grant_type = serializers.ChoiceField(choices=[exchanging.GRANT_TYPE])
    subject_token = serializers.CharField(max_length=5000, help_text="An access token of the same person.")
    subject_token_type = serializers.ChoiceField(choices=[exchanging.ACCESS_TOKEN])
    audience = serializers.CharField(max_length=50, help_text="Key or slug of the workspace to go to.")


class ExchangeAnswer(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    issued_token_type = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField()
    refresh_token = serializers.CharField(help_text="Opaque, good once and for seven days.")
    tenant = TenantRef()
    user = UserRef()


class TokenExchangeView(PublicApiView):
    """From a token of one workspace to a token of another (RFC 8693)."""

    parser_classes = (PlainFormParser, InteroperableJsonParser)

    @extend_schema(
        operation_id="auth_token_exchange",
        tags=["Sign-up and sign-in"],
        request={"application/x-www-form-urlencoded": ExchangeBody, "application/json": ExchangeBody},
        responses={200: ExchangeAnswer, 401: _INVALID, 403: _REFUSED},
    )
    def post(self, request: Request) -> Response:
        """Into active workspaces that the person belongs to. The subject token stays good."""
        body = self.read_body(ExchangeBody)
        pair = exchanging.exchange_token(
            subject_token=body["subject_token"],
            audience=body["audience"],
            origin=known_origin(request),
        )
        shown = presenters.token_pair(pair)
        answer = {
            "access_token": shown["access"],
            "issued_token_type": exchanging.ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": shown["expires_in"],
            "refresh_token": shown["refresh"],
            "tenant": shown["tenant"],
            "user": shown["user"],
        }
        # RFC 6749, 5.1: tokens are never cached.
        return Response(answer, headers={"Cache-Control": "no-store"})
