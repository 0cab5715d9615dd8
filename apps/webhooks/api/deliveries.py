"""Webhook deliveries over REST: the log, and replaying."""

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.rest.listing import Listing
from apps.core.rest.views import ApiView
from apps.webhooks import selectors, services
from apps.webhooks.api import serializers
from apps.webhooks.api.endpoints import TAG
from apps.webhooks.api.presenters import present_delivery, present_full_delivery
from apps.webhooks.catalogue import CATALOGUE
from apps.webhooks.selectors import PERMISSION, DeliveryFilters

_WRONG_STATE = OpenApiResponse(description="Problem document: it is still waiting, or its endpoint is disabled.")


class DeliveryList(ApiView):
    """The tenant's deliveries."""

    permissions: ClassVar = {"GET": PERMISSION}
    listing = Listing(
        serializers.DeliveryAnswer,
        "A page of deliveries.",
        filters=[
            OpenApiParameter("endpoint_id", UUID),
            OpenApiParameter("state", str, enum=serializers.DELIVERY_STATES),
            OpenApiParameter("event_type", str, enum=list(CATALOGUE)),
        ],
    )

    @extend_schema(
        operation_id="webhook_deliveries_list", summary="List webhook deliveries", tags=TAG, responses=listing.page
    )
    def get(self, request: Request) -> Response:
        """A page of deliveries without their attempts, newest first unless asked otherwise; kept for thirty days."""
        wanted, filters = self.page_request(), DeliveryFilters.from_query(request.query_params)
        return self.listed(selectors.list_deliveries(actor=self.actor, page=wanted, filters=filters), present_delivery)


class DeliveryResource(ApiView):
    """One delivery."""

    permissions: ClassVar = {"GET": PERMISSION}

    @extend_schema(
        operation_id="webhook_deliveries_retrieve",
        summary="Read a webhook delivery",
        tags=TAG,
        responses=serializers.DeliveryDetailAnswer,
    )
    def get(self, request: Request, delivery_id: UUID) -> Response:
        """What was sent, and each attempt with its answer."""
        return Response(present_full_delivery(selectors.get_delivery(actor=self.actor, delivery_id=delivery_id)))


class DeliveryReplay(ApiView):
    """Sending an event again."""

    permissions: ClassVar = {"POST": PERMISSION}

    @extend_schema(
        operation_id="webhook_deliveries_replay",
        summary="Replay a webhook delivery",
        tags=TAG,
        request=None,
        responses={202: serializers.DeliveryAnswer, 409: _WRONG_STATE},
    )
    def post(self, request: Request, delivery_id: UUID) -> Response:
        """With all attempts anew; the event keeps its id, so that a receiver who has it does nothing."""
        return Response(present_delivery(services.replay(actor=self.actor, delivery_id=delivery_id)), 202)
