"""What callers send and are answered: shapes and types. The limits of the values are the services' own."""

import base64
from typing import Any

from rest_framework import serializers

from apps.tenancy import brands, tax_ids


class PictureField(serializers.CharField):
    """The bytes of a picture, sent as base64."""

    def to_internal_value(self, data: Any) -> bytes:  # type: ignore[override]  # the stubs: always a string
        """The bytes."""
        try:
            return base64.b64decode(super().to_internal_value(data), validate=True)
        except ValueError as error:
            raise serializers.ValidationError("Send the picture as base64.", code="invalid") from error


class LogoBody(serializers.Serializer[Any]):
    """A logo to show."""

    content = PictureField(help_text="A PNG, JPEG or WebP picture as base64, at most 2 MB before encoding.")


class BrandBody(serializers.Serializer[Any]):
    """A brand to add."""

    name = serializers.CharField(max_length=brands.LONGEST_NAME)
    accent = serializers.CharField(max_length=7, required=False, help_text="``#rrggbb``; must stand out on white.")
    sender_name = serializers.CharField(max_length=brands.LONGEST_SENDER, required=False, allow_blank=True)
    reply_to: serializers.CharField = serializers.EmailField(
        max_length=brands.LONGEST_REPLY_TO, required=False, allow_blank=True
    )
    locale = serializers.CharField(
        max_length=10, required=False, allow_blank=True, help_text="Empty: each client's own language."
    )
    invoice_intro = serializers.CharField(max_length=brands.LONGEST_TEXT, required=False, allow_blank=True)
    payment_terms = serializers.CharField(max_length=brands.LONGEST_TEXT, required=False, allow_blank=True)
    invoice_footer = serializers.CharField(max_length=brands.LONGEST_TEXT, required=False, allow_blank=True)
    domain_id = serializers.UUIDField(required=False, allow_null=True, help_text="One of your verified domains.")


class BrandChangesBody(BrandBody):
    """What to change of a brand."""

    name = serializers.CharField(max_length=brands.LONGEST_NAME, required=False)
    is_default = serializers.BooleanField(required=False, help_text="true makes it the default brand.")


class BrandAnswer(BrandBody):
    """A brand. `warning` tells what to know of its accent."""

    id = serializers.UUIDField()
    reply_to = serializers.CharField()
    is_default = serializers.BooleanField()
    logo_url = serializers.CharField(allow_null=True)
    host = serializers.CharField()
    warning = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class DomainBody(serializers.Serializer[Any]):
    """A domain to claim."""

    domain = serializers.CharField(max_length=253)


class DomainChangesBody(serializers.Serializer[Any]):
    """What to change of a domain."""

    is_primary = serializers.BooleanField(help_text="Whether links lead there.")


class DnsRecord(serializers.Serializer[Any]):
    """The record that proves the domain."""

    type = serializers.CharField()
    name = serializers.CharField()
    value = serializers.CharField()


class DomainAnswer(serializers.Serializer[Any]):
    """A claimed domain."""

    id = serializers.UUIDField()
    domain = serializers.CharField()
    state = serializers.CharField(help_text="pending, verified or lost")
    last_error = serializers.CharField(allow_null=True, help_text="absent, silent or taken")
    is_primary = serializers.BooleanField()
    dns_record = DnsRecord()
    checked_at = serializers.DateTimeField(allow_null=True)
    verified_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class TaxIdBody(serializers.Serializer[Any]):
    """A tax number to add."""

    kind = serializers.CharField(max_length=20, help_text=", ".join(sorted(tax_ids.KINDS)))
    value = serializers.CharField(max_length=tax_ids.LONGEST)


class TaxIdAnswer(serializers.Serializer[Any]):
    """A tax number in its plain form."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    # Any: DRF's own classes have an attribute of this name, which its metaclass clears away.
    label: Any = serializers.CharField()
    value = serializers.CharField()
