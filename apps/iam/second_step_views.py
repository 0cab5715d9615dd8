"""The second step of signing in, on the platform's host and on the tenants': a code, or a passkey."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from apps.core.errors import DomainError
from apps.core.serving import served
from apps.core.tenants import public_scope
from apps.iam import browser, factors, passkeys, platform_views, proving, views
from apps.iam.errors import PasskeyRefused
from apps.iam.forms import SignInForm, show_refusal
from apps.iam.mfa_forms import CodeForm, PasskeyAnswerForm
from apps.iam.models import User
from apps.iam.redirects import safe_path


@never_cache
@sensitive_post_parameters("code", "credential")
@require_http_methods(["GET", "POST"])
def on_platform(request: Any) -> HttpResponse:
    """Who has given the right password proves it by more, and goes on to where he was going."""
    wanted, workspace = _wanted(request), request.POST.get("workspace") or request.GET.get("workspace", "")
    return step(request, workspace, lambda user_id: platform_views.go_on(request, user_id, workspace, wanted))


@served("writes_when_suspended", "serves_unproven")
@never_cache
@sensitive_post_parameters("code", "credential")
@require_http_methods(["GET", "POST"])
def on_tenant(request: Any) -> HttpResponse:
    """Who has given the right password proves it by more, and is signed in."""
    return step(request, "", lambda _user_id: views.enter_verified(request, _wanted(request)))


@served("writes_when_suspended", "serves_unproven")
@never_cache
@require_POST
def begin_passkey(request: Any) -> JsonResponse:
    """The challenge for a passkey of whoever is signed in or half signed in; of anybody otherwise."""
    verified = browser.verified_person(request)
    user_id = verified[0] if verified else None
    if request.actor is not None and request.tenant is not None:
        user_id = request.actor.user_id
    return JsonResponse(
        passkeys.begin_proof(user_id=user_id, bound_to=browser.ceremony_key(request), host=request.get_host())
    )


@never_cache
@sensitive_post_parameters("credential")
@require_POST
def passkey_on_platform(request: Any) -> HttpResponse:
    """Sign in without a password: a passkey that verifies its person is more than one factor."""
    return _without_password(request, lambda user_id: platform_views.go_on(request, user_id, "", _wanted(request)))


@served("writes_when_suspended", "serves_unproven")
@never_cache
@sensitive_post_parameters("credential")
@require_POST
def passkey_on_tenant(request: Any) -> HttpResponse:
    """Sign in without a password, here."""
    return _without_password(request, lambda _user_id: views.enter_verified(request, _wanted(request)))


def _without_password(request: Any, go_on: Callable[[UUID], HttpResponse]) -> HttpResponse:
    answer = PasskeyAnswerForm(request.POST)
    try:
        if not answer.is_valid():
            raise PasskeyRefused(_("The passkey did not answer."))
        shown = proving.check_passkey(
            **answer.cleaned_data, bound_to=browser.ceremony_key(request), origin=request.origin
        )
        browser.remember_verified(request, shown.user_id, shown.methods)
        return go_on(shown.user_id)
    except DomainError as error:
        context = {"form": SignInForm(), "next": _wanted(request), "notice": error.detail}
        return render(request, "iam/signin.html", context, status=error.status)


def step(request: Any, workspace: str, go_on: Callable[[UUID], HttpResponse]) -> HttpResponse:
    """The page of the second step, or on with `go_on` when it is done or there is nothing to show."""
    verified = browser.verified_proof(request)
    if verified is None:
        return HttpResponseRedirect(f"{reverse('iam:signin')}?{urlencode({'next': _wanted(request)})}")
    user_id, proof = verified
    found, is_recovery = factors.of(user_id), "recovery" in request.GET
    form, status = CodeForm(request.POST if "code" in request.POST else None, is_recovery=is_recovery), 200
    try:
        is_done = proof.strong_at is not None or not found.has_any
        if is_done or (request.method == "POST" and _prove(request, user_id, form)):
            return go_on(user_id)
    except DomainError as error:
        if not form.is_bound:
            # What was shown is not worth anything any more.
            browser.forget(request)
            messages.error(request, error.detail)
            return HttpResponseRedirect(reverse("iam:signin"))
        show_refusal(form, error)
        status = error.status
    context = {
        "form": form,
        "methods": found.methods,
        "is_recovery": is_recovery or "otp" not in found.methods,
        "next": _wanted(request),
        "workspace": workspace,
    }
    return render(request, "iam/second_step.html", context, status=400 if form.errors and status == 200 else status)


def _prove(request: Any, user_id: UUID, form: CodeForm) -> bool:
    """Whether the second factor was shown; raises what refuses it."""
    if "credential" in request.POST:
        answer = PasskeyAnswerForm(request.POST)
        form.is_bound, form.data = True, {"code": "-"}
        if not answer.is_valid():
            raise PasskeyRefused(_("The passkey did not answer."))
        shown = proving.check_passkey(
            **answer.cleaned_data, bound_to=browser.ceremony_key(request), origin=request.origin, user_id=user_id
        )
        browser.add_second_factor(request, shown.methods)
        return True
    if not form.is_valid():
        return False
    with public_scope():
        user = User.objects.get(pk=user_id)
    word = proving.check_code_field(user=user, code=form.cleaned_data["code"], origin=request.origin)
    browser.add_second_factor(request, (word,))
    return True


def _wanted(request: HttpRequest) -> str:
    return safe_path(request.POST.get("next") or request.GET.get("next"))
