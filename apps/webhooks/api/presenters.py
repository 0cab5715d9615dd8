"""Endpoints and deliveries as the API shows them: states in lower case, nothing of a secret but its hint."""

from dataclasses import asdict
from typing import Any

from apps.webhooks.catalogue import EventType
from apps.webhooks.selectors import AttemptView, DeliveryDetail, DeliveryView, EndpointView


def present_endpoint(endpoint: EndpointView) -> dict[str, Any]:
    """An endpoint."""
    return asdict(endpoint) | {
        "event_types": list(endpoint.event_types),
        "disabled_reason": endpoint.disabled_reason.lower() or None,
        "allowed_actions": list(endpoint.allowed_actions),
    }


def present_delivery(delivery: DeliveryView) -> dict[str, Any]:
    """A delivery in a list."""
    return asdict(delivery) | {
        "state": delivery.state.lower(),
        "allowed_actions": list(delivery.allowed_actions),
    }


def present_full_delivery(found: DeliveryDetail) -> dict[str, Any]:
    """A delivery with what was sent and each attempt."""
    log = [present_attempt(attempt) for attempt in found.log]
    return present_delivery(found.delivery) | {"payload": found.payload, "log": log}


def present_attempt(attempt: AttemptView) -> dict[str, Any]:
    """One attempt."""
    return asdict(attempt)


def present_event_type(each: EventType) -> dict[str, Any]:
    """One kind of event."""
    return {
        "name": each.name,
        "description": each.told,
        "resource": each.resource.value,
        "patterns": list(each.patterns),
    }
