"""The way to a tenant's identity provider and back, on the tenant's host; and the way there from the platform's."""

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from apps.core.errors import DomainError, NotFound
from apps.core.serving import served
from apps.core.tenants import tenant_transaction
from apps.iam import browser, services
from apps.iam.redirects import safe_path
from apps.iam.sso import discovery, signing_in
from apps.tenancy.selectors import TenantView

COOKIE_SECONDS = 600
_RETURNED = ("state", "code", "error", "iss")


class AddressForm(forms.Form):
    """Whose organisation is looked for."""

    email = forms.EmailField(
        label=_("Work e-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )


@served("own_transactions")
@never_cache
@require_GET
def start(request: Any) -> HttpResponse:
    """Send the browser to the provider; the session will be on the sub-domain, where the provider sends it back."""
    if not _is_home(request):
        return HttpResponseRedirect(f"{request.tenant.home_url}{request.get_full_path()}")
    try:
        begun = signing_in.begin(
            tenant=request.tenant,
            browser_secret=request.COOKIES.get(settings.SSO_COOKIE_NAME, ""),
            next_path=safe_path(request.GET.get("next")),
            login_hint=request.GET.get("login_hint", "")[:254],
        )
    except DomainError as error:
        return _refused(request, error)
    response = HttpResponseRedirect(begun.url)
    response.set_cookie(
        settings.SSO_COOKIE_NAME,
        begun.browser_secret,
        max_age=COOKIE_SECONDS,
        httponly=True,
        # Strict would hold it back when the provider sends the browser home.
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


@served("own_transactions", "writes_when_suspended")
@never_cache
@require_GET
def callback(request: Any) -> HttpResponse:
    """Take over whom the provider vouches for."""
    try:
        identity, wanted = signing_in.finish(
            tenant=request.tenant,
            browser_secret=request.COOKIES.get(settings.SSO_COOKIE_NAME, ""),
            answer={name: request.GET.get(name, "") for name in _RETURNED if name in request.GET},
            origin=request.origin,
        )
    except DomainError as error:
        return _refused(request, error)
    if request.identity is not None:
        services.sign_out(actor=request.actor, family_id=request.identity.family_id)
    browser.begin(request, identity)
    response = HttpResponseRedirect(safe_path(wanted))
    browser.suggest_language(request, response, identity.locale)
    response.delete_cookie(settings.SSO_COOKIE_NAME)
    return response


@never_cache
@require_http_methods(["GET", "POST"])
def find(request: Any) -> HttpResponse:
    """On the platform's host: from a work address to the sign-in of the organisation that has proved its domain.

    Says nothing of accounts: the domain alone decides. The next step is a link, because browsers do not let a form's
    answer lead to another site.
    """
    form = AddressForm(request.POST or None)
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and form.is_valid():
        context["target"] = discovery.find_entrance(form.cleaned_data["email"])
        context["is_unknown"] = context["target"] is None
    response = render(request, "iam/sso/find.html", context, status=400 if form.errors else 200)
    if target := context.get("target"):
        response["Refresh"] = f"1; url={target.url}"
    return response


def _is_home(request: Any) -> bool:
    tenant: TenantView = request.tenant
    return bool(tenant.home_url.partition("://")[2].partition(":")[0] == request.get_host().partition(":")[0])


def _refused(request: Any, error: DomainError) -> HttpResponse:
    if isinstance(error, NotFound):
        return HttpResponseRedirect(reverse("iam:signin"))
    with tenant_transaction(request.tenant.scope):
        return render(request, "iam/sso/refused.html", {"error": error}, status=error.status)
