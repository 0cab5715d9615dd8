"""What every template gets: who is looking, at which workspace, in which theme."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from apps.iam import pages as iam
from apps.invoices import selectors as invoices
from apps.notifications import selectors as notifications


def shell(request: HttpRequest) -> dict[str, Any]:
    """Cheap values at once, counted ones only when a template asks."""
    context: dict[str, Any] = {"platform_url": settings.PLATFORM_URL, **iam.shell(request)}
    actor = getattr(request, "actor", None)
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
