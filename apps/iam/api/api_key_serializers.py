"""Bodies and answers of the API keys' routes."""

from typing import Any

from rest_framework import serializers

from apps.iam.api_key_models import SignatureAlgorithm
from apps.iam.api_keys import DEFAULT_OVERLAP, MAX_OVERLAP

MAX_PEM = 2_000


class ApiKeyBody(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(
        child=serializers.CharField(max_length=40),
        min_length=1,
        max_length=100,
        help_text="Permissions such as invoices:read, of those that you hold yourself.",
    )
    expires_at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="Null: good until it is revoked."
    )
    signature_algorithm = serializers.ChoiceField(
        choices=[algorithm for algorithm in SignatureAlgorithm.values if algorithm],
        required=False,
        allow_null=True,
        default=None,
        help_text="The key then demands requests that are signed so (RFC 9421).",
    )
    public_key = serializers.CharField(
        max_length=MAX_PEM,
        required=False,
        allow_blank=True,
        default="",
        help_text="PEM, for ed25519 and ecdsa-p256-sha256.",
    )


class RotateBody(serializers.Serializer[Any]):
    overlap_seconds = serializers.IntegerField(
        min_value=0,
        max_value=int(MAX_OVERLAP.total_seconds()),
        required=False,
        default=int(DEFAULT_OVERLAP.total_seconds()),
        help_text="How long the present secret stays good beside the new one.",
    )
    public_key = serializers.CharField(
        max_length=MAX_PEM, required=False, allow_blank=True, default="", help_text="Another one than before, PEM."
    )


class KeyMaker(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    email = serializers.EmailField()


class ApiKeyAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Also the keyid of its signatures.")
    name = serializers.CharField()
    hint = serializers.CharField(help_text="Beginning and end of the secret.")
    status = serializers.CharField(help_text="ACTIVE, EXPIRED or REVOKED.")
    scopes = serializers.ListField(child=serializers.CharField())
    signature_algorithm = serializers.CharField(allow_null=True)
    created_by = KeyMaker()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    rotated_at = serializers.DateTimeField(allow_null=True)
    previous_secret_until = serializers.DateTimeField(
        allow_null=True, help_text="After a rotation: until when the former secret is good, too."
    )
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="Exact to a minute.")
    last_used_ip = serializers.CharField(allow_null=True)


class NewApiKeyAnswer(ApiKeyAnswer):
    secret = serializers.CharField(help_text="The key itself, shown this once.")
    signing_secret = serializers.CharField(allow_null=True, help_text="Of hmac-sha256, shown this once.")
