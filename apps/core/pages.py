"""What every page view shares: the typed request, the permission gate, domain errors as pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django_htmx.middleware import HtmxDetails

from apps.core.actor import Actor, Origin
from apps.core.errors import DomainError, PermissionRefused
from apps.core.serving import served

P = ParamSpec("P")


class PageRequest(HttpRequest):
    """A request on a tenant's host after the workspace middleware has looked at it."""

    actor: Actor
    tenant: Any
    origin: Origin
    htmx: HtmxDetails


View = Callable[Concatenate[PageRequest, P], HttpResponseBase]


def page(
    permission: str = "", *, own_transactions: bool = False
) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """Gate a tenant page: signed-in members only, holding `permission` if one is named.

    The view runs in the tenant's transaction; with `own_transactions` it opens its own, because it calls the
    outside in between. Domain errors become pages with their status.
    """

    def decorate(view: View[P]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def gated(request: PageRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            actor = getattr(request, "actor", None)
            if actor is None:
                return _to_sign_in(request)
            if permission and not actor.may(permission):
                return error_page(request, PermissionRefused())
            return view(request, *args, **kwargs)

        return served("own_transactions")(gated) if own_transactions else gated

    return decorate


def error_page(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The page for a refusal: ``errors/<status>.html`` with the detail, or the general one."""
    known = {400, 403, 404}
    name = f"errors/{error.status}.html" if error.status in known else "errors/problem.html"
    return render(request, name, {"error": error}, status=error.status)


def shown_path(request: HttpRequest) -> str:
    """Where the person is: on the page asked for, or on the one that a form or a part of a page was asked from.

    The start page where the browser does not say, or names another host.
    """
    headers = request.headers
    if request.method in ("GET", "HEAD") and ("HX-Request" not in headers or "HX-Boosted" in headers):
        return request.get_full_path()
    try:
        place = urlsplit(headers.get("Referer", ""))
    except ValueError:
        return "/"
    if place.netloc != request.get_host():
        return "/"
    return f"{place.path}?{place.query}" if place.query else place.path or "/"


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    target = f"{reverse('iam:signin')}?{urlencode({'next': shown_path(request)})}"
    if getattr(request, "htmx", None):
        response = HttpResponse(status=401)
        response["HX-Redirect"] = target
        return response
    return HttpResponseRedirect(target)
