"""Exports and imports in the operators' admin: where each stands, and the way in for an archive."""

from typing import ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from apps.archives import services, tasks
from apps.archives.models import ArchiveJob, JobKind, JobStatus
from apps.archives.responses import sent
from apps.core.errors import DomainError
from apps.core.jobs import wake
from apps.core.read_only import ReadOnlyAdmin
from apps.core.tenants import public_scope
from apps.tenancy import operators, selectors

STATUS_LABELS = {
    JobStatus.PENDING: "info",
    JobStatus.RUNNING: "info",
    JobStatus.DONE: "success",
    JobStatus.FAILED: "danger",
    JobStatus.EXPIRED: "warning",
}


class ImportForm(forms.Form):
    """An archive, and what the organisation is to be called here if its own name is taken."""

    archive = forms.FileField(label=_("Archive"))
    name = forms.CharField(label=_("Name"), max_length=100, required=False)
    slug = forms.SlugField(label=_("Sub-domain"), max_length=50, required=False)


@admin.register(ArchiveJob)
class ArchiveJobAdmin(ReadOnlyAdmin):
    """Exports and imports over all organisations."""

    list_display: ClassVar = [
        "created_at",
        "kind",
        "tenant_name",
        "coloured_status",
        "progress",
        "bytes",
        "requested_by",
    ]
    list_filter: ClassVar = ["kind", "status"]
    search_fields: ClassVar = ["tenant_name", "tenant_key", "requested_by"]
    ordering: ClassVar = ["-id"]
    actions_list: ClassVar = ["import_link"]
    actions_detail: ClassVar = ["download_link"]
    fieldsets: ClassVar = [
        (None, {"fields": ["kind", "status", "progress", "step", "error", "notes"]}),
        (_("Organisation"), {"fields": ["tenant_name", "tenant_key", "tenant_id", "wanted_name", "wanted_slug"]}),
        (_("File"), {"fields": ["bytes", "sha256", "expires_at"]}),
        (_("Work"), {"fields": ["requested_by", "created_at", "started_at", "finished_at", "attempts", "lease_until"]}),
    ]
    readonly_fields: ClassVar = ["bytes"]

    @display(description=_("status"), label=STATUS_LABELS, ordering="status")
    def coloured_status(self, job: ArchiveJob) -> tuple[str, str]:
        """The status as a coloured label."""
        return job.status, job.get_status_display()

    @display(description=_("size"), ordering="size")
    def bytes(self, job: ArchiveJob) -> str:
        """The size for people."""
        return filesizeformat(job.size) if job.size else ""

    @action(description=_("Import an archive"), icon="upload")
    def import_link(self, request: HttpRequest) -> HttpResponse:
        """To the form."""
        return HttpResponseRedirect(reverse("admin:archives_archivejob_import"))

    @action(description=_("Download"), icon="download")
    def download_link(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """To the confirmation: a download is in the tenant's audit trail."""
        return HttpResponseRedirect(reverse("admin:archives_archivejob_download", args=[object_id]))

    def get_urls(self) -> list[URLPattern]:
        """Export, import and download besides the usual."""
        view = self.admin_site.admin_view
        own = [
            path("import/", view(self.import_archive), name="archives_archivejob_import"),
            path("export/<uuid:tenant_id>/", view(self.export), name="archives_archivejob_export"),
            path("<uuid:job_id>/download/", view(self.download), name="archives_archivejob_download"),
        ]
        return [*own, *super().get_urls()]

    def import_archive(self, request: HttpRequest) -> HttpResponse:
        """GET shows the form, POST stores the upload and queues its import."""
        form = ImportForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                job_id = services.request_import(
                    actor=operators.operator(request),
                    upload=form.cleaned_data["archive"],
                    name=form.cleaned_data["name"],
                    slug=form.cleaned_data["slug"],
                )
            except DomainError as error:
                messages.error(request, error.detail)
            else:
                wake(tasks.run_job, job_id)
                messages.success(request, _("The import is queued. This page shows how far it is."))
                return HttpResponseRedirect(reverse("admin:archives_archivejob_change", args=[job_id]))
        context = {"title": _("Import an archive"), "form": form, "multipart": True}
        return self._page(request, "archives/admin_form.html", context)

    def export(self, request: HttpRequest, tenant_id: UUID) -> HttpResponse:
        """GET asks, POST queues an export of one organisation."""
        tenant = selectors.tenant_by_id(tenant_id)
        if request.method == "POST":
            try:
                made = services.request_export(actor=operators.operator(request), tenant_id=tenant_id)
            except DomainError as error:
                messages.error(request, error.detail)
                return HttpResponseRedirect(reverse("admin:tenancy_tenant_change", args=[tenant_id]))
            wake(tasks.run_job, made.id)
            messages.success(request, _("The export is queued. This page shows how far it is."))
            return HttpResponseRedirect(reverse("admin:archives_archivejob_change", args=[made.id]))
        context = {
            "title": _("Export data"),
            "subtitle": tenant.name,
            "consequence": _("One archive with everything of this organisation. It reads of it in its audit trail."),
        }
        return self._page(request, "archives/admin_form.html", context)

    def download(self, request: HttpRequest, job_id: UUID) -> HttpResponseBase:
        """GET asks, POST streams the archive."""
        job = get_object_or_404(ArchiveJob, pk=job_id, kind=JobKind.EXPORT)
        if request.method == "POST" and job.tenant_id:
            try:
                with public_scope():
                    found = services.open_download(
                        actor=operators.operator(request), tenant_id=job.tenant_id, job_id=job_id
                    )
            except DomainError as error:
                messages.error(request, error.detail)
                return HttpResponseRedirect(reverse("admin:archives_archivejob_change", args=[job_id]))
            return sent(found)
        context = {
            "title": _("Download"),
            "subtitle": job.tenant_name,
            "consequence": _("The archive holds everything of this organisation. It reads of it in its audit trail."),
        }
        return self._page(request, "archives/admin_form.html", context)

    def _page(self, request: HttpRequest, template: str, context: dict[str, object]) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, template, whole)
