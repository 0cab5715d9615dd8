"""RFC 9457 problem documents for whatever an API call can end in."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, JsonResponse, UnreadablePostError
from django.utils.encoding import escape_uri_path
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from apps.core import correlation
from apps.core.errors import (
    BodyTooLarge,
    DomainError,
    FieldError,
    NotAuthenticated,
    NotFound,
    PermissionRefused,
    ValidationFailed,
)
from apps.core.money import UnknownCurrency
from apps.core.rest import refusals
from apps.core.rest.rendering import JsonRenderer

CONTENT_TYPE = "application/problem+json"
CODES_PAGE = "/api/docs/problems#"

_OF_DRF: dict[type[exceptions.APIException], type[DomainError]] = {
    exceptions.ParseError: refusals.MalformedBody,
    exceptions.NotAuthenticated: NotAuthenticated,
    exceptions.AuthenticationFailed: NotAuthenticated,
    exceptions.PermissionDenied: PermissionRefused,
    exceptions.NotFound: NotFound,
    exceptions.MethodNotAllowed: refusals.MethodNotAllowed,
    exceptions.NotAcceptable: refusals.NotAcceptable,
    exceptions.UnsupportedMediaType: refusals.UnsupportedMediaType,
}


def document(status: int, code: str, detail: str, *, path: str, title: str = "", **extra: Any) -> dict[str, Any]:
    """The members of a problem document; `extra` are extension members (RFC 9457, 3.2)."""
    return {
        # References, as RFC 9457 asks for: a path as it was called may hold what no URI does.
        "type": CODES_PAGE + code,
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": escape_uri_path(path),
        "code": code,
        "correlation_id": correlation.current(),
        **extra,
    }


def _document_of(error: DomainError, path: str) -> dict[str, Any]:
    return document(error.status, error.code, error.detail, path=path, title=error.title, **error.extra)


def _headers_of(error: DomainError) -> dict[str, str]:
    waits = {"Retry-After": str(error.extra["retry_after"])} if "retry_after" in error.extra else {}
    return {**error.headers, **waits}


def respond(request: HttpRequest, error: DomainError) -> JsonResponse:
    """A problem document outside DRF: middleware, webhooks, unknown routes below ``/api/``."""
    body = _document_of(error, request.path)
    return JsonResponse(body, status=error.status, content_type=CONTENT_TYPE, headers=_headers_of(error))


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. The workspace middleware rolls back whatever was written in this call.

    The problem document is JSON, whatever else the view answers with.
    """
    request = context["request"]
    refusal = refusal_of(error)
    if refusal is None:
        return None
    if not isinstance(getattr(request, "accepted_renderer", None), JSONRenderer):
        request.accepted_renderer, request.accepted_media_type = JsonRenderer(), CONTENT_TYPE
    problem = _document_of(refusal, request.path)
    headers = _headers_of(refusal)
    if problem["status"] == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="insula"'
    return Response(problem, status=problem["status"], headers=headers, content_type=CONTENT_TYPE)


def refusal_of(error: Exception) -> DomainError | None:
    """What `error` means to the caller, or None when it is our own mistake."""
    match error:
        case DomainError():
            return error
        case exceptions.ValidationError():
            return ValidationFailed(list(flatten(error.detail)))
        case exceptions.APIException():
            kind = next((kind for drf, kind in _OF_DRF.items() if isinstance(error, drf)), None)
            return kind(str(error.detail)) if kind else None
        case Http404():
            return NotFound()
        case PermissionDenied():
            return PermissionRefused()
        case UnreadablePostError():
            return refusals.MalformedBody("The body did not arrive whole.")
        case RequestDataTooBig():
            return BodyTooLarge()
        case TooManyFieldsSent():
            return refusals.TooManyFields(limit=settings.DATA_UPLOAD_MAX_NUMBER_FIELDS)
        case TooManyFilesSent():
            return refusals.TooManyFields(limit=settings.DATA_UPLOAD_MAX_NUMBER_FILES)
        case UnknownCurrency():
            return ValidationFailed.one("currency", "unknown_currency", "This is not a currency we know.")
        case DatabaseError() | InterfaceError():
            return refusals.of_database(error)
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
