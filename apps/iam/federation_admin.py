"""Identity providers, mail domains, linked accounts and directories of all workspaces in the operators' admin."""

from typing import ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.core.read_only import ReadOnlyAdmin
from apps.iam.scim.models import DirectoryGroup, ScimToken
from apps.iam.sso.models import MailDomain, SsoConnection, SsoLink


@admin.register(SsoConnection)
class SsoConnectionAdmin(ReadOnlyAdmin):
    """Which workspace signs its people in through which provider; the secret is not here."""

    list_display: ClassVar = ["name", "tenant", "issuer", "is_enabled", "is_required", "tested_at", "updated_at"]
    list_filter: ClassVar = ["is_enabled", "is_required"]
    list_select_related: ClassVar = ["tenant"]
    search_fields: ClassVar = ["name", "issuer", "tenant__name"]
    ordering: ClassVar = ["-created_at"]
    exclude: ClassVar = ["client_secret"]


@admin.register(MailDomain)
class MailDomainAdmin(ReadOnlyAdmin):
    """Who may speak for the addresses of which domain."""

    list_display: ClassVar = ["domain", "tenant", "standing", "verified_at", "checked_at", "last_error"]
    list_filter: ClassVar = ["state"]
    list_select_related: ClassVar = ["tenant"]
    search_fields: ClassVar = ["domain", "tenant__name"]
    ordering: ClassVar = ["domain"]

    @display(description=_("status"), label={"VERIFIED": "success", "PENDING": "info", "LOST": "danger"})
    def standing(self, row: MailDomain) -> tuple[str, str]:
        """Its state, as a coloured label."""
        return row.state, str(row.get_state_display())


@admin.register(SsoLink)
class SsoLinkAdmin(ReadOnlyAdmin):
    """Who is which subject of which provider."""

    list_display: ClassVar = ["user", "tenant", "issuer", "subject", "created_at", "last_used_at"]
    list_select_related: ClassVar = ["tenant", "user"]
    search_fields: ClassVar = ["user__email", "subject", "tenant__name"]
    ordering: ClassVar = ["-created_at"]


@admin.register(ScimToken)
class ScimTokenAdmin(ReadOnlyAdmin):
    """The tokens of directories; their digests are not here."""

    list_display: ClassVar = ["name", "hint", "tenant", "created_by_name", "last_used_at", "expires_at", "revoked_at"]
    list_select_related: ClassVar = ["tenant"]
    search_fields: ClassVar = ["name", "hint", "tenant__name"]
    ordering: ClassVar = ["-created_at"]
    exclude: ClassVar = ["digest"]


@admin.register(DirectoryGroup)
class DirectoryGroupAdmin(ReadOnlyAdmin):
    """Groups that directories have sent, and the roles that they give."""

    list_display: ClassVar = ["display_name", "tenant", "role", "created_at"]
    list_select_related: ClassVar = ["tenant"]
    search_fields: ClassVar = ["display_name", "tenant__name"]
    ordering: ClassVar = ["display_name"]
