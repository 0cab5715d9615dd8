"""The audit trail for operators: everything, read-only."""

from typing import ClassVar

from django.contrib import admin
from unfold.decorators import display

from apps.audit.models import AuditEntry, Severity
from apps.core.read_only import ReadOnlyAdmin


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
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
