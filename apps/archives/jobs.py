"""Doing exports and imports: claim, work, settle. The row is the truth; a dead worker's lease runs out.

`attempts` grows with each claim and fences a slow worker off from settling what another has taken over.
"""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from apps.archives import storage
from apps.archives.errors import ImportRunning, LeaseLost
from apps.archives.exporting import export_tenant
from apps.archives.importing import Imported, import_archive
from apps.archives.models import ArchiveJob, JobKind, JobStatus
from apps.archives.progress import LEASE, JobProgress, Tell
from apps.core.actor import Actor, ActorKind, Origin
from apps.core.clock import utcnow
from apps.core.errors import DomainError, NotFound
from apps.core.tenants import assert_no_transaction, public_scope
from apps.tenancy import selectors as tenancy
from apps.tenancy.adopting import Identity

logger = structlog.get_logger(__name__)

MAX_ATTEMPTS = 3
_CHUNK = 1024 * 1024
_DIED = "Every worker that tried stopped before it had finished."


def run_job(*, job_id: UUID, now: datetime | None = None) -> bool:
    """Do one export or import if it waits and nobody is at it; returns whether it is done now.

    Never raises for a job that cannot be done: the reason stands in its row. What may pass (storage or database away)
    is tried again by the sweep.
    """
    assert_no_transaction("Running an archive job")
    with public_scope():
        job = _claim(job_id, now or utcnow())
        if job is None:
            return False
        progress = JobProgress(job.id, job.attempts)
        try:
            with _work_dir(job) as folder:
                if job.kind == JobKind.EXPORT:
                    _export(job, folder, progress)
                else:
                    _import(job, folder, progress)
        except LeaseLost:
            logger.warning("archives.lease_lost", job=str(job.id), attempt=job.attempts)
            return False
        except Exception as error:
            # Whatever it is, it belongs to this one row; the reason must stand in it.
            logger.exception("archives.job_failed", job=str(job.id), attempt=job.attempts)
            _settle_failure(job, error)
            return False
        finally:
            progress.close()
        return True


def _claim(job_id: UUID, now: datetime) -> ArchiveJob | None:
    with transaction.atomic():
        job = ArchiveJob.objects.select_for_update(skip_locked=True).filter(pk=job_id).first()
        waits = job is not None and (
            job.status == JobStatus.PENDING
            or (job.status == JobStatus.RUNNING and job.lease_until is not None and job.lease_until < now)
        )
        if job is None or not waits:
            return None
        _remove_leftovers(job)
        if job.attempts >= MAX_ATTEMPTS:
            _end_badly(job, job.error or _DIED)
            return None
        job.status, job.lease_until, job.started_at = JobStatus.RUNNING, now + LEASE, job.started_at or now
        job.attempts += 1
        job.progress, job.step, job.files_prefix = 0, "", ""
        job.save()
        return job


def _export(job: ArchiveJob, folder: Path, tell: Tell) -> None:
    assert job.tenant_id
    target = folder / "archive.zip"
    manifest = export_tenant(tenant_id=job.tenant_id, target=target, tell=tell)
    key = storage.export_key(job.tenant_id, f"{job.id}-{job.attempts}")
    # Noted first: what a crash leaves behind is found by it.
    _settle(job, storage_key=key)
    digest = hashlib.sha256()
    with target.open("rb") as content:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
        content.seek(0)
        default_storage.save(key, _Told(content, tell))
    now = utcnow()
    try:
        _finish(
            job,
            size=target.stat().st_size,
            sha256=digest.hexdigest(),
            now=now,
            expires_at=now + timedelta(hours=settings.ARCHIVE_KEEP_HOURS),
            notes=[f"{name}: {why}" for name, why in manifest.left_out.items()],
        )
    except LeaseLost:
        # The tenant was purged meanwhile, or another worker has the job: no row names this file any more.
        storage.remove(key)
        raise


def _import(job: ArchiveJob, folder: Path, tell: Tell) -> None:
    source = folder / "archive.zip"
    tell("fetching", 0)
    with default_storage.open(job.storage_key) as stored, source.open("wb") as copy:
        shutil.copyfileobj(stored, copy, _CHUNK)
    import_file(job, source, tell)
    storage.remove(job.storage_key)
    ArchiveJob.objects.filter(pk=job.pk).update(storage_key="")


def import_file(job: ArchiveJob, source: Path, tell: Tell) -> Imported:
    """Import the archive in `source` on behalf of a claimed job, which is DONE in the transaction of the import.

    Raises:
        ImportRunning: the same archive is being imported at this moment.
        Otherwise as `import_archive`; the files written so far are left, and the row names their prefix.
    """

    def allot(identity: Identity) -> None:
        try:
            with transaction.atomic():
                _settle(job, files_prefix=storage.tenant_prefix(identity.id))
        except IntegrityError as error:
            raise ImportRunning("The same archive is being imported at this moment.") from error

    def finish(found: Imported) -> None:
        _finish(
            job,
            tenant_id=found.tenant.id,
            tenant_key=found.tenant.key,
            tenant_name=found.tenant.name,
            size=source.stat().st_size,
            now=utcnow(),
            notes=found.notes,
        )

    return import_archive(
        actor=requester(job),
        path=source,
        wanted_name=job.wanted_name,
        wanted_slug=job.wanted_slug,
        allot=allot,
        finish=finish,
        tell=tell,
    )


def requester(job: ArchiveJob) -> Actor:
    """Whoever asked for the job, for the audit trail."""
    kind = ActorKind.OPERATOR if job.requested_by_id else ActorKind.SYSTEM
    origin = Origin(source="ADMIN" if job.requested_by_id else "CLI")
    return Actor(kind, user_id=job.requested_by_id, name=job.requested_by, origin=origin)


def fail(job: ArchiveJob, reason: str) -> None:
    """End a claimed job badly and remove what it has made."""
    _remove_leftovers(job)
    _end_badly(job, reason)


def _settle_failure(job: ArchiveJob, error: Exception) -> None:
    found = ArchiveJob.objects.filter(pk=job.pk, status=JobStatus.RUNNING, attempts=job.attempts).first()
    if found is None:
        return
    job = found
    # A domain error is an answer; anything else may pass.
    final = isinstance(error, DomainError) or job.attempts >= MAX_ATTEMPTS
    reason = error.detail if isinstance(error, DomainError) else f"{type(error).__name__}: {error}"
    if final:
        fail(job, reason)
        return
    _remove_leftovers(job)
    job.status, job.lease_until, job.error, job.files_prefix = JobStatus.PENDING, None, reason[:1000], ""
    job.save()


def _end_badly(job: ArchiveJob, reason: str) -> None:
    if job.kind == JobKind.IMPORT:
        storage.remove(job.storage_key)
        job.storage_key = ""
    job.status, job.error, job.files_prefix = JobStatus.FAILED, reason[:1000], ""
    job.lease_until, job.finished_at = None, utcnow()
    job.save()


def _remove_leftovers(job: ArchiveJob) -> None:
    """Remove what an attempt that ended badly has stored."""
    if job.kind == JobKind.EXPORT and job.storage_key:
        storage.remove(job.storage_key)
        job.storage_key = ""
    if job.files_prefix:
        tenant_id = UUID(job.files_prefix.split("/")[1])
        try:
            tenancy.tenant_by_id(tenant_id)
        except NotFound:
            storage.remove_below(job.files_prefix)


def _finish(job: ArchiveJob, *, now: datetime, **values: Any) -> None:
    done = {"status": JobStatus.DONE, "progress": 100, "step": "", "error": "", "lease_until": None}
    _settle(job, **done, finished_at=now, **values)


def _settle(job: ArchiveJob, **values: Any) -> None:
    mine = ArchiveJob.objects.filter(pk=job.pk, status=JobStatus.RUNNING, attempts=job.attempts)
    if not mine.update(**values):
        raise LeaseLost(f"The job {job.pk} is no longer this worker's.")


@contextmanager
def _work_dir(job: ArchiveJob) -> Iterator[Path]:
    root = Path(settings.ARCHIVE_WORK_DIR)
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    tidy_work_dir(root)
    folder = root / f"{job.id}-{job.attempts}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def tidy_work_dir(root: Path) -> None:
    """Remove what dead workers of this machine have left."""
    for folder in root.iterdir():
        job_id, _, attempt = folder.name.rpartition("-")
        try:
            mine = ArchiveJob.objects.filter(pk=UUID(job_id), status=JobStatus.RUNNING, attempts=int(attempt))
        except ValueError:
            continue
        if not mine.exists():
            shutil.rmtree(folder, ignore_errors=True)


class _Told(File):  # type: ignore[type-arg]  # generic in the stubs alone
    """A file whose reading keeps the lease, since storing a large one takes its time."""

    def __init__(self, content: Any, tell: Tell) -> None:
        super().__init__(content, name="archive.zip")
        self._content, self._tell = content, tell

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        self._tell("storing", 0.99)
        return bytes(self._content.read(size))
