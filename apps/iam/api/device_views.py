"""One's own sessions."""

from typing import Any, ClassVar, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.rest.listing import Listing
from apps.core.rest.views import ANY_MEMBER, ApiView
from apps.iam import services
from apps.iam.api import serializers
from apps.iam.identity import Identity

_TAG = ["Profile"]


class MySessionsView(ApiView):
    """Everything that one is signed in to."""

    permissions: ClassVar = {"GET": ANY_MEMBER, "DELETE": ANY_MEMBER}
    tenantless = True
    writes_when_suspended = True

    listing = Listing(serializers.SessionAnswer, "One's sessions, the present one first.", keys={})

    @extend_schema(operation_id="me_sessions_list", tags=_TAG, responses=listing.page)
    def get(self, request: Request) -> Response:
        """The present one first, then the last used."""
        found = services.list_devices(actor=self.actor, current=_family(request))
        data: list[dict[str, Any]] = [
            {
                "id": device.id,
                "channel": device.channel,
                "device": device.device,
                "ip": device.ip,
                "tenant": device.tenant or None,
                "started_at": device.started_at,
                "last_seen_at": device.last_seen_at,
                "is_current": device.is_current,
            }
            for device in found
        ]
        return self.listed_whole(data)

    @extend_schema(operation_id="me_sessions_destroy_others", tags=_TAG, responses={204: None})
    def delete(self, request: Request) -> Response:
        """End all but the present one."""
        services.end_other_devices(actor=self.actor, keep=_family(request))
        return Response(status=204)


class MySessionView(ApiView):
    """One of them."""

    permissions: ClassVar = {"DELETE": ANY_MEMBER}
    tenantless = True
    writes_when_suspended = True

    @extend_schema(tags=_TAG, responses={204: None})
    def delete(self, request: Request, session_id: UUID) -> Response:
        """End it: its tokens are void at once."""
        services.end_device(actor=self.actor, family_id=session_id)
        return Response(status=204)


def _family(request: Request) -> UUID:
    return cast(Identity, request.auth).family_id
