"""The audit trail: one shared, append-only table; the tenant is a column, so operators need no cross-tenant SQL."""

from typing import ClassVar

from django.db import models
from django.utils.translation import pgettext_lazy

from apps.core import ids


class Severity(models.TextChoices):
    """How much attention an entry deserves."""

    INFO = "INFO", pgettext_lazy("severity", "Info")
    LOW = "LOW", pgettext_lazy("severity", "Low")
    MEDIUM = "MEDIUM", pgettext_lazy("severity", "Medium")
    HIGH = "HIGH", pgettext_lazy("severity", "High")
    CRITICAL = "CRITICAL", pgettext_lazy("severity", "Critical")


class AuditEntry(models.Model):
    """One change or security event. Written in the transaction of the change; the database refuses edits."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant_id = models.UUIDField(null=True)
    action = models.CharField(max_length=80)
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.INFO)
    actor_kind = models.CharField(max_length=10)
    actor_id = models.UUIDField(null=True)
    actor_name = models.CharField(max_length=254, blank=True)
    impersonator_id = models.UUIDField(null=True)
    api_key_id = models.UUIDField(null=True)
    api_key_name = models.CharField(max_length=100, blank=True, default="", db_default="")
    entity_type = models.CharField(max_length=60)
    entity_id = models.CharField(max_length=64)
    entity_label = models.CharField(max_length=200, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True)
    source = models.CharField(max_length=10)
    correlation_id = models.CharField(max_length=64, blank=True)
    occurred_at = models.DateTimeField()

    class Meta:
        db_table = "audit_entry"
        verbose_name_plural = "audit entries"
        indexes: ClassVar = [
            models.Index(fields=["tenant_id", "-id"], name="audit_tenant_recent"),
            models.Index(fields=["tenant_id", "entity_type", "entity_id", "-id"], name="audit_entity"),
            models.Index(fields=["action", "-id"], name="audit_action"),
        ]
