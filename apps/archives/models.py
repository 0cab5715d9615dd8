"""Exports and imports that are owed, run or done. Shared: an import has no tenant until it ends."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core import ids


class JobKind(models.TextChoices):
    """Which way the data goes."""

    EXPORT = "EXPORT", _("Export")
    IMPORT = "IMPORT", _("Import")


class JobStatus(models.TextChoices):
    """The life of a job: PENDING → RUNNING → DONE or FAILED; the file of a DONE export ends as EXPIRED."""

    PENDING = "PENDING", _("Waiting")
    RUNNING = "RUNNING", _("Running")
    DONE = "DONE", _("Ready")
    FAILED = "FAILED", _("Failed")
    EXPIRED = "EXPIRED", _("Expired")


class ArchiveJob(models.Model):
    """One export or import. While it runs, it belongs until `lease_until` to the worker whose `attempts` it shows.

    `tenant_id`: the exported tenant; of an import the new one, once it stands. `wanted_name`, `wanted_slug`: what an
    import is to be called here instead of what the archive says. `files_prefix`: where an import writes its files,
    which are removed when it ends badly.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    kind = models.CharField(max_length=6, choices=JobKind)
    status = models.CharField(max_length=7, choices=JobStatus, default=JobStatus.PENDING)
    tenant_id = models.UUIDField(null=True)
    tenant_key = models.CharField(max_length=8, blank=True)
    tenant_name = models.CharField(max_length=100, blank=True)
    wanted_name = models.CharField(max_length=100, blank=True)
    wanted_slug = models.CharField(max_length=50, blank=True)

    step = models.CharField(max_length=120, blank=True)
    progress = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=1000, blank=True)
    notes = models.JSONField(default=list)

    storage_key = models.CharField(max_length=255, blank=True)
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    files_prefix = models.CharField(max_length=100, blank=True)

    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    requested_by_id = models.UUIDField(null=True)
    requested_by = models.CharField(max_length=254, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "archives_job"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant_id"],
                condition=Q(kind="EXPORT", status__in=("PENDING", "RUNNING")),
                name="archive_one_export_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["files_prefix"],
                condition=Q(status="RUNNING") & ~Q(files_prefix=""),
                name="archive_one_import_at_a_time",
            ),
            models.CheckConstraint(condition=Q(kind__in=JobKind.values), name="archive_kind_known"),
            models.CheckConstraint(condition=Q(status__in=JobStatus.values), name="archive_status_known"),
            models.CheckConstraint(condition=Q(progress__lte=100), name="archive_progress_percent"),
            models.CheckConstraint(
                condition=~Q(status="RUNNING") | Q(lease_until__isnull=False), name="archive_running_is_leased"
            ),
            models.CheckConstraint(
                condition=~Q(kind="EXPORT") | Q(tenant_id__isnull=False), name="archive_export_of_a_tenant"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant_id", "-id"], name="archive_recent"),
            models.Index(fields=["status", "lease_until"], name="archive_due"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.tenant_name}"
