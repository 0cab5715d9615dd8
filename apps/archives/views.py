"""Pages: the owner exports everything and downloads it."""

from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.archives import selectors, services, tasks
from apps.archives.errors import ExportRunning
from apps.archives.responses import sent
from apps.core.jobs import wake
from apps.core.pages import PageRequest, page
from apps.core.rest.paging import PageRequest as Window
from apps.core.serving import served
from apps.iam import stepping_up

_SHOWN = 10


@require_GET
@page("tenant:export")
def exports(request: PageRequest) -> HttpResponse:
    """What an export holds, the latest ones, and the button for another; htmx asks for the list alone."""
    found = selectors.list_exports(actor=request.actor, page=Window(limit=_SHOWN))
    rows = [selectors.export_view(job) for job in found.rows]
    context = {
        "nav": "settings",
        "tab": "data",
        "exports": rows,
        "is_running": any(row.is_running for row in rows),
    }
    return render(request, "archives/_exports.html" if request.htmx else "archives/exports.html", context)


@served("writes_when_suspended")
@require_POST
@page("tenant:export")
def create(request: PageRequest) -> HttpResponse:
    """Queue an export."""
    stepping_up.require_recent(request)
    try:
        made = services.request_export(actor=request.actor, tenant_id=request.tenant.id)
    except ExportRunning:
        messages.info(request, _("An export is being prepared already."))
    else:
        wake(tasks.run_job, made.id)
        messages.success(request, _("The export is being prepared. You can leave this page."))
    return HttpResponseRedirect(reverse("archives:exports"))


@require_GET
@page("tenant:export")
def download(request: PageRequest, job_id: UUID) -> FileResponse:
    """The archive, streamed."""
    stepping_up.require_recent(request)
    found = services.open_download(actor=request.actor, tenant_id=request.tenant.id, job_id=job_id)
    return sent(found)
