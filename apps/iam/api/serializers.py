"""Bodies and answers of the IAM API."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from apps.iam.credentials import MAX_PASSWORD
from apps.iam.models import Role


class SignUpBody(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=MAX_PASSWORD, trim_whitespace=False)
    first_name = serializers.CharField(max_length=100)
    last_name = serializers.CharField(max_length=100)
    tenant_name = serializers.CharField(
        max_length=100,
        required=False,
        default="",
        help_text="Needed unless the installation serves one workspace alone, which everybody joins.",
    )


class CredentialsBody(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=MAX_PASSWORD, trim_whitespace=False)


class SignInBody(CredentialsBody):
    tenant = serializers.CharField(
        max_length=50,
        required=False,
        allow_null=True,
        help_text="Key or slug. Left out: the only workspace. Null: the platform itself, for operators.",
    )
    otp = serializers.CharField(
        max_length=40,
        required=False,
        allow_blank=True,
        help_text="When `mfa_required` was answered: a code of the authenticator app, or a recovery code.",
    )


class EmailBody(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)


class TokenBody(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=100)


class PasswordResetBody(TokenBody):
    password = serializers.CharField(max_length=MAX_PASSWORD, trim_whitespace=False)


class PasswordChangeBody(serializers.Serializer[Any]):
    current_password = serializers.CharField(max_length=MAX_PASSWORD, trim_whitespace=False)
    new_password = serializers.CharField(max_length=MAX_PASSWORD, trim_whitespace=False)


class RefreshBody(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=500)


class ProfileBody(serializers.Serializer[Any]):
    first_name = serializers.CharField(max_length=100, required=False)
    last_name = serializers.CharField(max_length=100, required=False)
    locale = serializers.ChoiceField(choices=[code for code, _ in settings.LANGUAGES], required=False)


class ReasonBody(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class TenantRef(serializers.Serializer[Any]):
    key = serializers.CharField()
    slug = serializers.CharField()
    name = serializers.CharField()


class TenantRefWithStatus(TenantRef):
    status = serializers.CharField()


class UserRef(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()


class SignUpAnswer(serializers.Serializer[Any]):
    user = UserRef()
    tenant = TenantRefWithStatus()


class SignUpStatusAnswer(serializers.Serializer[Any]):
    status = serializers.CharField()
    step = serializers.CharField()
    progress = serializers.IntegerField(min_value=0, max_value=100)


class WorkspaceAnswer(TenantRef):
    roles = serializers.ListField(child=serializers.CharField())


class DiscoverAnswer(serializers.Serializer[Any]):
    # Any: DRF's own classes have an attribute of this name, which its metaclass clears away.
    data: Any = WorkspaceAnswer(many=True)


class TokenAnswer(serializers.Serializer[Any]):
    access = serializers.CharField(help_text="RS256 JWT, good for `expires_in` seconds.")
    refresh = serializers.CharField(help_text="Opaque, good once and for seven days.")
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField()
    tenant = TenantRef(allow_null=True)
    user = UserRef()


class ApiKeyRef(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class ValidateAnswer(serializers.Serializer[Any]):
    active = serializers.BooleanField()
    user_id = serializers.UUIDField()
    email = serializers.EmailField()
    tenant_key = serializers.CharField(allow_null=True)
    roles = serializers.ListField(child=serializers.CharField())
    permissions = serializers.ListField(child=serializers.CharField())
    api_key = ApiKeyRef(allow_null=True, help_text="Of a program that came with an API key.")
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Null: an API key that does not expire.")


class SessionAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    channel = serializers.CharField(help_text="BROWSER or API.")
    device = serializers.CharField()
    ip = serializers.CharField(allow_null=True)
    tenant = serializers.CharField(allow_null=True, help_text="The workspace's name.")
    started_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    is_current = serializers.BooleanField()


class ProfileAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    email_verified = serializers.BooleanField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    locale = serializers.CharField()
    platform_role = serializers.CharField(allow_null=True)
    tenant = TenantRef(allow_null=True)
    roles = serializers.ListField(child=serializers.CharField())
    permissions = serializers.ListField(child=serializers.CharField())
    avatar_url = serializers.CharField(allow_null=True, help_text="256 × 256 WebP; instead of -256 also -64.")
    created_at = serializers.DateTimeField()


class MembershipAnswer(serializers.Serializer[Any]):
    tenant = TenantRefWithStatus()
    roles = serializers.ListField(child=serializers.CharField())
    status = serializers.CharField()
    joined_at = serializers.DateTimeField()


class TenantBody(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100, required=False)
    slug = serializers.CharField(max_length=50, required=False)
    legal_name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    address = serializers.CharField(max_length=500, required=False, allow_blank=True)
    email = serializers.EmailField(required=False, allow_blank=True)
    time_zone = serializers.CharField(max_length=64, required=False)
    locale = serializers.CharField(max_length=10, required=False)
    currency = serializers.CharField(max_length=3, required=False)


class TenantAnswer(TenantRefWithStatus):
    id = serializers.UUIDField()
    url = serializers.URLField()
    legal_name = serializers.CharField()
    address = serializers.CharField()
    tax_id = serializers.CharField()
    email = serializers.CharField()
    time_zone = serializers.CharField()
    locale = serializers.CharField()
    currency = serializers.CharField()


class MemberAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="The membership's.")
    user_id = serializers.UUIDField()
    email = serializers.EmailField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    avatar_url = serializers.CharField(allow_null=True, help_text="256 × 256 WebP; instead of -256 also -64.")
    roles = serializers.ListField(child=serializers.CharField())
    status = serializers.CharField()
    joined_at = serializers.DateTimeField()
    banned_until = serializers.DateTimeField(allow_null=True, help_text="Of a ban that ends by itself.")
    ban_reason = serializers.CharField(allow_null=True)


class MemberBody(serializers.Serializer[Any]):
    roles = serializers.ListField(
        child=serializers.CharField(max_length=60),
        min_length=1,
        max_length=20,
        help_text="At most one built-in role by its name, and custom roles by name or id. Ownership is transferred.",
    )


class RoleBody(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=60)
    permissions = serializers.ListField(child=serializers.CharField(max_length=40), min_length=1, max_length=100)


class RoleChangeBody(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=60, required=False)
    permissions = serializers.ListField(
        child=serializers.CharField(max_length=40), min_length=1, max_length=100, required=False
    )


class RoleAnswer(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="A UUID; of a built-in role its name.")
    name = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())
    is_builtin = serializers.BooleanField(help_text="Built-in roles cannot be changed.")
    members = serializers.IntegerField(help_text="How many members hold it.")


class BanBody(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class InvitationBody(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    role = serializers.CharField(
        max_length=60,
        required=False,
        default=Role.MEMBER.value,
        help_text="A built-in role by its name, or a custom one by name or id.",
    )


class InvitationAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    role = serializers.CharField()
    status = serializers.CharField(help_text="PENDING, EXPIRED, ACCEPTED or REVOKED.")
    invited_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class InvitationPreviewAnswer(serializers.Serializer[Any]):
    tenant = TenantRef()
    email = serializers.EmailField()
    role = serializers.CharField()
    invited_by = serializers.CharField()
    expires_at = serializers.DateTimeField()
    needs_sign_up = serializers.BooleanField(help_text="The address has no account: names are needed to accept.")


class AcceptBody(serializers.Serializer[Any]):
    password = serializers.CharField(max_length=MAX_PASSWORD, trim_whitespace=False)
    otp = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    first_name = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    last_name = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
