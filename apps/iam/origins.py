"""Where a request came from, believing only the proxies that are configured."""

from typing import cast

from django.http import HttpRequest

from apps.core import correlation
from apps.core.actor import Origin
from apps.core.pages import PageRequest
from apps.edge.services import client_ip

__all__ = ["client_ip", "known_origin", "origin_of"]


def known_origin(request: HttpRequest) -> Origin:
    """The origin that the workspace middleware found."""
    return cast(PageRequest, request).origin


def origin_of(request: HttpRequest, source: str) -> Origin:
    """The request's origin for the audit trail; `source` is ``WEB`` or ``API``."""
    environ = request.META
    return Origin(
        source=source,
        ip=client_ip(environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", "")),
        user_agent=environ.get("HTTP_USER_AGENT", "").replace("\x00", "")[:300],
        correlation_id=correlation.current(),
    )
