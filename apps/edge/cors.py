"""Cross-origin calls of the API: from origins on a list, by tokens, never by cookies.

Source: https://fetch.spec.whatwg.org/#http-cors-protocol.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers

from apps.core import correlation, tracing

_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_READABLE = ", ".join(
    (
        *("RateLimit", "RateLimit-Policy", "Retry-After", "Idempotent-Replayed", "ETag", "Location", "Link"),
        *(correlation.HEADER, tracing.PARENT, "Content-Disposition", "WWW-Authenticate"),
    )
)
_SENDABLE = ", ".join(
    (
        *("Authorization", "Content-Type", "Accept", "Accept-Language", "Idempotency-Key", "If-Match", "If-None-Match"),
        *("X-Tenant-ID", correlation.HEADER, tracing.PARENT, tracing.STATE, "Signature", "Signature-Input"),
        "Content-Digest",
    )
)
_KEEP_SECONDS = "7200"


def preflight(request: HttpRequest) -> HttpResponse | None:
    """The answer to a browser that asks whether a page may make a call; None when this is no such question.

    It says yes to origins on the list for everything that the API takes, and nothing to others.
    """
    environ = request.META
    if request.method != "OPTIONS" or "HTTP_ACCESS_CONTROL_REQUEST_METHOD" not in environ:
        return None
    response = HttpResponse(status=204)
    if environ.get("HTTP_ORIGIN") in settings.CORS_ALLOWED_ORIGINS:
        response["Access-Control-Allow-Methods"] = _METHODS
        response["Access-Control-Allow-Headers"] = _SENDABLE
        response["Access-Control-Max-Age"] = _KEEP_SECONDS
    return response


def permit(request: HttpRequest, response: HttpResponseBase) -> None:
    """Let the calling page read an answer of the API, if its origin is on the list."""
    origin: str = request.META.get("HTTP_ORIGIN", "")
    patch_vary_headers(response, ("Origin",))
    if origin in settings.CORS_ALLOWED_ORIGINS:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Expose-Headers"] = _READABLE
