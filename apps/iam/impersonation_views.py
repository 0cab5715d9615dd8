"""An operator's browser on a tenant's host: it becomes a member for some minutes, and stops."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from apps.core.errors import DomainError
from apps.core.pages import page
from apps.core.serving import served
from apps.iam import browser, impersonating, redirects
from apps.iam.forms import SignInForm


@never_cache
@require_GET
def begin(request: Any) -> HttpResponse:
    """Give this browser a secret and send it to the admin, to come back with a token that is bound to it."""
    response = HttpResponseRedirect("/")
    digest = browser.begin_handoff(response)
    response["Location"] = redirects.impersonation_issue_url(request.GET.get("id", "")[:36], digest)
    return response


@never_cache
@require_GET
def enter(request: Any) -> HttpResponse:
    """Be the member in this browser. Whoever was signed in here before is signed out of this browser."""
    try:
        identity = impersonating.begin(
            token=request.GET.get("token", ""),
            browser_secret=request.COOKIES.get(settings.HANDOFF_COOKIE_NAME, ""),
            tenant_id=request.tenant.id,
            origin=request.origin,
        )
    except DomainError as error:
        context = {"form": SignInForm(), "next": "/", "notice": error.detail}
        return render(request, "iam/signin.html", context, status=400)
    browser.begin(request, identity)
    response = HttpResponseRedirect("/")
    response.delete_cookie(settings.HANDOFF_COOKIE_NAME)
    return response


@served("writes_when_suspended")
@never_cache
@require_POST
@page()
def stop(request: Any) -> HttpResponse:
    """Be oneself again: back to the person's page in the admin."""
    user_id = impersonating.stop(present=request.identity)
    browser.forget(request)
    path = reverse("admin:iam_user_change", args=[user_id], urlconf=settings.ROOT_URLCONF)
    return HttpResponseRedirect(f"{settings.PLATFORM_URL}{path}")
