"""The answers that were given, for callers who ask again. The table is shared (``public``)."""

from typing import ClassVar

from django.db import models

from apps.core import ids


class IdempotencyKey(models.Model):
    """One key of one caller for one route. Without `status` the call is still being answered, or died.

    `id` names the call to services that must find again what a killed attempt has begun.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant_id = models.UUIDField(null=True, editable=False)
    digest = models.BinaryField(max_length=32, unique=True)
    fingerprint = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=bytes)
    leased_until = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "edge_idempotency_key"
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="idempotency_key_expiry")]
