"""Where a request came from, believing only the proxies that are configured."""

from django.http import HttpRequest

from apps.core import correlation
from apps.core.actor import Origin
from apps.edge.services import client_ip

__all__ = ["client_ip", "origin_of"]


def origin_of(request: HttpRequest, source: str) -> Origin:
    """The request's origin for the audit trail; `source` is ``WEB`` or ``API``."""
    environ = request.META
    return Origin(
        source=source,
        ip=client_ip(environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", "")),
        user_agent=environ.get("HTTP_USER_AGENT", "").replace("\x00", "")[:300],
        correlation_id=correlation.current(),
    )
