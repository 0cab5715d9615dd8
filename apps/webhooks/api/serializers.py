"""Bodies and answers of the webhooks' routes."""

from typing import Any

from rest_framework import serializers

from apps.webhooks.endpoints import DEFAULT_OVERLAP, LONGEST_OVERLAP
from apps.webhooks.models import DeliveryState, DisabledReason

DELIVERY_STATES = [value.lower() for value in DeliveryState.values]
DISABLED_REASONS = [value.lower() for value in DisabledReason.values]
# Longer than the service's own lists can be, so that it is the one who refuses with what there is.
MOST_TYPES = 100


class EndpointBody(serializers.Serializer[Any]):
    """An endpoint to tell."""

    url = serializers.CharField(max_length=500, help_text="https://, on the public internet.")
    event_types = serializers.ListField(
        child=serializers.CharField(max_length=60),
        min_length=1,
        max_length=MOST_TYPES,
        help_text="Names of event types (`/webhooks/event-types`), all of a family (`invoice.*`), or all (`*`).",
    )
    description = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="For yourselves: what listens there."
    )


class EndpointChangesBody(EndpointBody):
    """What to change of an endpoint."""

    url = serializers.CharField(max_length=500, required=False, help_text="https://, on the public internet.")
    event_types = serializers.ListField(
        child=serializers.CharField(max_length=60),
        min_length=1,
        max_length=MOST_TYPES,
        required=False,
        help_text="Takes the place of all that were.",
    )


class RotateSecretBody(serializers.Serializer[Any]):
    """How long two secrets sign together."""

    overlap_seconds = serializers.IntegerField(
        min_value=0,
        max_value=int(LONGEST_OVERLAP.total_seconds()),
        required=False,
        default=int(DEFAULT_OVERLAP.total_seconds()),
        help_text="How long the present secret signs along with the new one.",
    )


class ReplaySinceBody(serializers.Serializer[Any]):
    """What to send again."""

    since = serializers.DateTimeField(help_text="Events that happened at this moment or later.")
    only_dead = serializers.BooleanField(
        required=False,
        default=True,
        help_text="Only what never arrived; false sends again what did arrive, too.",
    )


class ReplayedAnswer(serializers.Serializer[Any]):
    """How much is sent again."""

    queued = serializers.IntegerField(help_text="Deliveries that were queued, the oldest first; call again for more.")


class EndpointAnswer(serializers.Serializer[Any]):
    """An endpoint."""

    id = serializers.UUIDField()
    url = serializers.CharField()
    description = serializers.CharField()
    event_types = serializers.ListField(child=serializers.CharField())
    is_enabled = serializers.BooleanField()
    disabled_reason = serializers.ChoiceField(
        DISABLED_REASONS,
        allow_null=True,
        help_text="failing: nothing arrived for five days; gone: it answered 410; imported: it needs a secret first.",
    )
    disabled_at = serializers.DateTimeField(allow_null=True)
    failing_since = serializers.DateTimeField(
        allow_null=True, help_text="When the first attempt failed after which none succeeded."
    )
    secret_hint = serializers.CharField(help_text="The last characters of the secret; empty when there is none.")
    former_secret_until = serializers.DateTimeField(
        allow_null=True, help_text="After a rotation: until when the former secret signs along."
    )
    waiting = serializers.IntegerField(help_text="How many deliveries are still to be made.")
    allowed_actions = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class NewEndpointAnswer(EndpointAnswer):
    """An endpoint with its new secret."""

    secret = serializers.CharField(help_text="What signs the calls (`whsec_…`), shown this once.")


class DeliveryAnswer(serializers.Serializer[Any]):
    """One event on its way to one endpoint."""

    id = serializers.UUIDField()
    endpoint_id = serializers.UUIDField()
    endpoint_url = serializers.CharField()
    event_id = serializers.CharField(help_text="As in the header `webhook-id`.")
    event_type = serializers.CharField()
    subject_id = serializers.UUIDField(allow_null=True, help_text="Of the client, invoice, payment or member.")
    state = serializers.ChoiceField(DELIVERY_STATES, help_text="dead: given up, unless it is replayed.")
    is_test = serializers.BooleanField()
    attempts = serializers.IntegerField(help_text="How many were made, in all rounds.")
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    last_status = serializers.IntegerField(allow_null=True, help_text="HTTP status; null when nobody answered.")
    last_error = serializers.CharField()
    allowed_actions = serializers.ListField(child=serializers.CharField())
    occurred_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class AttemptAnswer(serializers.Serializer[Any]):
    """One call of the endpoint, and what came back."""

    number = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    duration_ms = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True, help_text="HTTP status; null when nobody answered.")
    error = serializers.CharField(help_text="Why it does not count as taken.")
    request_headers = serializers.DictField(child=serializers.CharField(), help_text="Signatures are left out.")
    response_headers = serializers.DictField(child=serializers.CharField())
    response_body = serializers.CharField(help_text="Its beginning.")


class DeliveryDetailAnswer(DeliveryAnswer):
    """A delivery with what was sent and each attempt."""

    payload = serializers.CharField(help_text="The body that is sent and signed: JSON, byte by byte.")
    log = AttemptAnswer(many=True, help_text="The last hundred attempts, the first one first.")


class EventTypeAnswer(serializers.Serializer[Any]):
    """A kind of event."""

    name = serializers.CharField()
    description = serializers.CharField()
    resource = serializers.CharField(help_text="What `data` is: client, invoice, payment, member or test.")
    patterns = serializers.ListField(
        child=serializers.CharField(), help_text="What of an endpoint's `event_types` lets it through."
    )
