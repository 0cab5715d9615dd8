"""Jobs are claimed once, survive dead workers, and leave no half files."""

import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection

from apps.archives import jobs, selectors, services, storage
from apps.archives.errors import ArchiveNotFound, ArchiveNotReady, ExportRunning, LeaseLost
from apps.archives.models import ArchiveJob, JobKind, JobStatus
from apps.archives.progress import LEASE
from apps.archives.services import expire_exports, open_download, request_export, run_job
from apps.core import ids
from apps.core.actor import Actor, ActorKind
from apps.core.clock import utcnow
from apps.core.tenants import owner_transaction
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from tests.fixtures.processes import REPOSITORY, product_environment, wait_until
from tests.fixtures.tenants import NewTenant, actor_of, in_tenant, remove

OPERATOR = Actor(ActorKind.OPERATOR, name="op", permissions=frozenset({"platform:read", "platform:write"}))


@pytest.fixture(autouse=True)
def _work_dir(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.ARCHIVE_WORK_DIR = str(tmp_path / "work")
    yield


@pytest.fixture
def small(committed: NewTenant) -> Iterator[TenantView]:
    """A tenant without much in it."""
    yield committed("Small")
    for job in ArchiveJob.objects.all():
        storage.remove(job.storage_key)
    ArchiveJob.objects.all().delete()


def requested(tenant: TenantView) -> UUID:
    with in_tenant(tenant):
        return request_export(actor=actor_of(tenant), tenant_id=tenant.id).id


def stored(job_id: UUID) -> ArchiveJob:
    return ArchiveJob.objects.get(pk=job_id)


def test_an_export_runs_once_and_can_be_downloaded_for_a_while(small: TenantView, settings: Any) -> None:
    job_id = requested(small)
    assert selectors.due_jobs() == [job_id]
    with pytest.raises(ExportRunning):
        requested(small)
    owner = actor_of(small)
    with in_tenant(small), pytest.raises(ArchiveNotReady):
        open_download(actor=owner, tenant_id=small.id, job_id=job_id)
    assert run_job(job_id=job_id)
    assert not run_job(job_id=job_id)
    job = stored(job_id)
    assert (job.status, job.progress, job.lease_until) == (JobStatus.DONE, 100, None)
    assert not list(Path(settings.ARCHIVE_WORK_DIR).iterdir())
    with in_tenant(small):
        found = open_download(actor=owner, tenant_id=small.id, job_id=job_id)
    with found.content as content, zipfile.ZipFile(content) as archive:
        assert "manifest.json" in archive.namelist() and found.size == job.size
    assert expire_exports() == 0
    later = utcnow() + timedelta(hours=settings.ARCHIVE_KEEP_HOURS, minutes=1)
    assert expire_exports(now=later) == 1
    assert not default_storage.exists(job.storage_key) and stored(job_id).status == JobStatus.EXPIRED
    with in_tenant(small), pytest.raises(ArchiveNotFound):
        open_download(actor=owner, tenant_id=small.id, job_id=job_id)
    requested(small)


def test_a_killed_worker_leaves_a_job_that_another_does(small: TenantView, database_name: str, settings: Any) -> None:
    job_id = requested(small)
    environment = {**os.environ, **product_environment(database_name), "ARCHIVE_WORK_DIR": settings.ARCHIVE_WORK_DIR}
    # The worker waits for this lock in the middle of its work.
    with owner_transaction(small.schema_name), connection.cursor() as cursor:
        cursor.execute("lock table invoices_invoice in access exclusive mode")
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.archives.child", str(job_id)], cwd=REPOSITORY, env=environment
        )
        try:
            wait_until(waiting, seconds=60, what="a worker that waits")
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
    left = stored(job_id)
    assert left.status == JobStatus.RUNNING and left.attempts == 1
    assert len(list(Path(settings.ARCHIVE_WORK_DIR).iterdir())) == 1
    assert not run_job(job_id=job_id), "its lease still runs"
    later = utcnow() + 2 * LEASE
    assert selectors.due_jobs(now=later) == [job_id]
    assert run_job(job_id=job_id, now=later)
    assert stored(job_id).status == JobStatus.DONE
    assert not list(Path(settings.ARCHIVE_WORK_DIR).iterdir())


def waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from pg_locks l join pg_database d on d.oid = l.database"
            " where not l.granted and d.datname = current_database()"
        )
        return bool(cursor.fetchone()[0])


def test_whoever_lost_the_lease_writes_nothing(small: TenantView) -> None:
    job_id = requested(small)
    slow = jobs._claim(job_id, utcnow())
    assert slow is not None
    later = utcnow() + 2 * LEASE
    assert run_job(job_id=job_id, now=later)
    with pytest.raises(jobs.LeaseLost):
        jobs._settle(slow, status=JobStatus.FAILED)
    with pytest.raises(jobs.LeaseLost):
        jobs.JobProgress(job_id, slow.attempts)("late", 0.5)
    assert stored(job_id).status == JobStatus.DONE


def test_workers_that_always_die_end_in_a_reason(small: TenantView) -> None:
    job_id = requested(small)
    at = utcnow()
    for _ in range(jobs.MAX_ATTEMPTS):
        assert jobs._claim(job_id, at) is not None
        at += 2 * LEASE
    assert not run_job(job_id=job_id, now=at)
    job = stored(job_id)
    assert job.status == JobStatus.FAILED and "stopped" in job.error
    requested(small)


def test_a_dead_import_leaves_no_files_and_no_tenant(small: TenantView, tmp_path: Path) -> None:
    job_id, tenant_id = ids.uuid7(), ids.uuid7()
    prefix = storage.tenant_prefix(tenant_id)
    default_storage.save(f"{prefix}invoices/half.pdf", ContentFile(b"half"))
    upload = default_storage.save(f"archives/imports/{job_id}.zip", ContentFile(b"no archive"))
    ArchiveJob.objects.create(
        id=job_id, kind=JobKind.IMPORT, status=JobStatus.RUNNING, attempts=1, lease_until=utcnow() - LEASE,
        files_prefix=prefix, storage_key=upload, created_at=utcnow(),
    )  # fmt: skip
    assert not run_job(job_id=job_id)
    job = stored(job_id)
    assert job.status == JobStatus.FAILED and "ZIP" in job.error
    assert not list(storage.paths_below(prefix)) and not default_storage.exists(upload)
    assert not Tenant.objects.filter(pk=tenant_id).exists()


def test_an_upload_becomes_a_tenant(small: TenantView) -> None:
    export = requested(small)
    assert run_job(job_id=export)
    with default_storage.open(stored(export).storage_key) as content:
        upload = ContentFile(content.read())
    job_id = services.request_import(actor=OPERATOR, upload=upload, name="Uploaded", slug="uploaded")
    assert run_job(job_id=job_id)
    job = stored(job_id)
    assert (job.status, job.tenant_name, job.storage_key) == (JobStatus.DONE, "Uploaded", "")
    assert not default_storage.exists(f"archives/imports/{job_id}.zip")
    made = Tenant.objects.get(pk=job.tenant_id)
    assert made.slug == "uploaded" and made.status == "ACTIVE"
    remove_by_id(made.id)


def test_an_export_is_in_no_later_archive_and_goes_with_the_tenants_files(small: TenantView) -> None:
    first = requested(small)
    assert run_job(job_id=first)
    key = stored(first).storage_key
    assert key.startswith(storage.tenant_prefix(small.id))
    second = requested(small)
    assert run_job(job_id=second)
    with default_storage.open(stored(second).storage_key) as content, zipfile.ZipFile(content) as archive:
        assert not [name for name in archive.namelist() if name.startswith("files/")]


def test_an_upload_that_a_crash_left_is_cleared(small: TenantView) -> None:
    key = default_storage.save("archives/imports/left.zip", ContentFile(b"x"))
    job = ArchiveJob.objects.create(kind=JobKind.IMPORT, status=JobStatus.DONE, storage_key=key, created_at=utcnow())
    assert services.clear_uploads() == 1
    assert not default_storage.exists(key) and stored(job.id).storage_key == ""


def test_storage_that_is_away_is_tried_again(small: TenantView, settings: Any, tmp_path: Path) -> None:
    job_id = requested(small)
    (tmp_path / "file").write_text("no folder")
    settings.ARCHIVE_WORK_DIR = str(tmp_path / "file" / "work")
    assert not run_job(job_id=job_id)
    job = stored(job_id)
    assert job.status == JobStatus.PENDING and "NotADirectory" in job.error and job.attempts == 1
    settings.ARCHIVE_WORK_DIR = str(tmp_path / "work")
    assert run_job(job_id=job_id)
    assert stored(job_id).error == ""


def remove_by_id(tenant_id: UUID) -> None:
    remove(services.tenancy.tenant_by_id(tenant_id))


def test_an_export_that_a_purge_overtook_leaves_no_file(small: TenantView, tmp_path: Path) -> None:
    job_id = requested(small)
    job = jobs._claim(job_id, utcnow())
    assert job is not None

    def purged_while_storing(step: str, share: float) -> None:
        if step == "storing":
            ArchiveJob.objects.filter(pk=job_id).delete()

    with pytest.raises(LeaseLost):
        jobs._export(job, tmp_path, purged_while_storing)
    assert not list(storage.paths_below(storage.tenant_prefix(small.id)))
    jobs._settle_failure(job, OSError("its row is gone"))
