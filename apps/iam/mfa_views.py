"""One's own second factors: the authenticator app, passkeys, recovery codes."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.core.errors import DomainError
from apps.core.pages import page
from apps.core.serving import served
from apps.iam import authenticators, browser, enrolment_views, factors, passkeys, recovery_codes, renewing, stepping_up
from apps.iam.errors import PasskeyRefused
from apps.iam.mfa_forms import NameForm, PasskeyAnswerForm

own_account = served("writes_when_suspended", "serves_unproven")


@own_account
@never_cache
@require_GET
@page()
def overview(request: Any) -> HttpResponse:
    """What there is, and what can be added."""
    context = {
        "nav": "account",
        "tab": "mfa",
        "factors": factors.of(request.actor.user_id),
        "codes_total": recovery_codes.COUNT,
        "home_url": request.tenant.home_url,
    }
    return render(request, "iam/mfa.html", context)


@own_account
@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
@page()
def app(request: Any) -> HttpResponse:
    """The QR code of a new authenticator app; POST takes it into use by a code of it."""
    stepping_up.require_account_owner(request)

    @sensitive_variables("codes")
    def done(codes: list[str]) -> HttpResponse:
        messages.success(request, f"{_('Your authenticator app is set up.')} {_others_ended()}")
        return shown_codes(request, codes)

    return enrolment_views.set_up(
        request,
        "iam/mfa_app.html",
        actor=request.actor,
        family_id=request.identity.family_id,
        done=done,
        elsewhere=reverse("iam:mfa"),
        more={"nav": "account", "tab": "mfa"},
    )


@own_account
@require_POST
@page()
def app_remove(request: Any) -> HttpResponse:
    """Take the authenticator app away."""
    stepping_up.require_account_owner(request)
    authenticators.remove(actor=request.actor, family_id=request.identity.family_id)
    messages.success(request, f"{_('Your authenticator app is removed.')} {_those_ended()}")
    return HttpResponseRedirect(reverse("iam:mfa"))


@own_account
@never_cache
@sensitive_variables("codes")
@require_POST
@page()
def codes_renew(request: Any) -> HttpResponse:
    """Ten new recovery codes; the earlier ones are void."""
    stepping_up.require_account_owner(request)
    return shown_codes(
        request, renewing.renew_recovery_codes(actor=request.actor, family_id=request.identity.family_id)
    )


@own_account
@never_cache
@require_POST
@page()
def passkey_begin(request: Any) -> HttpResponse:
    """What the browser needs to make a passkey."""
    stepping_up.require_account_owner(request)
    return JsonResponse(
        passkeys.begin_registration(
            actor=request.actor, bound_to=browser.ceremony_key(request), host=request.get_host()
        )
    )


@own_account
@never_cache
@sensitive_variables("codes")
@sensitive_post_parameters("credential")
@require_POST
@page()
def passkey_add(request: Any) -> HttpResponse:
    """Keep the passkey that the browser has made."""
    stepping_up.require_account_owner(request)
    answer = PasskeyAnswerForm(request.POST)
    try:
        if not answer.is_valid():
            raise PasskeyRefused(_("The passkey did not answer."))
        _passkey, codes = passkeys.finish_registration(
            actor=request.actor,
            family_id=request.identity.family_id,
            bound_to=browser.ceremony_key(request),
            name=request.POST.get("name", "").replace("\x00", ""),
            **answer.cleaned_data,
        )
    except DomainError as error:
        messages.error(request, error.detail)
        return HttpResponseRedirect(reverse("iam:mfa"))
    messages.success(request, f"{_('Your passkey is added.')} {_others_ended()}")
    return shown_codes(request, codes)


@own_account
@require_POST
@page()
def passkey_rename(request: Any, passkey_id: UUID) -> HttpResponse:
    """Call a passkey something else."""
    form = NameForm(request.POST)
    stepping_up.require_person(request)
    if form.is_valid():
        passkeys.rename(actor=request.actor, passkey_id=passkey_id, name=form.cleaned_data["name"])
        messages.success(request, _("The passkey has a new name."))
    else:
        messages.error(request, _("Give the passkey a name that you will recognise."))
    return HttpResponseRedirect(reverse("iam:mfa"))


@own_account
@require_POST
@page()
def passkey_remove(request: Any, passkey_id: UUID) -> HttpResponse:
    """Forget a passkey."""
    stepping_up.require_account_owner(request)
    passkeys.remove(actor=request.actor, family_id=request.identity.family_id, passkey_id=passkey_id)
    messages.success(request, f"{_('The passkey is removed.')} {_those_ended()}")
    return HttpResponseRedirect(reverse("iam:mfa"))


def _others_ended() -> str:
    return _("Devices that had signed in without a second factor are signed out.")


def _those_ended() -> str:
    return _("Other devices that had signed in this way are signed out.")


@sensitive_variables("codes")
def shown_codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    """The page that shows recovery codes this once, or back when there are none to show."""
    if not codes:
        return HttpResponseRedirect(reverse("iam:mfa"))
    return render(request, "iam/mfa_codes.html", {"nav": "account", "tab": "mfa", "codes": codes})
