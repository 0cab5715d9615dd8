"""Shapes of what the archives API answers."""

from typing import Any

from rest_framework import serializers

from apps.archives.models import JobStatus

STATES = [value.lower() for value in JobStatus.values]


class ExportAnswer(serializers.Serializer[Any]):
    """An export of the workspace. `sha256` and `size` are those of the file."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(STATES)
    progress = serializers.IntegerField(help_text="Percent")
    step = serializers.CharField()
    error = serializers.CharField(help_text="Why it failed")
    size = serializers.IntegerField(help_text="Bytes; 0 until it is done")
    sha256 = serializers.CharField()
    requested_by = serializers.CharField()
    is_downloadable = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Until when the file can be downloaded")
