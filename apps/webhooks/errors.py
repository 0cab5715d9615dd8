"""Refusals of the webhooks app."""

from apps.core.errors import Conflict, NotFound


class EndpointNotFound(NotFound):
    """There is no such endpoint in this workspace."""

    code, title = "webhook_endpoint_not_found", "There is no such webhook endpoint"


class DeliveryNotFound(NotFound):
    """There is no such delivery in this workspace, or it was purged."""

    code, title = "webhook_delivery_not_found", "There is no such webhook delivery"


class EndpointLimit(Conflict):
    """The workspace has as many endpoints as it may."""

    code, title = "webhook_endpoint_limit", "There are too many webhook endpoints"


class AlreadyTesting(Conflict):
    """Another test event of the workspace waits for its answer."""

    code, title = "webhook_test_under_way", "A test is under way"
