"""RFC 9457 problem documents for whatever an API call can end in."""

from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from apps.core import correlation
from apps.core.errors import DomainError, FieldError, NotFound, ValidationFailed
from apps.core.money import UnknownCurrency

logger = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"
CODES_PAGE = "/api/docs/problems#"

_DRF_CODES: dict[type[exceptions.APIException], str] = {
    exceptions.ParseError: "malformed_body",
    exceptions.NotAuthenticated: "not_authenticated",
    exceptions.AuthenticationFailed: "not_authenticated",
    exceptions.PermissionDenied: "permission_refused",
    exceptions.NotFound: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.Throttled: "rate_limited",
}


def document(status: int, code: str, detail: str, *, path: str, title: str = "", **extra: Any) -> dict[str, Any]:
    """The members of a problem document; `extra` are extension members (RFC 9457, 3.2)."""
    return {
        "type": CODES_PAGE + code,
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": path,
        "code": code,
        "correlation_id": correlation.current(),
        **extra,
    }


def respond(request: HttpRequest, error: DomainError) -> JsonResponse:
    """A problem document outside DRF: middleware, webhooks, unknown routes below ``/api/``."""
    body = document(error.status, error.code, error.detail, path=request.path, title=error.title, **error.extra)
    headers = {"Retry-After": str(body["retry_after"])} if "retry_after" in body else {}
    return JsonResponse(body, status=error.status, content_type=CONTENT_TYPE, headers=headers)


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. The workspace middleware rolls back whatever was written in this call."""
    request = context["request"]
    problem = _problem(error, request.path)
    if problem is None:
        return None
    headers = {}
    wait = getattr(error, "wait", None)  # of Throttled
    if wait:
        problem["retry_after"] = int(wait) + 1
    if "retry_after" in problem:
        headers["Retry-After"] = str(problem["retry_after"])
    if problem["status"] == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="insula"'
    return Response(problem, status=problem["status"], headers=headers, content_type=CONTENT_TYPE)


def _problem(error: Exception, path: str) -> dict[str, Any] | None:
    match error:
        case DomainError():
            return document(error.status, error.code, error.detail, path=path, title=error.title, **error.extra)
        case exceptions.ValidationError():
            failed = ValidationFailed(list(flatten(error.detail)))
            return document(400, failed.code, failed.detail, path=path, title=failed.title, **failed.extra)
        case exceptions.APIException():
            code = next((c for t, c in _DRF_CODES.items() if isinstance(error, t)), str(error.default_code))
            return document(error.status_code, code, str(error.detail), path=path)
        case Http404():
            return document(404, NotFound.code, NotFound.title, path=path)
        case PermissionDenied():
            return document(403, "permission_refused", "You are not allowed to do this.", path=path)
        case RequestDataTooBig():
            return document(413, "body_too_large", "The body is larger than this server accepts.", path=path)
        case UnknownCurrency():
            failed = ValidationFailed.one("currency", "unknown_currency", "This is not a currency we know.")
            return document(400, failed.code, failed.detail, path=path, **failed.extra)
        case IntegrityError():
            logger.warning("api.constraint", error=str(error))
            return document(409, "conflict", "This contradicts what is already stored.", path=path)
        case DataError():
            return document(400, "value_out_of_range", "A value is out of range.", path=path)
        case OperationalError() | InterfaceError():
            logger.exception("api.database_unavailable")
            return document(503, "unavailable", "The database does not answer; please try again.", path=path)
    return None


def flatten(detail: Any, path: str = "") -> list[FieldError]:
    """DRF's nested error detail as a flat list with dotted paths into lists (``lines.0.quantity``)."""
    if isinstance(detail, dict):
        return [
            error
            for key, value in detail.items()
            for error in flatten(value, path if key == "non_field_errors" else f"{path}.{key}".strip("."))
        ]
    if isinstance(detail, list):
        if all(isinstance(item, exceptions.ErrorDetail) for item in detail):
            return [FieldError(path, item.code, str(item)) for item in detail]
        return [error for i, item in enumerate(detail) if item for error in flatten(item, f"{path}.{i}".strip("."))]
    return [FieldError(path, getattr(detail, "code", "invalid"), str(detail))]
