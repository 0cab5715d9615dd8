"""Organisations in the operators' admin, and what the other apps' admins are made of."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from apps.core.errors import DomainError, PermissionRefused
from apps.core.read_only import ReadOnlyAdmin, ReadOnlyInline
from apps.tenancy import operator_verbs, operators
from apps.tenancy.models import Domain, SchemaReport, Tenant, TenantStatus
from apps.tenancy.operator_admin import ReasonForm
from apps.tenancy.schema_admin import SchemaHealthAdmin

admin.site.register(SchemaReport, SchemaHealthAdmin)

STATUS_LABELS = {
    TenantStatus.ACTIVE: "success",
    TenantStatus.PROVISIONING: "info",
    TenantStatus.SUSPENDED: "warning",
    TenantStatus.PROVISIONING_FAILED: "danger",
    TenantStatus.DELETED: "danger",
}


class DomainInline(ReadOnlyInline):
    """The hosts that lead to an organisation."""

    model = Domain
    fields: ClassVar = ["domain", "is_primary"]


@admin.register(Tenant)
class TenantAdmin(ReadOnlyAdmin):
    """Organisations: where they stand, and the operators' actions on them."""

    list_display: ClassVar = ["name", "state", "slug", "key", "currency", "created_at"]
    list_filter: ClassVar = ["status", "currency"]
    search_fields: ClassVar = ["name", "slug", "key", "email"]
    ordering: ClassVar = ["-created_at"]
    inlines: ClassVar[list[Any]] = [DomainInline]
    actions_detail: ClassVar = [
        "enter_link",
        "export_link",
        "suspend_link",
        "reactivate_link",
        "retry_link",
        "restore_link",
        "delete_link",
    ]
    fieldsets: ClassVar = [
        (None, {"fields": ["name", "status", "status_reason", "key", "slug", "created_at"]}),
        (_("Address"), {"fields": ["legal_name", "address", "tax_id", "email"]}),
        (_("Settings"), {"fields": ["time_zone", "locale", "currency"]}),
        (_("Schema"), {"fields": ["schema_name", "schema_version", "provisioning_step", "provisioning_started_at"]}),
    ]

    @display(description=_("status"), label=STATUS_LABELS, ordering="status")
    def state(self, tenant: Tenant) -> tuple[str, str]:
        """The status as a coloured label."""
        return tenant.status, tenant.get_status_display()

    @action(description=_("Look inside"), icon="login")
    def enter_link(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """To the confirmation."""
        return self._confirmation(object_id, "enter")

    @action(description=_("Export data"), icon="archive")
    def export_link(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """To the archives' confirmation."""
        return HttpResponseRedirect(reverse("admin:archives_archivejob_export", args=[object_id]))

    @action(description=_("Suspend"), icon="pause_circle")
    def suspend_link(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """To the confirmation."""
        return self._confirmation(object_id, "suspend")

    @action(description=_("Reactivate"), icon="play_circle")
    def reactivate_link(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """To the confirmation."""
        return self._confirmation(object_id, "reactivate")

    @action(description=_("Restore"), icon="restore_from_trash")
    def restore_link(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """To the confirmation."""
        return self._confirmation(object_id, "restore")

    @action(description=_("Delete"), icon="delete")
    def delete_link(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """To the confirmation."""
        return self._confirmation(object_id, "delete")

    @action(description=_("Retry provisioning"), icon="restart_alt")
    def retry_link(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """To the confirmation."""
        return self._confirmation(object_id, "retry")

    def get_urls(self) -> list[URLPattern]:
        """The confirmation of each action, and the way out of a tenant."""
        own = [
            path(
                "<uuid:tenant_id>/confirm/<str:verb>/",
                self.admin_site.admin_view(self.confirm),
                name="tenancy_tenant_confirm",
            ),
            path("leave/", self.admin_site.admin_view(self.leave), name="tenancy_tenant_leave"),
        ]
        urls: list[URLPattern] = super().get_urls()
        return own + urls

    def confirm(self, request: HttpRequest, tenant_id: UUID, verb: str) -> HttpResponse:
        """GET asks with the consequence, POST acts; operators who may only read cannot act."""
        tenant = get_object_or_404(Tenant, pk=tenant_id)
        chosen = operator_verbs.verbs().get(verb)
        if chosen is None:
            return HttpResponseRedirect(reverse("admin:tenancy_tenant_changelist"))
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                if verb != "enter" and not request.user.has_perm("tenancy.change_tenant"):
                    raise PermissionRefused(str(_("Your role may only read.")))
                chosen.act(request, tenant, form.cleaned_data["reason"])
            except DomainError as error:
                messages.error(request, error.detail)
            else:
                messages.success(request, f"{chosen.label}: {tenant.name}")
                if verb == "enter":
                    return HttpResponseRedirect(reverse("admin:invoices_invoice_changelist"))
            return HttpResponseRedirect(reverse("admin:tenancy_tenant_change", args=[tenant_id]))
        context = {
            **self.admin_site.each_context(request),
            "title": chosen.label,
            "subtitle": tenant.name,
            "consequence": chosen.consequence,
            "tenant": tenant,
            "form": form,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/tenancy/tenant/confirm.html", context)

    def leave(self, request: HttpRequest) -> HttpResponse:
        """POST ends the look inside."""
        if request.method == "POST":
            operators.leave(request)
            return HttpResponseRedirect(reverse("admin:tenancy_tenant_changelist"))
        context = {**self.admin_site.each_context(request), "title": _("Leave the organisation"), "opts": self.opts}
        return TemplateResponse(request, "admin/tenancy/tenant/leave.html", context)

    def _confirmation(self, tenant_id: UUID, verb: str) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:tenancy_tenant_confirm", args=[tenant_id, verb]))
