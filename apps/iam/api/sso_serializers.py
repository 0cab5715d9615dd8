"""Bodies and answers of single sign-on and of the directory."""

from typing import Any

from rest_framework import serializers


class ConnectionBody(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=60, required=False, help_text="What the button on the sign-in page says.")
    issuer = serializers.CharField(max_length=500, required=False, help_text="Exactly as the provider names itself.")
    client_id = serializers.CharField(max_length=255, required=False)
    client_secret = serializers.CharField(
        max_length=1000, required=False, allow_blank=True, trim_whitespace=False, help_text="Kept encrypted."
    )
    is_enabled = serializers.BooleanField(required=False)
    is_required = serializers.BooleanField(
        required=False, help_text="People with addresses of verified domains sign in by it alone, save owners."
    )
    admits_new = serializers.BooleanField(required=False, help_text="Somebody new joins by signing in.")
    trusts_email = serializers.BooleanField(
        required=False, help_text="The provider says nothing of email_verified and is believed."
    )
    default_role = serializers.CharField(max_length=60, required=False, help_text="A built-in or custom role.")
    group_claim = serializers.CharField(max_length=100, required=False, allow_blank=True)
    group_roles = serializers.DictField(
        child=serializers.CharField(max_length=60), required=False, help_text="From a group to a role."
    )


class ConnectionAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    issuer = serializers.CharField()
    client_id = serializers.CharField()
    has_secret = serializers.BooleanField()
    is_enabled = serializers.BooleanField()
    is_required = serializers.BooleanField()
    admits_new = serializers.BooleanField()
    trusts_email = serializers.BooleanField()
    default_role = serializers.CharField()
    group_claim = serializers.CharField()
    group_roles = serializers.DictField(child=serializers.CharField())
    tested_at = serializers.DateTimeField(allow_null=True)
    updated_at = serializers.DateTimeField()


class ConnectionEnvelope(serializers.Serializer[Any]):
    connection = ConnectionAnswer(allow_null=True)
    redirect_uri = serializers.URLField()


class MailDomainBody(serializers.Serializer[Any]):
    domain = serializers.CharField(max_length=300)


class MailDomainRecord(serializers.Serializer[Any]):
    type = serializers.CharField()
    name = serializers.CharField()
    value = serializers.CharField()


class MailDomainAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    domain = serializers.CharField()
    state = serializers.CharField(help_text="pending, verified or lost.")
    last_error = serializers.CharField(allow_null=True, help_text="absent, silent or taken.")
    checked_at = serializers.DateTimeField(allow_null=True)
    verified_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    record = MailDomainRecord()


class ScimTokenBody(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=60, help_text="The directory that will use it.")
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class ScimTokenAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    hint = serializers.CharField(help_text="How the secret begins.")
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)


class NewScimTokenAnswer(ScimTokenAnswer):
    secret = serializers.CharField(help_text="In this answer and nowhere else.")


class DirectoryGroupBody(serializers.Serializer[Any]):
    role = serializers.CharField(max_length=60, allow_blank=True, help_text="A built-in or custom role; empty: none.")


class DirectoryGroupAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    role = serializers.CharField(allow_null=True)
    size = serializers.IntegerField(help_text="How many members it has.")
