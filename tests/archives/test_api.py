"""Owners export and download by API and page; nobody else does."""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.archives import storage
from apps.archives.models import ArchiveJob
from apps.archives.services import run_job
from apps.audit.models import AuditEntry
from apps.core.actor import system
from apps.tenancy import services as tenancy
from apps.tenancy.selectors import TenantView
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.fixtures.tenants import NewTenant

EXPORTS = "/api/v1/tenant/exports"


@pytest.fixture
def house(committed: NewTenant, settings: Any, tmp_path: Path) -> Iterator[TenantView]:
    settings.ARCHIVE_WORK_DIR = str(tmp_path / "work")
    yield committed("Archive House")
    for job in ArchiveJob.objects.all():
        storage.remove(job.storage_key)
    ArchiveJob.objects.all().delete()


def actions(tenant: TenantView) -> list[str]:
    trail = AuditEntry.objects.filter(tenant_id=tenant.id, action__startswith="archives.")
    return list(trail.order_by("id").values_list("action", flat=True))


def test_an_owner_exports_and_downloads(house: TenantView, api: ApiFor, committed: NewTenant) -> None:
    owner = api(house)
    made = owner.post(EXPORTS)
    assert made.status_code == 202 and made.json()["status"] == "pending"
    place = made["Location"]
    again = owner.post(EXPORTS)
    assert (again.status_code, again.json()["code"]) == (409, "export_running")
    early = owner.get(f"{place}/download")
    assert (early.status_code, early.json()["code"]) == (409, "archive_not_ready")
    assert run_job(job_id=made.json()["id"])
    done = owner.get(place).json()
    assert (done["status"], done["progress"], done["is_downloadable"]) == ("done", 100, True)
    answer = owner.get(f"{place}/download")
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert answer["Content-Type"] == "application/zip" and int(answer["Content-Length"]) == len(content)
    assert hashlib.sha256(content).hexdigest() == done["sha256"]
    assert "tables/invoices_invoice.csv" in zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert [item["id"] for item in owner.get(EXPORTS).json()["data"]] == [done["id"]]
    assert actions(house) == ["archives.export.request", "archives.export.download"]
    other = api(committed("Next Door"))
    assert other.get(place).status_code == other.get(f"{place}/download").status_code == 404
    assert other.get(EXPORTS).json()["data"] == []
    admin = api(house, "ADMIN")
    assert {admin.get(EXPORTS).status_code, admin.post(EXPORTS).status_code, admin.get(place).status_code} == {403}


def test_whoever_is_suspended_may_take_his_data_along(house: TenantView, api: ApiFor) -> None:
    tenancy.suspend_tenant(actor=system(house.id), tenant_id=house.id, reason="unpaid")
    made = api(house).post(EXPORTS)
    assert made.status_code == 202 and run_job(job_id=made.json()["id"])


def test_the_page_shows_how_far_it_is(house: TenantView, browser_client: BrowserFor) -> None:
    owner = browser_client(house)
    assert b"No exports yet" in owner.get("/settings/data/").content
    assert owner.post("/settings/data/new/").status_code == 302
    waiting = owner.get("/settings/data/").content
    assert b'hx-trigger="every 1s"' in waiting and b"<progress" in waiting
    job = ArchiveJob.objects.get(tenant_id=house.id)
    assert run_job(job_id=job.id)
    ready = owner.get("/settings/data/", headers={"HX-Request": "true"}).content
    assert b"hx-trigger" not in ready and f"/settings/data/{job.id}/download/".encode() in ready
    answer = owner.get(f"/settings/data/{job.id}/download/")
    assert answer["Content-Disposition"].startswith(f'attachment; filename="insula-{house.key}-')
    assert b"".join(answer.streaming_content).startswith(b"PK")  # type: ignore[attr-defined]
