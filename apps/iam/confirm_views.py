"""Proving oneself again before a dangerous action, and what a workspace demands before it lets anybody go on."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods

from apps.core.errors import DomainError
from apps.core.pages import page
from apps.core.tenants import public_scope
from apps.iam import browser, enrolment_views, factors, kept_forms, mfa_policy, redirects, stepping_up
from apps.iam.errors import PasskeyRefused
from apps.iam.forms import show_refusal
from apps.iam.mfa_forms import ConfirmForm, PasskeyAnswerForm
from apps.iam.mfa_views import own_account
from apps.iam.models import User


@own_account
@never_cache
@sensitive_post_parameters("password", "code", "credential")
@require_http_methods(["GET", "POST"])
@page()
def confirm(request: Any) -> HttpResponse:
    """The password and a code, or a passkey; then back to where the person was about to act."""
    wanted = redirects.safe_path(request.POST.get("next") or request.GET.get("next"))
    identity = stepping_up.require_person(request)
    with public_scope():
        has_password = User.objects.get(pk=request.actor.user_id).has_usable_password()
    found = factors.of(request.actor.user_id)
    typed = request.POST if request.method == "POST" and "credential" not in request.POST else None
    form, status = ConfirmForm(typed, has_password=has_password, has_code=found.has_any), 200
    if request.method == "POST":
        status = 400
        try:
            if _prove(request, identity, form):
                messages.success(request, _("Thank you. You can go on now."))
                return HttpResponseRedirect(wanted)
        except DomainError as error:
            if typed is None:
                messages.error(request, error.detail)
            else:
                show_refusal(form, error)
            status = error.status
    context = {
        "form": form,
        "next": wanted,
        "methods": found.methods,
        "has_password": has_password,
    }
    return render(request, "iam/confirm.html", context, status=status)


@own_account
@never_cache
@require_GET
@page()
def resend(request: Any) -> HttpResponse:
    """What somebody had typed before he was asked to prove himself; his click sends it, nothing else does."""
    return render(request, "iam/confirm_resend.html", {"kept": kept_forms.kept(request, request.GET.get("form", ""))})


@own_account
@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
@page()
def demanded(request: Any) -> HttpResponse:
    """What a workspace that demands a second factor puts first: to set one up, or to show the one there is."""
    wanted = redirects.safe_path(request.POST.get("next") or request.GET.get("next"))
    if mfa_policy.is_admitted(request.identity):
        return HttpResponseRedirect(wanted)
    if factors.has_any(request.actor.user_id):
        return redirects.to_confirm(request)
    stepping_up.require_account_owner(request)

    @sensitive_variables("codes")
    def done(codes: list[str]) -> HttpResponse:
        return render(request, "iam/mfa_codes_first.html", {"codes": codes, "next": wanted})

    return enrolment_views.set_up(
        request,
        "iam/mfa_demanded.html",
        actor=request.actor,
        family_id=request.identity.family_id,
        done=done,
        elsewhere=wanted,
        more={"next": wanted},
    )


def _prove(request: Any, identity: Any, form: ConfirmForm) -> bool:
    """Whether the person proved himself; raises what refuses it."""
    if form.is_bound:
        if not form.is_valid():
            return False
        stepping_up.confirm(
            identity=identity, password=form.cleaned_data.get("password", ""), code=form.cleaned_data.get("code", "")
        )
        return True
    answer = PasskeyAnswerForm(request.POST)
    if not answer.is_valid():
        raise PasskeyRefused(_("The passkey did not answer."))
    stepping_up.confirm_by_passkey(identity=identity, bound_to=browser.ceremony_key(request), **answer.cleaned_data)
    return True
