"""A member's own notifications over REST."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.errors import ValidationFailed
from apps.core.rest.listing import Listing
from apps.core.rest.presenting import fields_of
from apps.core.rest.thin import ThinRead
from apps.core.rest.views import ANY_MEMBER, ApiView
from apps.notifications import push, selectors, services
from apps.notifications.api import serializers
from apps.notifications.models import Notification
from apps.notifications.selectors import NotificationView

_PAID: dict[str, Any] = {
    "id": "01939f5e-4c1a-7b44-9d0e-5a2f6f0b8c11",
    "cursor": 42,
    "kind": "INVOICE_PAID",
    "level": "SUCCESS",
    "title": "Invoice NW-2026-0042 was paid",
    "body": "Alpenblick Hotels · €2,201.50",
    "url": "/invoices/01939f5e-3f27-7c02-8a51-0a4f5f8f3b90/",
    "is_read": False,
    "read_at": None,
    "created_at": "2026-12-07T09:41:12Z",
}
_TRUTH = {"true": True, "false": False, None: False}
_present = fields_of(NotificationView)


def _shown(_tenant: Any, rows: Sequence[Notification]) -> list[dict[str, Any]]:
    return [_present(selectors.view(row)) for row in rows]


class NotificationList(ApiView):
    """All of the caller's notifications in the token's tenant."""

    permissions: ClassVar = {"GET": ANY_MEMBER, "PATCH": ANY_MEMBER, "DELETE": ANY_MEMBER}
    listing = Listing(
        serializers.NotificationSerializer,
        "A page of notifications.",
        filters=[OpenApiParameter("unread", bool, description="Only unread ones.")],
    )
    thin = ThinRead(selectors.OWN, _shown)

    @extend_schema(
        operation_id="notifications_list",
        summary="List your notifications, newest first",
        responses=listing.page,
        examples=[
            OpenApiExample("page", value={"data": [_PAID], "next_cursor": None, "has_more": False}, response_only=True)
        ],
    )
    def get(self, request: Request) -> Response:
        """A page."""
        unread = request.query_params.get("unread")
        if unread not in _TRUTH:
            raise ValidationFailed.one("unread", "invalid", "unread is true or false.")
        page = selectors.list_notifications(actor=self.actor, page=self.page_request(), unread=_TRUTH[unread])
        return self.listed(page, _present)

    @extend_schema(
        operation_id="notifications_read_all",
        summary="Mark all of your notifications read",
        request=serializers.AllReadSerializer,
        responses={204: None},
        examples=[OpenApiExample("all read", value={"is_read": True}, request_only=True)],
    )
    def patch(self, request: Request) -> Response:
        """All read."""
        self.read_body(serializers.AllReadSerializer)
        if services.mark_all_read(actor=self.actor):
            push.poke_own(self.actor)
        return Response(status=204)

    @extend_schema(
        operation_id="notifications_delete_all", summary="Delete all of your notifications", responses={204: None}
    )
    def delete(self, request: Request) -> Response:
        """All gone."""
        if services.delete_all(actor=self.actor):
            push.poke_own(self.actor)
        return Response(status=204)


class NotificationDetail(ApiView):
    """One of the caller's notifications."""

    permissions: ClassVar = {"PATCH": ANY_MEMBER, "DELETE": ANY_MEMBER}

    @extend_schema(
        operation_id="notifications_update",
        summary="Mark a notification read or unread",
        request=serializers.ReadStateSerializer,
        responses={204: None},
        examples=[OpenApiExample("read", value={"is_read": True}, request_only=True)],
    )
    def patch(self, request: Request, notification_id: UUID) -> Response:
        """Read or unread."""
        body = self.read_body(serializers.ReadStateSerializer)
        services.mark_read(actor=self.actor, notification_id=notification_id, is_read=body["is_read"])
        push.poke_own(self.actor)
        return Response(status=204)

    @extend_schema(operation_id="notifications_delete", summary="Delete a notification", responses={204: None})
    def delete(self, request: Request, notification_id: UUID) -> Response:
        """Gone."""
        services.delete_notification(actor=self.actor, notification_id=notification_id)
        push.poke_own(self.actor)
        return Response(status=204)


class UnreadCount(ApiView):
    """The number on the bell."""

    permissions: ClassVar = {"GET": ANY_MEMBER}

    @extend_schema(
        operation_id="notifications_unread_count",
        summary="Count your unread notifications",
        responses=serializers.UnreadCountSerializer,
        examples=[OpenApiExample("count", value={"unread": 3, "cursor": 42}, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """The count and the latest cursor."""
        unread, cursor = selectors.unread_count(actor=self.actor), selectors.cursor(actor=self.actor)
        return Response({"unread": unread, "cursor": cursor})
