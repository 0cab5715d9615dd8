"""The audit trail for operators: everything, read-only."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from apps.audit.models import AuditEntry, Severity


@admin.register(AuditEntry)
class AuditEntryAdmin(ModelAdmin):
    """Search and detail over all organisations."""

    list_display: ClassVar = [
        *("occurred_at", "action", "weight", "actor_name"),
        *("entity_type", "entity_label", "ip", "source"),
    ]
    list_filter: ClassVar = ["severity", "source", "actor_kind"]
    search_fields: ClassVar = ["action", "actor_name", "entity_label", "entity_id", "correlation_id", "tenant_id"]
    ordering: ClassVar = ["-id"]
    show_full_result_count = False

    @display(
        description="severity",
        label={
            Severity.INFO: "info",
            Severity.LOW: "info",
            Severity.MEDIUM: "warning",
            Severity.HIGH: "danger",
            Severity.CRITICAL: "danger",
        },
    )
    def weight(self, entry: AuditEntry) -> tuple[str, str]:
        """Severity as a coloured label."""
        return entry.severity, entry.get_severity_display()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False
