"""Payments of the organisation that an operator looks into, and what gateways told of all of them."""

import json
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from apps.core.jobs import wake
from apps.core.money import format_minor
from apps.core.read_only import ReadOnlyAdmin, ReadOnlyInline
from apps.payments import inbox, tasks
from apps.payments.choices import GatewayEventStatus, PaymentStatus, RefundStatus
from apps.payments.models import GatewayEvent, Payment, Refund
from apps.tenancy.operator_admin import TenantModelAdmin
from apps.tenancy.operators import operator

PAYMENT_LABELS = {
    PaymentStatus.PENDING: "info",
    PaymentStatus.SUCCEEDED: "success",
    PaymentStatus.FAILED: "danger",
    PaymentStatus.CANCELED: "warning",
    PaymentStatus.PARTIALLY_REFUNDED: "warning",
    PaymentStatus.REFUNDED: "warning",
}
REFUND_LABELS = {RefundStatus.PENDING: "info", RefundStatus.SUCCEEDED: "success", RefundStatus.FAILED: "danger"}
EVENT_LABELS = {
    GatewayEventStatus.RECEIVED: "info",
    GatewayEventStatus.PROCESSED: "success",
    GatewayEventStatus.IGNORED: "warning",
    GatewayEventStatus.FAILED: "danger",
}


class RefundInline(ReadOnlyInline):
    """The refunds of a payment."""

    model = Refund
    fields: ClassVar = ["amount", "reason", "status", "requested_by", "failure_reason", "created_at"]
    readonly_fields: ClassVar = fields

    @display(description=_("amount"))
    def amount(self, refund: Refund) -> str:
        """The amount with its currency."""
        return format_minor(refund.amount_minor, refund.currency)


@admin.register(Payment)
class PaymentAdmin(TenantModelAdmin):
    """Payments with their refunds."""

    list_display: ClassVar = ["purpose_label", "payer_name", "amount", "refunded", "state", "method", "created_at"]
    list_filter: ClassVar = ["status", "gateway", "currency"]
    search_fields: ClassVar = ["purpose_label", "payer_name", "payer_email", "reference", "session_ref", "payment_ref"]
    ordering: ClassVar = ["-id"]
    inlines: ClassVar[list[Any]] = [RefundInline]
    show_full_result_count = False
    fieldsets: ClassVar = [
        (None, {"fields": ["purpose", "purpose_id", "purpose_label", "payer_name", "payer_email"]}),
        (_("Money"), {"fields": ["amount", "refunded", "fee", "status", "method", "reference", "succeeded_at"]}),
        (_("Failure"), {"fields": ["failure_code", "failure_reason"]}),
        (_("Gateway"), {"fields": ["gateway", "session_ref", "payment_ref", "session_expires_at", "next_check_at"]}),
        (_("Times"), {"fields": ["created_at", "updated_at"]}),
    ]
    readonly_fields: ClassVar = ["amount", "refunded", "fee"]

    @display(description=_("amount"), ordering="amount_minor")
    def amount(self, payment: Payment) -> str:
        """The amount with its currency."""
        return format_minor(payment.amount_minor, payment.currency)

    @display(description=_("refunded"), ordering="refunded_minor")
    def refunded(self, payment: Payment) -> str:
        """What went back, if anything."""
        return format_minor(payment.refunded_minor, payment.currency) if payment.refunded_minor else "–"

    @display(description=_("fee"))
    def fee(self, payment: Payment) -> str:
        """What the gateway keeps, once it has told."""
        if payment.fee_minor is None:
            return "–"
        return format_minor(payment.fee_minor, payment.fee_currency)

    @display(description=_("status"), label=PAYMENT_LABELS, ordering="status")
    def state(self, payment: Payment) -> tuple[str, str]:
        """The status as a coloured label."""
        return payment.status, payment.get_status_display()


@admin.register(Refund)
class RefundAdmin(TenantModelAdmin):
    """Refunds over all payments."""

    list_display: ClassVar = ["payment", "amount", "state", "reason", "requested_by", "created_at"]
    list_filter: ClassVar = ["status", "reason"]
    search_fields: ClassVar = ["payment__purpose_label", "requested_by", "refund_ref"]
    ordering: ClassVar = ["-id"]
    list_select_related: ClassVar = ["payment"]
    show_full_result_count = False

    @display(description=_("amount"), ordering="amount_minor")
    def amount(self, refund: Refund) -> str:
        """The amount with its currency."""
        return format_minor(refund.amount_minor, refund.currency)

    @display(description=_("status"), label=REFUND_LABELS, ordering="status")
    def state(self, refund: Refund) -> tuple[str, str]:
        """The status as a coloured label."""
        return refund.status, refund.get_status_display()


@admin.register(GatewayEvent)
class GatewayEventAdmin(ReadOnlyAdmin):
    """Everything that gateways told, and what became of it."""

    list_display: ClassVar = ["type", "event_id", "state", "attempts", "received_at", "processed_at"]
    list_filter: ClassVar = ["status", "provider", "type"]
    search_fields: ClassVar = ["event_id", "type", "tenant_id", "payment_id"]
    ordering: ClassVar = ["-id"]
    date_hierarchy = "received_at"
    show_full_result_count = False
    actions_detail: ClassVar = ["again_link"]
    fieldsets: ClassVar = [
        (None, {"fields": ["provider", "event_id", "type", "live", "occurred_at", "received_at"]}),
        (_("Processing"), {"fields": ["status", "attempts", "next_attempt_at", "processed_at", "last_error"]}),
        (_("Concerns"), {"fields": ["tenant_id", "payment_id"]}),
        (_("Payload"), {"fields": ["told"]}),
    ]
    readonly_fields: ClassVar = ["told"]

    @display(description=_("status"), label=EVENT_LABELS, ordering="status")
    def state(self, event: GatewayEvent) -> tuple[str, str]:
        """The status as a coloured label."""
        return event.status, event.get_status_display()

    @display(description=_("payload"))
    def told(self, event: GatewayEvent) -> SafeString:
        """The payload, laid out for reading."""
        return format_html('<pre class="overflow-x-auto text-xs">{}</pre>', json.dumps(event.payload, indent=2))

    @action(description=_("Process again"), icon="replay", permissions=["process_again"])
    def again_link(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """To the confirmation."""
        return HttpResponseRedirect(reverse("admin:payments_gatewayevent_again", args=[object_id]))

    def has_process_again_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Operators who may only read cannot act."""
        return bool(request.user.has_perm("payments.change_gatewayevent"))

    def get_urls(self) -> list[URLPattern]:
        """The confirmation before an event is processed again."""
        view = self.admin_site.admin_view(self.again)
        return [path("<uuid:event_row_id>/again/", view, name="payments_gatewayevent_again"), *super().get_urls()]

    def again(self, request: HttpRequest, event_row_id: UUID) -> HttpResponse:
        """GET asks, POST puts the event back into the queue."""
        if not self.has_process_again_permission(request):
            raise PermissionDenied
        event = GatewayEvent.objects.filter(pk=event_row_id).first()
        if event is None:
            raise Http404
        if request.method == "POST":
            with transaction.atomic():
                inbox.process_again(actor=operator(request), event_row_id=event.pk)
                wake(tasks.process_gateway_event, event.pk)
            messages.success(request, _("The event is processed again."))
            return HttpResponseRedirect(reverse("admin:payments_gatewayevent_change", args=[event.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Process again"),
            "subtitle": str(event),
            "event": event,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/payments/gatewayevent/again.html", context)
