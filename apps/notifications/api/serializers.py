"""Bodies and answers of the notifications API, for reading requests and for the OpenAPI document."""

from typing import Any

from rest_framework import serializers


class ReadStateSerializer(serializers.Serializer[Any]):
    """Body of ``PATCH /notifications/{id}``."""

    is_read = serializers.BooleanField()


class AllReadSerializer(serializers.Serializer[Any]):
    """Body of ``PATCH /notifications``; only reading can be done to all at once."""

    is_read = serializers.BooleanField()

    def validate_is_read(self, value: bool) -> bool:
        """Accept true alone."""
        if not value:
            raise serializers.ValidationError("All notifications can be marked read, not unread.", code="only_true")
        return value


class NotificationSerializer(serializers.Serializer[Any]):
    """A notification as the API shows it."""

    id = serializers.UUIDField()
    cursor = serializers.IntegerField(help_text="Its place in your sequence; the WebSocket's `cursor`.")
    kind = serializers.CharField()
    level = serializers.ChoiceField(choices=["INFO", "SUCCESS", "WARNING", "ERROR"])
    title = serializers.CharField()
    body = serializers.CharField(allow_blank=True)
    url = serializers.CharField(allow_blank=True, help_text="A path on the tenant's host.")
    is_read = serializers.BooleanField()
    read_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class UnreadCountSerializer(serializers.Serializer[Any]):
    """How many notifications are unread."""

    unread = serializers.IntegerField()
    cursor = serializers.IntegerField(help_text="Your latest cursor, to open the WebSocket with.")
