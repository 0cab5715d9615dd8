"""The edge itself: around everything else, so that every route has it without a line of its own."""

import base64
import os
from collections.abc import Callable
from http import HTTPStatus
from time import perf_counter
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpResponse, HttpResponseBase
from django.middleware.security import SecurityMiddleware
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.functional import SimpleLazyObject

from apps.core import correlation, logs, tracing
from apps.core.errors import BodyTooLarge, DomainError
from apps.core.pages_only import BODILESS
from apps.core.rest import problems
from apps.edge import bodies, cors, hygiene, metrics
from apps.edge.errors import HttpsRequired
from apps.edge.policies import API_PREFIX, Policies
from apps.edge.proxies import client_ip, is_within


class EdgeMiddleware:
    """Headers, ids, limits, policies, figures and the log line of every answer; stands first.

    In the order of a request: what only we may say is taken off it, it gets its ids, what must not go on is refused;
    the answer gets its headers, is counted and written down. Costs 20 µs, the line 30 more.
    """

    sync_capable, async_capable = True, False

    def __init__(self, get_response: Callable[[Any], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._policies = Policies.from_settings()
        self._proxies = tuple(settings.TRUSTED_PROXIES)
        self._allows_origins = bool(settings.CORS_ALLOWED_ORIGINS)
        self._redirects = SecurityMiddleware(get_response) if settings.SECURE_SSL_REDIRECT else None
        self._asks_scheme = bool(settings.SECURE_HSTS_SECONDS or settings.SECURE_SSL_REDIRECT)

    def __call__(self, request: Any) -> HttpResponseBase:
        """Answer one request."""
        started = perf_counter()
        environ = request.META
        hygiene.strip(environ, believes_peer=is_within(environ.get("REMOTE_ADDR", ""), self._proxies))
        correlation_id = correlation.bind(environ.get("HTTP_X_CORRELATION_ID"))
        span = tracing.bind(environ.get("HTTP_TRACEPARENT"), environ.get("HTTP_TRACESTATE"))
        request.csp_nonce = SimpleLazyObject(lambda: _nonce(request))
        logs.work_on(request)
        metrics.began()
        try:
            response = self._refuse(request) or self.get_response(request)
            is_secure = self._asks_scheme and request.is_secure()
            if isinstance(response, HttpResponse) and response.status_code not in BODILESS:
                response.headers.setdefault("Content-Length", str(len(response.content)))
            self._policies.apply(request, response, is_secure=is_secure)
            if self._allows_origins and request.path_info.startswith(API_PREFIX):
                cors.permit(request, response)
            response.headers[correlation.HEADER] = correlation_id
            response.headers[tracing.PARENT] = span.header
            self._note(request, response.status_code, started)
            return response
        except BaseException:
            # Nothing below lets an exception through, save those that end the process.
            self._note(request, 500, started)
            raise
        finally:
            logs.work_on(None)

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        """The few bodies that may be longer than usual are operators'; nothing has read any of it yet."""
        if bodies.is_exceptional(request.META) and not getattr(request.user, "is_staff", False):
            return _answer(request, BodyTooLarge())
        return None

    def _refuse(self, request: Any) -> HttpResponseBase | None:
        if (error := bodies.refusal(request.META, request.path_info)) is not None:
            return _answer(request, error)
        is_api = request.path_info.startswith(API_PREFIX)
        if self._redirects is not None and not request.is_secure():
            try:
                elsewhere = self._redirects.process_request(request)
            except DisallowedHost:
                return None  # refused further in, in the shape of all refusals
            if elsewhere is not None:
                # A program would go on sending its token in the clear before each redirect, and never notice.
                return _answer(request, HttpsRequired()) if is_api else elsewhere
        return cors.preflight(request) if is_api else None

    def _note(self, request: Any, status: int, started: float) -> None:
        seconds = perf_counter() - started
        tenant = getattr(request, "tenant", None)
        metrics.answered(
            route=logs.route_of(request),
            method=request.method,
            status=status,
            seconds=seconds,
            tenant=tenant.key if tenant is not None else None,
        )
        environ = request.META
        ip = client_ip(environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", ""))
        logs.access(request, status=status, seconds=seconds, ip=ip)


def _nonce(request: Any) -> str:
    nonce: str | None = getattr(request, "_csp_nonce", None)
    if nonce is None:
        nonce = request._csp_nonce = base64.b64encode(os.urandom(16)).decode()
    return nonce


def _answer(request: Any, error: DomainError) -> HttpResponseBase:
    if request.path_info.startswith(API_PREFIX):
        return problems.respond(request, error)
    if error.status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return HttpResponse(error.detail, status=error.status, content_type="text/plain")
    with translation.override(translation.get_language_from_request(request)):
        return HttpResponse(render_to_string("errors/413.html"), status=error.status)
