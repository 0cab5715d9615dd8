"""Project-wide views: errors as pages or problem documents, the language switch."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.i18n import set_language as _set_language

from apps.core.errors import DomainError, NotFound, PermissionRefused
from apps.core.rest import problems
from apps.core.serving import served
from apps.payments.webhook import stripe_webhook as payments_webhook

__all__ = ["bad_request", "csrf_failure", "forbidden", "not_found", "payments_webhook", "server_error", "set_language"]


@served("writes_when_suspended", "serves_unready")
def set_language(request: HttpRequest) -> HttpResponse:
    """The language of this browser, also where a workspace is suspended."""
    response: HttpResponse = _set_language(request)
    return response


class _BadRequest(DomainError):
    """The request is not HTTP as it is understood here: its host, path or encoding."""

    code, status, title = "bad_request", 400, "This request cannot be understood"


class _ServerError(DomainError):
    """A mistake of ours; `correlation_id` leads to it in our logs."""

    code, status, title = "internal_error", 500, "Something went wrong on our side"


def _answer(request: HttpRequest, error: DomainError) -> HttpResponse:
    if request.path.startswith("/api/"):
        return problems.respond(request, error)
    return render(request, f"errors/{error.status}.html", {"error": error}, status=error.status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without the secret of its page: it is another site's, or older than this browser's cookies."""
    told = _("This page was open for too long, or your browser keeps no cookies. Load it again, then send the form.")
    error = PermissionRefused(told)
    if request.path.startswith("/api/"):
        return problems.respond(request, error)
    return render(request, "errors/problem.html", {"error": error}, status=error.status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    return _answer(request, problems.refusal_of(exception) or _BadRequest())


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _answer(request, PermissionRefused())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return _answer(request, NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    """500; the page needs no database and no context of the workspace."""
    if request.path.startswith("/api/"):
        return problems.respond(request, _ServerError())
    return render(None, "errors/500.html", status=500)
