"""Asking for exports and imports, downloading, and clearing away."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.archives import jobs, selectors, storage
from apps.archives.errors import ArchiveNotFound, ArchiveNotReady, ArchiveRefused, ExportRunning
from apps.archives.exporting import export_tenant
from apps.archives.format import Manifest
from apps.archives.jobs import run_job
from apps.archives.models import ArchiveJob, JobKind, JobStatus
from apps.archives.progress import LEASE, JobProgress, Tell
from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core import ids
from apps.core.actor import Actor, ActorKind, Origin, system
from apps.core.clock import utcnow
from apps.core.errors import PermissionRefused
from apps.core.tenants import public_scope
from apps.tenancy import selectors as tenancy

__all__ = [
    "Download",
    "clear_uploads",
    "expire_exports",
    "export_to_file",
    "import_from_file",
    "open_download",
    "request_export",
    "request_import",
    "run_job",
]


@dataclass(frozen=True, slots=True)
class Download:
    """An open archive: who reads it closes it. `size` in bytes."""

    content: Any
    size: int
    filename: str


@transaction.atomic
def request_export(*, actor: Actor, tenant_id: UUID) -> selectors.ExportView:
    """Queue an export of everything of a tenant; the caller wakes the task.

    Raises:
        PermissionRefused: neither the tenant's owner nor an operator who may write.
        ExportRunning: one is being prepared already.
        IllegalState: the tenant has no schema to export.
    """
    _require_authority(actor, tenant_id)
    tenant = tenancy.tenant_by_id(tenant_id)
    if not tenant.schema_name or tenant.status in (tenancy.TenantStatus.PROVISIONING, "PROVISIONING_FAILED"):
        raise ArchiveNotReady(_("This workspace is not ready yet; there is nothing to export."))
    try:
        with transaction.atomic():
            job = ArchiveJob.objects.create(
                kind=JobKind.EXPORT,
                tenant_id=tenant.id,
                tenant_key=tenant.key,
                tenant_name=tenant.name,
                requested_by_id=actor.user_id,
                requested_by=(actor.email or actor.name)[:254],
                created_at=utcnow(),
            )
    except IntegrityError as error:
        raise ExportRunning from error
    _record(actor, "archives.export.request", job)
    return selectors.export_view(job)


def request_import(*, actor: Actor, upload: Any, name: str = "", slug: str = "") -> UUID:
    """Store an operator's upload and queue its import; returns the job's id, the caller wakes the task.

    Raises:
        PermissionRefused: not an operator who may write.
        ArchiveRefused: larger than ``ARCHIVE_MAX_UPLOAD_BYTES``.
    """
    if actor.kind is not ActorKind.OPERATOR:
        raise PermissionRefused
    actor.require("platform:write")
    if upload.size > settings.ARCHIVE_MAX_UPLOAD_BYTES:
        raise ArchiveRefused("The file is larger than may be uploaded; use manage.py import_tenant on the server.")
    job_id = ids.uuid7()
    key = f"archives/imports/{job_id}.zip"
    default_storage.save(key, upload)
    try:
        with public_scope(), transaction.atomic():
            job = ArchiveJob.objects.create(
                id=job_id,
                kind=JobKind.IMPORT,
                wanted_name=name,
                wanted_slug=slug,
                storage_key=key,
                size=upload.size,
                requested_by_id=actor.user_id,
                requested_by=(actor.email or actor.name)[:254],
                created_at=utcnow(),
            )
            _record(actor, "archives.import.request", job)
    except BaseException:
        storage.remove(key)
        raise
    return job_id


def open_download(*, actor: Actor, tenant_id: UUID, job_id: UUID) -> Download:
    """Open the file of a finished export; every download is in the audit trail.

    Raises:
        PermissionRefused: neither the tenant's owner nor an operator who may write.
        ArchiveNotFound: unknown, another tenant's, or its time is over.
        ArchiveNotReady: it is still being prepared, or it failed.
    """
    _require_authority(actor, tenant_id)
    with transaction.atomic():
        job = ArchiveJob.objects.filter(kind=JobKind.EXPORT, tenant_id=tenant_id, pk=job_id).first()
        if job is None or job.status == JobStatus.EXPIRED:
            raise ArchiveNotFound(_("This archive is no longer there; make a new export."))
        if job.status != JobStatus.DONE:
            raise ArchiveNotReady
        if job.expires_at is None or job.expires_at <= utcnow():
            raise ArchiveNotFound(_("This archive is no longer there; make a new export."))
        _record(actor, "archives.export.download", job)
    try:
        content = default_storage.open(job.storage_key)
    except FileNotFoundError as error:
        raise ArchiveNotFound(_("This archive is no longer there; make a new export.")) from error
    day = (job.finished_at or job.created_at).date().isoformat()
    return Download(content, job.size, f"insula-{job.tenant_key}-{day}.zip")


def expire_exports(*, now: datetime | None = None) -> int:
    """Remove the files of exports whose time is over; returns how many."""
    over = ArchiveJob.objects.filter(kind=JobKind.EXPORT, status=JobStatus.DONE, expires_at__lte=now or utcnow())
    expired = 0
    for job in over:
        storage.remove(job.storage_key)
        expired += ArchiveJob.objects.filter(pk=job.pk, status=JobStatus.DONE).update(
            status=JobStatus.EXPIRED, storage_key=""
        )
    return expired


def clear_uploads() -> int:
    """Remove the uploads of imports that ended, where a crash came in between; returns how many."""
    ended = ArchiveJob.objects.filter(kind=JobKind.IMPORT, status__in=(JobStatus.DONE, JobStatus.FAILED))
    cleared = 0
    for job in ended.exclude(storage_key=""):
        storage.remove(job.storage_key)
        cleared += ArchiveJob.objects.filter(pk=job.pk).update(storage_key="")
    return cleared


def export_to_file(*, key: str, target: Path, tell: Tell) -> Manifest:
    """Write the archive of the tenant that people call `key` to a new file on this machine.

    Raises:
        NotFound: there is no such tenant.
        OSError: the file cannot be written; none is left behind.
    """
    tenant = tenancy.tenant_by_key_or_slug(key)
    partial = target.with_name(target.name + ".part")
    try:
        manifest = export_tenant(tenant_id=tenant.id, target=partial, tell=tell)
        with transaction.atomic():
            audit.record(
                actor=system(tenant.id, origin=Origin(source="CLI")),
                action="archives.export.download",
                entity_type="tenant",
                entity_id=tenant.id,
                entity_label=tenant.name,
                severity=Severity.HIGH,
            )
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    return manifest


def import_from_file(*, path: Path, name: str, slug: str, tell: Tell) -> tuple[tenancy.TenantView, list[str]]:
    """Import an archive that lies on this machine; returns the new tenant and what could not be taken over.

    Raises:
        as `apps.archives.importing.import_archive`; nothing is left of the tenant then.
    """
    now = utcnow()
    job = ArchiveJob.objects.create(
        kind=JobKind.IMPORT,
        status=JobStatus.RUNNING,
        attempts=jobs.MAX_ATTEMPTS,
        lease_until=now + LEASE,
        wanted_name=name,
        wanted_slug=slug,
        requested_by="manage.py",
        created_at=now,
        started_at=now,
    )
    progress = JobProgress(job.id, job.attempts)

    def tell_both(step: str, share: float) -> None:
        progress(step, share)
        tell(step, share)

    try:
        found = jobs.import_file(job, path, tell_both)
    except BaseException as error:
        job.refresh_from_db()
        jobs.fail(job, str(error) or type(error).__name__)
        raise
    finally:
        progress.close()
    return found.tenant, found.notes


def _require_authority(actor: Actor, tenant_id: UUID) -> None:
    if actor.kind is ActorKind.OPERATOR:
        actor.require("platform:write")
        return
    if actor.tenant_id != tenant_id:
        raise PermissionRefused
    actor.require("tenant:export")


def _record(actor: Actor, action: str, job: ArchiveJob) -> None:
    audit.record(
        actor=actor,
        action=action,
        entity_type="archive",
        entity_id=job.id,
        entity_label=job.tenant_name,
        after={"size": job.size} if job.size else None,
        severity=Severity.HIGH,
        tenant_id=job.tenant_id,
    )
