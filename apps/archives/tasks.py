"""Background work of the archives app."""

from uuid import UUID

from apps.archives import selectors, services
from apps.core.jobs import platform_task, wake

_HOURS = 3600


@platform_task("archives.run_job", queue="archives", time_limit=12 * _HOURS)
def run_job(job_id: str) -> None:
    """Do one export or import."""
    services.run_job(job_id=UUID(job_id))


@platform_task("archives.sweep")
def sweep() -> None:
    """Hint at what a lost hint or a dead worker left, and remove the files whose time is over or whose work is done."""
    for job_id in selectors.due_jobs():
        wake(run_job, job_id)
    services.expire_exports()
    services.clear_uploads()
