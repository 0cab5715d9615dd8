"""Forgotten and changed passwords, confirmed addresses."""

from typing import ClassVar, cast

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.rest.views import ANY_MEMBER, ApiView, PublicApiView
from apps.iam import services, stepping_up
from apps.iam.api import serializers
from apps.iam.identity import Identity
from apps.iam.origins import known_origin

_TAG = ["Passwords and addresses"]
_DEAD = OpenApiResponse(description="Problem document: the token does not hold, or the password breaks the policy.")


class PasswordForgotView(PublicApiView):
    """A link for whoever forgot his password."""

    @extend_schema(tags=_TAG, request=serializers.EmailBody, responses={202: None})
    def post(self, request: Request) -> Response:
        """Always the same answer; three mails in 15 minutes go to an address that has an account."""
        services.request_password_reset(**self.read_body(serializers.EmailBody), origin=known_origin(request))
        return Response(status=202)


class PasswordResetView(PublicApiView):
    """A new password by the token of a mail."""

    @extend_schema(tags=_TAG, request=serializers.PasswordResetBody, responses={204: None, 400: _DEAD})
    def post(self, request: Request) -> Response:
        """Ends every session and every sign-in; the token is good for one hour and once, the newest only."""
        services.reset_password(**self.read_body(serializers.PasswordResetBody), origin=known_origin(request))
        return Response(status=204)


class PasswordChangeView(ApiView):
    """A new password for who knows the present one."""

    permissions: ClassVar = {"POST": ANY_MEMBER}
    tenantless = True
    writes_when_suspended = True
    serves_temporary_password = True
    # A wrong guess must stay counted although the answer is an error.
    own_transactions = True

    @extend_schema(tags=_TAG, request=serializers.PasswordChangeBody, responses={204: None, 400: _DEAD})
    def post(self, request: Request) -> Response:
        """This sign-in goes on, every other one ends. Wrong guesses count towards the lockout."""
        identity = cast(Identity, request.auth)
        body = self.read_body(serializers.PasswordChangeBody)
        stepping_up.require_second_factor(request)
        services.change_password(actor=self.actor, family_id=identity.family_id, **body)
        return Response(status=204)


class EmailVerifyView(PublicApiView):
    """The proof that an address is the person's own."""

    @extend_schema(tags=_TAG, request=serializers.TokenBody, responses={204: None, 400: _DEAD})
    def post(self, request: Request) -> Response:
        """The token is good for 24 hours and once."""
        services.verify_email(**self.read_body(serializers.TokenBody), origin=known_origin(request))
        return Response(status=204)


class EmailResendView(PublicApiView):
    """The link that confirms an address, once more."""

    @extend_schema(tags=_TAG, request=serializers.EmailBody, responses={202: None})
    def post(self, request: Request) -> Response:
        """Always the same answer; three mails an hour go to an address that is still to be confirmed."""
        services.request_verification(**self.read_body(serializers.EmailBody), origin=known_origin(request))
        return Response(status=202)
