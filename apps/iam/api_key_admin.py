"""API keys of all workspaces in the operators' admin: looked at, and revoked."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.core.errors import DomainError
from apps.core.read_only import ReadOnlyAdmin
from apps.iam import api_keys, selectors
from apps.iam.api_key_models import ApiKey, ApiKeyState
from apps.iam.origins import origin_of


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Who made which key, what it may do and when it was used; no secret is here."""

    list_display: ClassVar = ["created_at", "name", "hint", "tenant", "user", "last_used_at", "expires_at", "standing"]
    list_filter: ClassVar = ["algorithm", "revoked_reason"]
    list_select_related: ClassVar = ["tenant", "user"]
    search_fields: ClassVar = ["name", "hint", "tenant__name", "user__email"]
    ordering: ClassVar = ["-created_at"]
    actions: ClassVar = ["revoke_selected"]
    fields: ClassVar = [
        *("name", "hint", "tenant", "user", "scopes", "algorithm", "created_at", "rotated_at", "expires_at"),
        *("last_used_at", "last_used_ip", "revoked_at", "revoked_reason"),
    ]

    @display(description=_("status"), label={"ACTIVE": "success", "EXPIRED": "warning", "REVOKED": "danger"})
    def standing(self, key: ApiKey) -> tuple[str, Any]:
        """Whether it is good, as a coloured label."""
        return key.state.value, ApiKeyState(key.state).label

    @admin.action(description=_("Revoke at once"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, rows: "QuerySet[ApiKey]") -> None:
        """End each of them, and the keys that they made."""
        actor = selectors.operator_of(request.user, origin_of(request, "WEB"))
        assert actor is not None, "the admin lets operators in only"
        for key in rows.filter(revoked_at=None):
            try:
                api_keys.revoke_as_operator(actor=actor, key_id=key.pk)
            except DomainError as error:
                messages.error(request, error.detail)
                return
        messages.success(request, _("The API keys are revoked."))

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Operators who may change things."""
        return request.user.has_perm("iam.change_user")
