"""``/metrics``: this machine's figures, for the scraper alone."""

import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from apps.core.figures import registry
from apps.edge.hygiene import came_directly
from apps.edge.proxies import is_within


def figures() -> bytes:
    """The figures in the scraper's format."""
    return generate_latest(registry())


def metrics(request: HttpRequest) -> HttpResponse:
    """The figures, or 403 for who may not read them (``METRICS_TOKEN``, ``METRICS_NETWORKS``)."""
    if not _may_read(request):
        return HttpResponse("These figures are for the scraper.\n", status=403, content_type="text/plain")
    return HttpResponse(figures(), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


def _may_read(request: HttpRequest) -> bool:
    environ = request.META
    given = environ.get("HTTP_AUTHORIZATION", "").encode("latin1", "replace")
    if settings.METRICS_TOKEN and hmac.compare_digest(given, f"Bearer {settings.METRICS_TOKEN}".encode()):
        return True
    return came_directly(environ) and is_within(environ.get("REMOTE_ADDR", ""), tuple(settings.METRICS_NETWORKS))
