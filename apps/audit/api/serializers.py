"""What the API answers of the trail."""

from typing import Any

from rest_framework import serializers

from apps.audit.services import Severity


class AuditEntryAnswer(serializers.Serializer[Any]):
    """One change or security event, with what it changed."""

    id = serializers.UUIDField()
    action = serializers.CharField(help_text="app.noun.verb")
    severity = serializers.ChoiceField(choices=Severity.values)
    actor_kind = serializers.CharField()
    actor_id = serializers.UUIDField(allow_null=True)
    actor_name = serializers.CharField()
    impersonator_id = serializers.UUIDField(allow_null=True)
    api_key_id = serializers.UUIDField(allow_null=True)
    api_key_name = serializers.CharField()
    entity_type = serializers.CharField()
    entity_id = serializers.CharField()
    entity_label = serializers.CharField()
    before = serializers.DictField(allow_null=True)
    after = serializers.DictField(allow_null=True)
    ip = serializers.IPAddressField(allow_null=True)
    user_agent = serializers.CharField()
    # Any: DRF's own classes have an attribute of this name, which its metaclass clears away.
    source: Any = serializers.CharField()
    correlation_id = serializers.CharField()
    occurred_at = serializers.DateTimeField()
