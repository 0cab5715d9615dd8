"""E-mail deliveries in the operators' admin: where each stands, and another try for those that failed."""

from typing import ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from apps.core.errors import DomainError, PermissionRefused
from apps.core.jobs import wake
from apps.core.read_only import ReadOnlyAdmin
from apps.notifications import services, tasks
from apps.notifications.models import DeliveryState, EmailDelivery, Notification
from apps.tenancy import operators

STATE_LABELS = {
    DeliveryState.QUEUED: "info",
    DeliveryState.SENDING: "info",
    DeliveryState.SENT: "success",
    DeliveryState.FAILED: "danger",
}


@admin.register(EmailDelivery)
class EmailDeliveryAdmin(ReadOnlyAdmin):
    """The delivery log over all organisations. `context` stays out of it: it holds customers' private links."""

    list_display: ClassVar = ["created_at", "to", "subject", "coloured_state", "attempts", "next_attempt_at", "sent_at"]
    list_filter: ClassVar = ["state", "template"]
    search_fields: ClassVar = ["to", "subject", "tenant_id", "related_id"]
    ordering: ClassVar = ["-id"]
    show_full_result_count = False
    actions_detail: ClassVar = ["retry_link"]
    fieldsets: ClassVar = [
        (None, {"fields": ["to", "subject", "state", "attempts", "next_attempt_at", "sent_at", "last_error"]}),
        (_("Message"), {"fields": ["template", "locale", "from_name", "reply_to", "attachment_name"]}),
        (_("About"), {"fields": ["tenant_id", "related_type", "related_id", "dedupe_key", "created_at"]}),
    ]

    @display(description=_("state"), label=STATE_LABELS, ordering="state")
    def coloured_state(self, row: EmailDelivery) -> tuple[str, str]:
        """The state as a coloured label."""
        return row.state, row.get_state_display()

    @action(description=_("Send again"), icon="forward_to_inbox")
    def retry_link(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """To the confirmation."""
        return HttpResponseRedirect(reverse("admin:notifications_emaildelivery_retry", args=[object_id]))

    def get_urls(self) -> list[URLPattern]:
        """The confirmation besides the usual."""
        own = path(
            "<uuid:delivery_id>/retry/",
            self.admin_site.admin_view(self.retry),
            name="notifications_emaildelivery_retry",
        )
        return [own, *super().get_urls()]

    def retry(self, request: HttpRequest, delivery_id: UUID) -> HttpResponse:
        """GET asks, POST queues the e-mail anew; operators who may only read cannot."""
        row = get_object_or_404(EmailDelivery, pk=delivery_id)
        if request.method == "POST":
            try:
                self._retry(request, delivery_id)
            except DomainError as error:
                messages.error(request, error.detail)
            else:
                messages.success(request, _("The e-mail is on its way again."))
            return HttpResponseRedirect(reverse("admin:notifications_emaildelivery_change", args=[delivery_id]))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Send again"),
            "subtitle": str(row),
            "delivery": row,
            "opts": self.opts,
        }
        return TemplateResponse(request, "notifications/admin_retry.html", context)

    def _retry(self, request: HttpRequest, delivery_id: UUID) -> None:
        if not request.user.has_perm("notifications.change_emaildelivery"):
            raise PermissionRefused(str(_("Your role may only read.")))
        services.retry_email(actor=operators.operator(request), delivery_id=delivery_id)
        wake(tasks.deliver_email, delivery_id)


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """What people were told, over all organisations."""

    list_display: ClassVar = ["created_at", "kind", "title", "user_id", "tenant_id", "read_at"]
    list_filter: ClassVar = ["kind", "level"]
    search_fields: ClassVar = ["title", "tenant_id", "user_id"]
    ordering: ClassVar = ["-id"]
    show_full_result_count = False
