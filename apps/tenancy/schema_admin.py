"""The operators' page of all schemas' health, and their two actions on it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.jobs import wake
from apps.core.read_only import ReadOnlyAdmin
from apps.core.tenants import public_scope
from apps.tenancy import operators, tasks
from apps.tenancy.models import SchemaReport, Tenant
from apps.tenancy.operator_admin import ReasonForm
from apps.tenancy.schema_health import schema_health


class SchemaHealthAdmin(ReadOnlyAdmin):
    """One page instead of a list of rows."""

    def get_urls(self) -> list[URLPattern]:
        """The page and the confirmations of its actions."""
        view = self.admin_site.admin_view
        return [
            path("", view(self.health), name="tenancy_schemareport_changelist"),
            path("check/", view(self.compare), name="tenancy_schemareport_check"),
            path("<uuid:tenant_id>/migrate/", view(self.migrate), name="tenancy_schemareport_migrate"),
        ]

    def health(self, request: HttpRequest) -> HttpResponse:
        """Everything at a glance.

        Raises:
            PermissionDenied: not an operator.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        with public_scope():
            found = schema_health()
        return self._page(request, "health", title=_("Schema health"), health=found, may_act=_may_act(request))

    def migrate(self, request: HttpRequest, tenant_id: UUID) -> HttpResponse:
        """GET asks, POST queues the migration of one organisation's schema."""
        tenant = get_object_or_404(Tenant, pk=tenant_id)
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            _require(request)
            with public_scope(), transaction.atomic():
                audit.record(
                    actor=operators.operator(request),
                    action="tenancy.schema.migrate",
                    entity_type="tenant",
                    entity_id=tenant.id,
                    entity_label=tenant.name,
                    after={"schema": tenant.schema_name, "reason": form.cleaned_data["reason"]},
                    severity=Severity.MEDIUM,
                    tenant_id=tenant.id,
                )
                wake(tasks.migrate_tenant, tenant.key)
            messages.success(request, _("The migration of %(name)s is queued.") % {"name": tenant.name})
            return HttpResponseRedirect(reverse("admin:tenancy_schemareport_changelist"))
        report = SchemaReport.objects.filter(schema_name=tenant.schema_name).first()
        return self._page(
            request,
            "migrate",
            title=_("Migrate again"),
            subtitle=tenant.name,
            form=form,
            failure=report.failure if report else "",
        )

    def compare(self, request: HttpRequest) -> HttpResponse:
        """POST compares the schemas whose turn it is with the template, in the background."""
        if request.method == "POST":
            _require(request)
            with public_scope(), transaction.atomic():
                audit.record(
                    actor=operators.operator(request),
                    action="tenancy.schema.check",
                    entity_type="platform",
                    entity_id="schemas",
                    entity_label="",
                )
                wake(tasks.check_schemas)
            messages.success(request, _("The comparison is queued."))
        return HttpResponseRedirect(reverse("admin:tenancy_schemareport_changelist"))

    def _page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        every = self.admin_site.each_context(request)
        context = {**every, "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/tenancy/schemas/{template}.html", context)


def _may_act(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("tenancy.change_tenant"))


def _require(request: HttpRequest) -> None:
    if not _may_act(request):
        raise PermissionDenied
