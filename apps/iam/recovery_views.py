"""Pages for a forgotten password and for confirming an address, on every host."""

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from apps.core.errors import DomainError, ValidationFailed
from apps.core.pages import page
from apps.core.serving import served
from apps.iam import services
from apps.iam.forms import EmailForm, NewPasswordForm, TokenForm, show_refusal


@served("writes_when_suspended")
@never_cache
@require_http_methods(["GET", "POST"])
def password_forgot(request: Any) -> HttpResponse:
    """Ask for the address; the answer is the same whether it has an account or not."""
    form, status = EmailForm(request.POST if request.method == "POST" else None), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            services.request_password_reset(email=form.cleaned_data["email"], origin=request.origin)
            return HttpResponseRedirect(f"{reverse('iam:password-forgot')}?sent=1")
    context = {"form": form, "is_sent": "sent" in request.GET and request.method == "GET"}
    return render(request, "iam/password_forgot.html", context, status=status)


@served("writes_when_suspended")
@never_cache
@sensitive_post_parameters("password", "token")
@require_http_methods(["GET", "POST"])
def password_reset(request: Any) -> HttpResponse:
    """Choose a new password, with the token of the mail."""
    if request.method == "GET":
        return _private(
            render(request, "iam/password_reset.html", {"form": NewPasswordForm(initial=_token_of(request))})
        )
    form, status, is_dead = NewPasswordForm(request.POST), 400, False
    if form.is_valid():
        try:
            services.reset_password(**form.cleaned_data, origin=request.origin)
        except ValidationFailed as error:
            show_refusal(form, error)
        except DomainError as error:
            status, is_dead = error.status, True
        else:
            return HttpResponseRedirect(f"{reverse('iam:signin')}?notice=password-reset")
    is_dead = is_dead or "token" in form.errors
    return _private(render(request, "iam/password_reset.html", {"form": form, "is_dead": is_dead}, status=status))


@served("writes_when_suspended")
@never_cache
@require_http_methods(["GET", "POST"])
def verify_email(request: Any) -> HttpResponse:
    """Confirm an address by POST: programs that look through mails follow links, too."""
    form, outcome, status = TokenForm(request.POST or None, initial=_token_of(request)), "", 200
    if request.method == "POST":
        try:
            if not form.is_valid():
                outcome, status = "dead", 400
            else:
                services.verify_email(token=form.cleaned_data["token"], origin=request.origin)
                outcome = "done"
        except DomainError as error:
            outcome, status = "dead", error.status
    return _private(render(request, "iam/verify_email.html", {"form": form, "outcome": outcome}, status=status))


@served("writes_when_suspended")
@require_POST
@page()
def resend_verification(request: Any) -> HttpResponse:
    """Send the link again to whoever is signed in."""
    services.request_verification(email=request.actor.email, origin=request.origin)
    context = {"text": _("If a link is due, it is on its way to %(email)s.") % {"email": request.actor.email}}
    return render(request, "iam/verification_sent.html", context)


def _token_of(request: Any) -> dict[str, str]:
    return {"token": request.GET.get("token", "")[:100]}


def _private(response: HttpResponse) -> HttpResponse:
    # The address holds a secret.
    response["Referrer-Policy"] = "no-referrer"
    return response
