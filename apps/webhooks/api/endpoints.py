"""Webhook endpoints over REST."""

from datetime import timedelta
from typing import ClassVar, cast
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.rest.listing import Listing
from apps.core.rest.preconditions import VersionedView
from apps.core.rest.views import ApiView
from apps.iam import stepping_up
from apps.webhooks import selectors, services
from apps.webhooks.api import serializers
from apps.webhooks.api.presenters import present_delivery, present_endpoint, present_event_type
from apps.webhooks.catalogue import EVENT_TYPES
from apps.webhooks.selectors import PERMISSION, EndpointView

TAG = ["Webhooks"]
_TOO_MANY = OpenApiResponse(description="Problem document: the workspace has as many endpoints as it may.")
_TESTING = OpenApiResponse(description="Problem document: it has no secret, or another test waits for its answer.")
_WRONG_STATE = OpenApiResponse(description="Problem document: its state does not allow this.")


class EndpointList(ApiView):
    """The tenant's endpoints."""

    permissions: ClassVar = {"GET": PERMISSION, "POST": PERMISSION}
    listing = Listing(serializers.EndpointAnswer, "A page of endpoints.")

    @extend_schema(
        operation_id="webhook_endpoints_list", summary="List webhook endpoints", tags=TAG, responses=listing.page
    )
    def get(self, request: Request) -> Response:
        """Newest first; secrets are not here."""
        return self.listed(selectors.list_endpoints(actor=self.actor, page=self.page_request()), present_endpoint)

    @extend_schema(
        operation_id="webhook_endpoints_create",
        summary="Add a webhook endpoint",
        tags=TAG,
        request=serializers.EndpointBody,
        responses={201: serializers.NewEndpointAnswer, 409: _TOO_MANY},
        examples=[
            OpenApiExample(
                "What concerns money",
                request_only=True,
                value={
                    "url": "https://books.northwind.example/hooks/insula",
                    "event_types": ["invoice.paid", "payment.*"],
                    "description": "Bookkeeping",
                },
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """The secret that signs its calls is in this answer and nowhere else."""
        stepping_up.require_recent_unless_key(request)
        made = services.create_endpoint(actor=self.actor, **self.read_body(serializers.EndpointBody))
        return _shown_once(made.endpoint, made.secret, 201)


class EndpointResource(VersionedView):
    """One endpoint."""

    permissions: ClassVar = {"GET": PERMISSION, "PATCH": PERMISSION, "DELETE": PERMISSION}

    @extend_schema(
        operation_id="webhook_endpoints_retrieve",
        summary="Read a webhook endpoint",
        tags=TAG,
        responses=serializers.EndpointAnswer,
    )
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """Where it is, what it listens to and how it does."""
        return self._answer(selectors.get_endpoint(actor=self.actor, endpoint_id=endpoint_id))

    @extend_schema(
        operation_id="webhook_endpoints_update",
        summary="Change a webhook endpoint",
        tags=TAG,
        request=serializers.EndpointChangesBody,
        responses=serializers.EndpointAnswer,
    )
    def patch(self, request: Request, endpoint_id: UUID) -> Response:
        """Change what the body names. What is on its way already goes to the new address."""
        stepping_up.require_recent_unless_key(request)
        changes = cast(services.EndpointChanges, self.read_body(serializers.EndpointChangesBody))
        return self._answer(
            services.update_endpoint(
                actor=self.actor, endpoint_id=endpoint_id, changes=changes, expected=self.expected_versions()
            )
        )

    @extend_schema(
        operation_id="webhook_endpoints_delete", summary="Remove a webhook endpoint", tags=TAG, responses={204: None}
    )
    def delete(self, request: Request, endpoint_id: UUID) -> Response:
        """Its deliveries and their log go with it."""
        services.delete_endpoint(actor=self.actor, endpoint_id=endpoint_id, expected=self.expected_versions())
        return Response(status=204)

    def _answer(self, endpoint: EndpointView) -> Response:
        return self.versioned(present_endpoint(endpoint), endpoint.version)


class EndpointRotateSecret(ApiView):
    """A new secret for an endpoint."""

    permissions: ClassVar = {"POST": PERMISSION}

    @extend_schema(
        operation_id="webhook_endpoints_rotate_secret",
        summary="Give a webhook endpoint a new secret",
        tags=TAG,
        request=serializers.RotateSecretBody,
        responses=serializers.NewEndpointAnswer,
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Both secrets sign each call until the overlap is over."""
        stepping_up.require_recent_unless_key(request)
        overlap = timedelta(seconds=self.read_body(serializers.RotateSecretBody)["overlap_seconds"])
        made = services.rotate_secret(actor=self.actor, endpoint_id=endpoint_id, overlap=overlap)
        return _shown_once(made.endpoint, made.secret, 200)


class EndpointEnable(ApiView):
    """Telling an endpoint again."""

    permissions: ClassVar = {"POST": PERMISSION}

    @extend_schema(
        operation_id="webhook_endpoints_enable",
        summary="Enable a webhook endpoint",
        tags=TAG,
        request=None,
        responses={200: serializers.EndpointAnswer, 409: _WRONG_STATE},
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """From now on; what happened meanwhile is sent by `replay`."""
        return Response(present_endpoint(services.enable_endpoint(actor=self.actor, endpoint_id=endpoint_id)))


class EndpointDisable(ApiView):
    """Telling an endpoint nothing any more."""

    permissions: ClassVar = {"POST": PERMISSION}

    @extend_schema(
        operation_id="webhook_endpoints_disable",
        summary="Disable a webhook endpoint",
        tags=TAG,
        request=None,
        responses={200: serializers.EndpointAnswer, 409: _WRONG_STATE},
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """What still waits is given up; it can be replayed."""
        return Response(present_endpoint(services.disable_endpoint(actor=self.actor, endpoint_id=endpoint_id)))


class EndpointTest(ApiView):
    """Trying an endpoint out."""

    permissions: ClassVar = {"POST": PERMISSION}

    @extend_schema(
        operation_id="webhook_endpoints_test",
        summary="Send a test event",
        tags=TAG,
        request=None,
        responses={202: serializers.DeliveryAnswer, 409: _TESTING},
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """One attempt, at once, also when the endpoint is disabled. How it goes says the delivery at `Location`."""
        found = services.send_test_event(actor=self.actor, endpoint_id=endpoint_id)
        headers = {"Location": f"/api/v1/webhooks/deliveries/{found.id}"}
        return Response(present_delivery(found), status=202, headers=headers)


class EndpointReplay(ApiView):
    """Telling an endpoint again what happened since."""

    permissions: ClassVar = {"POST": PERMISSION}

    @extend_schema(
        operation_id="webhook_endpoints_replay",
        summary="Replay what a webhook endpoint missed",
        tags=TAG,
        request=serializers.ReplaySinceBody,
        responses={202: serializers.ReplayedAnswer, 409: _WRONG_STATE},
        examples=[OpenApiExample("Since an outage", {"since": "2026-03-31T00:00:00Z"}, request_only=True)],
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Deliveries that were given up, and events that happened while the endpoint was disabled."""
        body = self.read_body(serializers.ReplaySinceBody)
        return Response({"queued": services.replay_since(actor=self.actor, endpoint_id=endpoint_id, **body)}, 202)


class EventTypes(ApiView):
    """What endpoints can listen to."""

    permissions: ClassVar = {"GET": PERMISSION}
    listing = Listing(serializers.EventTypeAnswer, "Every kind of event.", keys={})

    @extend_schema(
        operation_id="webhook_event_types_list", summary="List event types", tags=TAG, responses=listing.page
    )
    def get(self, request: Request) -> Response:
        """The events' bodies are in this document's `webhooks`."""
        return self.listed_whole(present_event_type(each) for each in EVENT_TYPES)


def _shown_once(endpoint: EndpointView, secret: str, status: int) -> Response:
    headers = {"Cache-Control": "no-store"}
    if status == 201:
        headers["Location"] = f"/api/v1/webhooks/endpoints/{endpoint.id}"
    return Response(present_endpoint(endpoint) | {"secret": secret}, status=status, headers=headers)
