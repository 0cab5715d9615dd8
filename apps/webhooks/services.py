"""What may be done with webhooks: the doors of this app that change something."""

from apps.webhooks.endpoints import (
    EndpointChanges,
    NewEndpoint,
    NewSecret,
    create_endpoint,
    delete_endpoint,
    disable_endpoint,
    enable_endpoint,
    rotate_secret,
    update_endpoint,
)
from apps.webhooks.purging import purge
from apps.webhooks.replaying import replay, replay_since
from apps.webhooks.trying_out import send_test_event

__all__ = [
    "EndpointChanges",
    "NewEndpoint",
    "NewSecret",
    "create_endpoint",
    "delete_endpoint",
    "disable_endpoint",
    "enable_endpoint",
    "purge",
    "replay",
    "replay_since",
    "rotate_secret",
    "send_test_event",
    "update_endpoint",
]
