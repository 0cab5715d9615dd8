"""Signing in and out on a tenant's host."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.core.errors import DomainError, NotFound
from apps.core.pages import page
from apps.core.serving import served
from apps.core.tenants import public_scope
from apps.iam import browser, credentials, redirects, selectors, services
from apps.iam.errors import InvalidToken, MfaRequired
from apps.iam.forms import SignInForm
from apps.iam.proofs import Proof
from apps.iam.redirects import safe_path
from apps.iam.sso import enforcing
from apps.iam.sso.errors import SsoRequired
from apps.tenancy import selectors as tenancy


@served("writes_when_suspended")
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: Any) -> HttpResponse:
    """The form, and the way in when e-mail and password are right and the person is a member here."""
    wanted = safe_path(request.POST.get("next") or request.GET.get("next"))
    if request.actor is not None and request.method == "GET":
        return HttpResponseRedirect(wanted)
    form, status, again = SignInForm(request.POST or None), 200, ""
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                user = credentials.verify(**form.cleaned_data, origin=request.origin)
                services.workspace_to_enter(user_id=user.id, tenant=request.tenant.key)
                _end_present(request)
                browser.remember_verified(request, user.id)
                return enter_verified(request, wanted)
            except DomainError as error:
                form.add_error(None, error.detail)
                status, again = error.status, str(error.extra.get("retry_after", ""))
    response = render(request, "iam/signin.html", {"form": form, "next": wanted}, status=status)
    if again:
        response["Retry-After"] = again
    return response


def enter_verified(request: Any, wanted: str) -> HttpResponse:
    """Sign in the person who showed here a moment ago who he is, or ask for his second factor.

    Raises:
        NotAMember, TenantNotAvailable, AccountInactive, InvalidToken: as `services.enter_by_browser`.
    """
    found = browser.verified_proof(request)
    if found is None:
        return HttpResponseRedirect(f"{reverse('iam:signin')}?{urlencode({'next': wanted})}")
    user_id, proof = found
    try:
        identity = services.enter_by_browser(
            user_id=user_id, tenant_id=request.tenant.id, proof=proof, origin=request.origin
        )
    except MfaRequired:
        return redirects.to_second_step(wanted)
    return _begin(request, identity, wanted)


@never_cache
@require_GET
def handoff_begin(request: Any) -> HttpResponse:
    """Give this browser a secret and send it where its person is known, to come back with a token bound to it."""
    giver, wanted = request.GET.get("from", ""), safe_path(request.GET.get("next"))
    try:
        with public_scope():
            tenant = None if giver == redirects.PLATFORM else tenancy.tenant_by_key_or_slug(giver)
    except NotFound:
        return HttpResponseRedirect(reverse("iam:signin"))
    response = HttpResponseRedirect("/")
    digest = browser.begin_handoff(response)
    response["Location"] = redirects.handoff_give_url(tenant, request.tenant, digest, wanted)
    return response


@never_cache
@require_GET
def handoff(request: Any) -> HttpResponse:
    """Take over a browser that signed in on the platform's host."""
    try:
        identity, wanted = services.redeem_handoff(
            token=request.GET.get("token", ""),
            browser_secret=request.COOKIES.get(settings.HANDOFF_COOKIE_NAME, ""),
            tenant_id=request.tenant.id,
            origin=request.origin,
        )
    except (InvalidToken, MfaRequired, SsoRequired) as error:
        if request.actor is not None:
            return HttpResponseRedirect("/")
        form, status = SignInForm(), 400 if isinstance(error, InvalidToken) else error.status
        return render(request, "iam/signin.html", {"form": form, "next": "/", "notice": error.detail}, status=status)
    response = _begin(request, identity, safe_path(wanted))
    response.delete_cookie(settings.HANDOFF_COOKIE_NAME)
    return response


@served("writes_when_suspended", "serves_temporary_password")
@never_cache
@require_POST
def sign_out(request: Any) -> HttpResponse:
    """End this browser's session here."""
    _end_present(request)
    browser.forget(request)
    return HttpResponseRedirect(reverse("iam:signin"))


@served("writes_when_suspended")
@never_cache
@require_POST
@page()
def switch(request: Any) -> HttpResponse:
    """Go on to another workspace of the same person without asking for the password again."""
    enforcing.require_own_sign_in(request.actor)
    tenant = services.workspace_to_enter(user_id=request.actor.user_id, tenant=request.POST.get("workspace", ""))
    return HttpResponseRedirect(redirects.handoff_begin_url(tenant, request.tenant.key))


@never_cache
@require_GET
@page()
def handoff_give(request: Any) -> HttpResponse:
    """Hand this browser's person over to the tenant's host that sent it here."""
    enforcing.require_own_sign_in(request.actor)
    known = request.identity
    tenant, token = services.hand_off(
        user_id=request.actor.user_id,
        proof=Proof(known.methods, known.proved_at or known.last_seen_at, known.strong_at),
        tenant=request.GET.get("tenant", ""),
        browser=request.GET.get("browser", "")[:64],
        next_path=safe_path(request.GET.get("next")),
        family_id=known.family_id,
    )
    return HttpResponseRedirect(redirects.handoff_url(tenant, token))


@require_GET
@cache_control(public=True, max_age=300)
def jwks(request: HttpRequest) -> JsonResponse:
    """The public keys of our access tokens (RFC 7517)."""
    return JsonResponse(selectors.jwks(), content_type="application/jwk-set+json")


def _begin(request: Any, identity: selectors.Identity, wanted: str) -> HttpResponse:
    _end_present(request)
    browser.begin(request, identity)
    response = HttpResponseRedirect(wanted)
    browser.suggest_language(request, response, identity.locale)
    return response


def _end_present(request: Any) -> None:
    if request.identity is not None:
        services.sign_out(actor=request.actor, family_id=request.identity.family_id)
