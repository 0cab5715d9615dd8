"""What every template gets: who is looking, at which workspace, in which theme."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from apps.iam import pages as iam
from apps.invoices import selectors as invoices
from apps.notifications import selectors as notifications
from apps.tenancy import brands, hosts, rollout, tabs


def shell(request: HttpRequest) -> dict[str, Any]:
    """Cheap values at once, counted ones only when a template asks."""
    context: dict[str, Any] = {
        "platform_url": settings.PLATFORM_URL,
        "is_single": rollout.is_single(),
        **iam.shell(request),
    }
    actor = getattr(request, "actor", None)
    if tenant := getattr(request, "tenant", None):
        host = hosts.of_request(request.get_host()) or ""
        context["brand"] = SimpleLazyObject(lambda: brands.brand_for_host(tenant, host))
        context["settings_tabs"] = SimpleLazyObject(lambda: tabs.tabs_for(actor))
    if actor is None or actor.tenant_id is None:
        return context
    return context | {
        "unread_count": SimpleLazyObject(lambda: notifications.unread_count(actor=actor)),
        "notification_cursor": SimpleLazyObject(lambda: notifications.cursor(actor=actor)),
        "overdue_count": SimpleLazyObject(lambda: invoices.overdue_count(actor=actor)),
        "realtime_url": _realtime_url(request),
    }


def _realtime_url(request: HttpRequest) -> str:
    scheme = "wss" if settings.PUBLIC_SCHEME == "https" else "ws"
    host = request.get_host()
    if settings.REALTIME_PORT:
        host = f"{host.rsplit(':', 1)[0]}:{settings.REALTIME_PORT}"
    return f"{scheme}://{host}"
