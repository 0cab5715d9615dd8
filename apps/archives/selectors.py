"""Reading exports and imports."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from apps.archives.errors import ArchiveNotFound
from apps.archives.models import ArchiveJob, JobKind, JobStatus
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.rest.paging import Page, PageRequest, paginate

_UNFINISHED = (JobStatus.PENDING, JobStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class ExportView:
    """An export as its tenant sees it."""

    id: UUID
    status: str
    status_label: str
    progress: int
    step: str
    error: str
    size: int
    sha256: str
    requested_by: str
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None

    @property
    def is_running(self) -> bool:
        """Whether it is still waiting or at work."""
        return self.status in _UNFINISHED

    @property
    def is_downloadable(self) -> bool:
        """Whether there is a file to download."""
        return self.status == JobStatus.DONE and self.expires_at is not None and self.expires_at > utcnow()


def list_exports(*, actor: Actor, page: PageRequest) -> Page[ArchiveJob]:
    """The tenant's exports, newest first.

    Raises:
        PermissionRefused: the actor lacks ``tenant:export``.
    """
    actor.require("tenant:export")
    return paginate(ArchiveJob.objects.filter(kind=JobKind.EXPORT, tenant_id=actor.tenant_id), page)


def get_export(*, actor: Actor, job_id: UUID) -> ExportView:
    """One export of the tenant.

    Raises:
        PermissionRefused: the actor lacks ``tenant:export``.
        ArchiveNotFound: unknown, or another tenant's.
    """
    actor.require("tenant:export")
    job = ArchiveJob.objects.filter(kind=JobKind.EXPORT, tenant_id=actor.tenant_id, pk=job_id).first()
    if job is None:
        raise ArchiveNotFound
    return export_view(job)


def export_view(job: ArchiveJob) -> ExportView:
    """The plain value of a row."""
    return ExportView(
        id=job.id,
        status=job.status,
        status_label=job.get_status_display(),
        progress=100 if job.status in (JobStatus.DONE, JobStatus.EXPIRED) else job.progress,
        step=job.step,
        # What went wrong inside is for operators.
        error=_("It could not be prepared. Please try again later.") if job.status == JobStatus.FAILED else "",
        size=job.size,
        sha256=job.sha256,
        requested_by=job.requested_by,
        created_at=job.created_at,
        finished_at=job.finished_at,
        expires_at=job.expires_at,
    )


def due_jobs(*, now: datetime | None = None) -> list[UUID]:
    """Jobs that nobody is at: never begun, or left by a worker that died."""
    dead = Q(status=JobStatus.RUNNING, lease_until__lt=now or utcnow())
    due = ArchiveJob.objects.filter(Q(status=JobStatus.PENDING) | dead)
    return list(due.order_by("created_at").values_list("pk", flat=True))
