"""Operators export, download and import; those who may only read do none of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as product
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from apps.archives import storage
from apps.archives.models import ArchiveJob, JobStatus
from apps.archives.services import run_job
from apps.tenancy import selectors
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, operator
from tests.fixtures.tenants import NewTenant, remove

IMPORT = "/admin/archives/archivejob/import/"


@pytest.fixture
def house(committed: NewTenant, settings: Any, tmp_path: Path) -> Iterator[TenantView]:
    settings.ARCHIVE_WORK_DIR = str(tmp_path / "work")
    yield committed("Operated House")
    for job in ArchiveJob.objects.all():
        storage.remove(job.storage_key)
    ArchiveJob.objects.all().delete()


def signed_in(role: str) -> Client:
    client = Client(SERVER_NAME=product.PLATFORM_HOST, raise_request_exception=False)
    client.post("/admin/login/", {"username": operator(role), "password": PASSWORD, "next": "/admin/"})
    return client


def test_an_operator_carries_a_tenant_over(house: TenantView) -> None:
    client = signed_in("PLATFORM_ADMIN")
    export = reverse("admin:archives_archivejob_export", args=[house.id], urlconf=product.ROOT_URLCONF)
    assert b"everything of this organisation" in client.get(export).content
    assert client.post(export).status_code == 302
    job = ArchiveJob.objects.get(tenant_id=house.id)
    assert client.post(export).status_code == 302 and ArchiveJob.objects.count() == 1, "one at a time"
    assert run_job(job_id=job.id)
    for page in ("/admin/archives/archivejob/", f"/admin/archives/archivejob/{job.id}/change/", IMPORT):
        assert client.get(page).status_code == 200, page
    download = f"/admin/archives/archivejob/{job.id}/download/"
    assert client.get(download).status_code == 200
    content = b"".join(client.post(download).streaming_content)  # type: ignore[attr-defined]
    upload = SimpleUploadedFile("a.zip", content, "application/zip")
    answer = client.post(IMPORT, {"archive": upload, "name": "Carried Over", "slug": ""})
    assert answer.status_code == 302, answer.content
    imported = ArchiveJob.objects.latest("id")
    assert run_job(job_id=imported.id)
    imported.refresh_from_db()
    assert imported.status == JobStatus.DONE and imported.requested_by
    made = Tenant.objects.get(name="Carried Over")
    remove(selectors.tenant_by_id(made.id))


def test_what_is_no_archive_ends_in_a_reason(house: TenantView, settings: Any) -> None:
    client = signed_in("PLATFORM_ADMIN")
    assert client.post(IMPORT, {"name": "x"}).status_code == 200
    client.post(IMPORT, {"archive": SimpleUploadedFile("a.zip", b"nothing")})
    job = ArchiveJob.objects.latest("id")
    assert not run_job(job_id=job.id)
    page = client.get(f"/admin/archives/archivejob/{job.id}/change/")
    assert b"not a ZIP file" in page.content
    settings.ARCHIVE_MAX_UPLOAD_BYTES = 3
    client.post(IMPORT, {"archive": SimpleUploadedFile("a.zip", b"nothing")})
    assert ArchiveJob.objects.count() == 1


def test_support_reads_only(house: TenantView) -> None:
    client = signed_in("PLATFORM_SUPPORT")
    client.post(f"/admin/archives/archivejob/export/{house.id}/")
    client.post(IMPORT, {"archive": SimpleUploadedFile("a.zip", b"nothing")})
    assert ArchiveJob.objects.count() == 0
    assert client.get("/admin/archives/archivejob/").status_code == 200
