"""Webhook endpoints and deliveries of the organisation that an operator looks into: looked at, disabled, replayed."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from apps.core.actor import Actor
from apps.core.errors import DomainError, PermissionRefused
from apps.core.read_only import ReadOnlyInline
from apps.tenancy.operator_admin import TenantModelAdmin
from apps.tenancy.operators import operator
from apps.webhooks import services
from apps.webhooks.models import Attempt, Delivery, DeliveryState, Endpoint
from apps.webhooks.selectors import PERMISSION

STATE_LABELS = {
    DeliveryState.PENDING: "info",
    DeliveryState.SENDING: "info",
    DeliveryState.SUCCEEDED: "success",
    DeliveryState.DEAD: "danger",
}


class ConfirmedAdmin(TenantModelAdmin):
    """Read-only but for actions that a form asks for; operators who may only read cannot act."""

    def act(self, request: HttpRequest, done: Any, change: Callable[[], Any]) -> None:
        """Carry `change` out and say so, or why not."""
        try:
            if not request.user.has_perm("tenancy.change_tenant"):
                raise PermissionRefused(str(_("Your role may only read.")))
            change()
        except DomainError as error:
            messages.error(request, error.detail)
        else:
            messages.success(request, done)

    def asked(self, request: HttpRequest, title: Any, subtitle: str, consequence: Any, back: str) -> HttpResponse:
        """The form that asks."""
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "subtitle": subtitle,
            "consequence": consequence,
            "back": back,
            "opts": self.opts,
        }
        return TemplateResponse(request, "webhooks/admin_confirm.html", context)


@admin.register(Endpoint)
class EndpointAdmin(ConfirmedAdmin):
    """Where the organisation's events go; nothing of a secret is here."""

    list_display: ClassVar = ["url", "description", "state", "failing_since", "disabled_at", "created_at"]
    list_filter: ClassVar = ["is_enabled", "disabled_reason"]
    search_fields: ClassVar = ["url", "description"]
    ordering: ClassVar = ["-id"]
    actions_detail: ClassVar = ["disable_link"]
    fields: ClassVar = [
        *("url", "description", "event_types", "is_enabled", "disabled_reason", "disabled_at", "failing_since"),
        *("created_at", "updated_at"),
    ]

    @display(description=_("status"), label={"active": "success", "failing": "warning", "disabled": "danger"})
    def state(self, endpoint: Endpoint) -> tuple[str, Any]:
        """Whether it is told, as a coloured label."""
        if not endpoint.is_enabled:
            return "disabled", _("Disabled")
        return ("failing", _("Failing")) if endpoint.failing_since else ("active", _("Active"))

    @action(description=_("Disable"), icon="pause_circle")
    def disable_link(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """To the confirmation."""
        return HttpResponseRedirect(reverse("admin:webhooks_endpoint_disable", args=[object_id]))

    def get_urls(self) -> list[URLPattern]:
        """The confirmation besides the usual."""
        view = self.admin_site.admin_view(self.disable)
        return [path("<uuid:endpoint_id>/disable/", view, name="webhooks_endpoint_disable"), *super().get_urls()]

    def disable(self, request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
        """GET asks, POST stops the calls."""
        endpoint = get_object_or_404(self.get_queryset(request), pk=endpoint_id)
        back = reverse("admin:webhooks_endpoint_change", args=[endpoint_id])
        if request.method != "POST":
            consequence = _("Its program is told nothing until a member enables it. What still waits is given up.")
            return self.asked(request, _("Disable"), endpoint.url, consequence, back)
        self.act(
            request,
            _("The endpoint is told nothing any more."),
            lambda: services.disable_endpoint(actor=_inside(request), endpoint_id=endpoint_id),
        )
        return HttpResponseRedirect(back)


class AttemptInline(ReadOnlyInline):
    """The attempts of a delivery."""

    model = Attempt
    ordering: ClassVar = ["number"]
    fields: ClassVar = ["number", "started_at", "duration_ms", "status", "error", "response_body"]
    readonly_fields: ClassVar = fields


@admin.register(Delivery)
class DeliveryAdmin(ConfirmedAdmin):
    """What endpoints are told, and what they answered."""

    list_display: ClassVar = ["event", "endpoint", "coloured_state", "attempts", "last_status", "created_at"]
    list_filter: ClassVar = ["state", "is_test"]
    list_select_related: ClassVar = ["message", "endpoint"]
    search_fields: ClassVar = ["message__type", "endpoint__url", "message__subject_id"]
    ordering: ClassVar = ["-id"]
    inlines: ClassVar[list[Any]] = [AttemptInline]
    show_full_result_count = False
    actions_detail: ClassVar = ["replay_link"]
    fieldsets: ClassVar = [
        (None, {"fields": ["event", "endpoint", "state", "attempts", "next_attempt_at", "completed_at"]}),
        (_("Last answer"), {"fields": ["last_status", "last_error"]}),
        (_("Payload"), {"fields": ["told"]}),
    ]
    readonly_fields: ClassVar = ["event", "told"]

    @display(description=_("event"), ordering="message__type")
    def event(self, delivery: Delivery) -> str:
        """Its type."""
        return delivery.message.type

    @display(description=_("state"), label=STATE_LABELS, ordering="state")
    def coloured_state(self, delivery: Delivery) -> tuple[str, str]:
        """The state as a coloured label."""
        return delivery.state, delivery.get_state_display()

    @display(description=_("payload"))
    def told(self, delivery: Delivery) -> SafeString:
        """What is sent, laid out for reading."""
        laid_out = json.dumps(json.loads(delivery.message.payload), indent=2, ensure_ascii=False)
        return format_html('<pre class="overflow-x-auto text-xs">{}</pre>', laid_out)

    @action(description=_("Replay"), icon="replay")
    def replay_link(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """To the confirmation."""
        return HttpResponseRedirect(reverse("admin:webhooks_delivery_replay", args=[object_id]))

    def get_urls(self) -> list[URLPattern]:
        """The confirmation besides the usual."""
        view = self.admin_site.admin_view(self.replay)
        return [path("<uuid:delivery_id>/replay/", view, name="webhooks_delivery_replay"), *super().get_urls()]

    def replay(self, request: HttpRequest, delivery_id: UUID) -> HttpResponse:
        """GET asks, POST sends again."""
        delivery = get_object_or_404(self.get_queryset(request), pk=delivery_id)
        back = reverse("admin:webhooks_delivery_change", args=[delivery_id])
        if request.method != "POST":
            consequence = _("It is sent again with all attempts. The event keeps its id, so that nothing counts twice.")
            return self.asked(request, _("Replay"), str(delivery.message), consequence, back)
        self.act(
            request,
            _("The event is sent again."),
            lambda: services.replay(actor=_inside(request), delivery_id=delivery_id),
        )
        return HttpResponseRedirect(back)


def _inside(request: Any) -> Actor:
    """The operator, who may here what he was let into the organisation for."""
    return replace(operator(request), tenant_id=request.operator_tenant.id, permissions=frozenset({PERMISSION}))
