"""Exports of the workspace over REST."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.archives import selectors, services, tasks
from apps.archives.api.serializers import ExportAnswer
from apps.archives.models import ArchiveJob
from apps.archives.responses import sent
from apps.archives.selectors import ExportView
from apps.core.jobs import wake
from apps.core.rest.downloads import DownloadView
from apps.core.rest.listing import Listing
from apps.core.rest.views import ApiView
from apps.core.tenants import current_tenant_id
from apps.iam import stepping_up

_EXPORT: dict[str, Any] = {
    "id": "0199c0de-0000-7000-8000-000000000001",
    "status": "done",
    "progress": 100,
    "step": "",
    "error": "",
    "size": 1_250_000,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "requested_by": "ada@example.com",
    "is_downloadable": True,
    "created_at": "2026-03-31T09:28:11Z",
    "finished_at": "2026-03-31T09:28:14Z",
    "expires_at": "2026-04-03T09:28:14Z",
}


class ExportsView(ApiView):
    """The workspace's exports."""

    permissions: ClassVar = {"GET": "tenant:export", "POST": "tenant:export"}
    # Whoever is suspended may still take his data along.
    writes_when_suspended = True
    listing = Listing(ExportAnswer, "A page of exports.")

    @extend_schema(
        operation_id="exports_list",
        summary="List exports of the workspace",
        tags=["tenant"],
        responses=listing.page,
    )
    def get(self, request: Request) -> Response:
        """A page of exports, newest first."""
        page = selectors.list_exports(actor=self.actor, page=self.page_request())
        return self.listed(page, _present_row)

    @extend_schema(
        operation_id="exports_create",
        summary="Export everything of the workspace",
        description=(
            "Queues one archive with all tables and files (docs/archive-format.md). Poll the answer's `Location` until "
            "`status` is `done`, then download. One export at a time; another is 409."
        ),
        tags=["tenant"],
        request=None,
        responses={202: ExportAnswer},
    )
    def post(self, request: Request) -> Response:
        """Queue an export."""
        stepping_up.require_recent(request)
        made = services.request_export(actor=self.actor, tenant_id=current_tenant_id())
        wake(tasks.run_job, made.id)
        location = f"{request.path.rstrip('/')}/{made.id}"
        return Response(_present(made), status=status.HTTP_202_ACCEPTED, headers={"Location": location})


class ExportDetailView(ApiView):
    """One export."""

    permissions: ClassVar = {"GET": "tenant:export"}

    @extend_schema(
        operation_id="exports_retrieve",
        summary="Read an export and its progress",
        tags=["tenant"],
        responses=ExportAnswer,
        examples=[OpenApiExample("Ready", _EXPORT, response_only=True)],
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        """How far it is, and whether it can be downloaded."""
        return Response(_present(selectors.get_export(actor=self.actor, job_id=job_id)))


class ExportDownloadView(DownloadView):
    """The file of one export."""

    permissions: ClassVar = {"GET": "tenant:export"}
    own_transactions = True
    media_type = "application/zip"

    @extend_schema(
        operation_id="exports_download",
        summary="Download an export's archive",
        description="Every download is in the audit trail. 404 once the file's time is over, 409 until it is ready.",
        tags=["tenant"],
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, job_id: UUID) -> FileResponse:
        """The archive, streamed."""
        stepping_up.require_recent(request)
        return sent(services.open_download(actor=self.actor, tenant_id=current_tenant_id(), job_id=job_id))


def _present(export: ExportView) -> dict[str, Any]:
    names = [name for name in ExportView.__dataclass_fields__ if name != "status_label"]
    shown = {name: getattr(export, name) for name in names}
    return shown | {"status": export.status.lower(), "is_downloadable": export.is_downloadable}


def _present_row(job: ArchiveJob) -> dict[str, Any]:
    return _present(selectors.export_view(job))
