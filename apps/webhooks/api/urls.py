"""REST routes of the webhooks app."""

from django.urls import path

from apps.webhooks.api import deliveries, endpoints

_ONE = "webhooks/endpoints/<uuid:endpoint_id>"

urlpatterns = [
    path("webhooks/endpoints", endpoints.EndpointList.as_view(), name="webhook-endpoints"),
    path(_ONE, endpoints.EndpointResource.as_view(), name="webhook-endpoint"),
    path(f"{_ONE}/rotate-secret", endpoints.EndpointRotateSecret.as_view(), name="webhook-endpoint-rotate-secret"),
    path(f"{_ONE}/enable", endpoints.EndpointEnable.as_view(), name="webhook-endpoint-enable"),
    path(f"{_ONE}/disable", endpoints.EndpointDisable.as_view(), name="webhook-endpoint-disable"),
    path(f"{_ONE}/test", endpoints.EndpointTest.as_view(), name="webhook-endpoint-test"),
    path(f"{_ONE}/replay", endpoints.EndpointReplay.as_view(), name="webhook-endpoint-replay"),
    path("webhooks/deliveries", deliveries.DeliveryList.as_view(), name="webhook-deliveries"),
    path("webhooks/deliveries/<uuid:delivery_id>", deliveries.DeliveryResource.as_view(), name="webhook-delivery"),
    path(
        "webhooks/deliveries/<uuid:delivery_id>/replay",
        deliveries.DeliveryReplay.as_view(),
        name="webhook-delivery-replay",
    ),
    path("webhooks/event-types", endpoints.EventTypes.as_view(), name="webhook-event-types"),
]
