"""Bodies and answers of second factors."""

from typing import Any

from rest_framework import serializers

from apps.iam.credentials import MAX_PASSWORD
from apps.iam.mfa_policy import MAX_GRACE_DAYS


class PasskeyAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    is_synced = serializers.BooleanField(help_text="It lives in a password manager rather than in one device.")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class FactorsAnswer(serializers.Serializer[Any]):
    totp = serializers.BooleanField(help_text="Whether an authenticator app is set up.")
    totp_since = serializers.DateTimeField(allow_null=True)
    passkeys = PasskeyAnswer(many=True)
    recovery_codes_left = serializers.IntegerField()
    methods = serializers.ListField(
        child=serializers.CharField(), help_text="`otp`, `passkey`, `recovery_code`: what a sign-in is asked for."
    )
    due_at = serializers.DateTimeField(
        allow_null=True, help_text="From when the workspace lets this member in with a second factor only."
    )


class TotpAnswer(serializers.Serializer[Any]):
    secret = serializers.CharField(help_text="Base32, to type into the app. It is shown this once.")
    otpauth_uri = serializers.CharField(help_text="The same as an address, for a QR code.")


class CodeBody(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=40)


class RecoveryCodesAnswer(serializers.Serializer[Any]):
    recovery_codes = serializers.ListField(
        child=serializers.CharField(), help_text="Shown this once; empty when there were some already."
    )


class CeremonyAnswer(serializers.Serializer[Any]):
    ceremony = serializers.UUIDField(help_text="Goes back with the answer, within five minutes and once.")
    options = serializers.JSONField(help_text="For `PublicKeyCredential.parse…OptionsFromJSON` (WebAuthn level 3).")


class PasskeyProofBody(serializers.Serializer[Any]):
    ceremony = serializers.UUIDField()
    credential = serializers.DictField(help_text="The browser's `PublicKeyCredential.toJSON()`.")


class PasskeyBody(PasskeyProofBody):
    name = serializers.CharField(max_length=60)


class PasskeyNameBody(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=60)


class PasskeyMadeAnswer(PasskeyAnswer):
    recovery_codes = serializers.ListField(child=serializers.CharField())


class ConfirmBody(serializers.Serializer[Any]):
    password = serializers.CharField(max_length=MAX_PASSWORD, trim_whitespace=False, required=False, default="")
    otp = serializers.CharField(
        max_length=40,
        required=False,
        default="",
        help_text="A code of the authenticator app or a recovery code, of who has a second factor.",
    )
    passkey = PasskeyProofBody(required=False, help_text="Instead of both.")


class PolicyAnswer(serializers.Serializer[Any]):
    # Any: DRF's own classes have an attribute of this name, which its metaclass clears away.
    required: Any = serializers.BooleanField()
    required_at = serializers.DateTimeField(allow_null=True)
    grace_days = serializers.IntegerField(help_text="How long each member has, from then or from joining.")


class PolicyBody(serializers.Serializer[Any]):
    # Any: DRF's own classes have an attribute of this name, which its metaclass clears away.
    required: Any = serializers.BooleanField()
    grace_days = serializers.IntegerField(min_value=0, max_value=MAX_GRACE_DAYS, required=False)
