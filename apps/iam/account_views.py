"""One's own account: profile, security, organisations."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.core import editing
from apps.core.errors import DomainError, NotFound
from apps.core.pages import page
from apps.core.serving import served
from apps.core.tenants import tenant_transaction
from apps.core.versions import VersionConflict
from apps.iam import accounts, browser, pages, portraits, redirects, selectors, services, stepping_up
from apps.iam.forms import PasswordChangeForm, ProfileForm, show_refusal


@served("writes_when_suspended")
@require_http_methods(["GET", "POST"])
@page()
def profile(request: Any) -> HttpResponse:
    """Names and language."""
    me, form = _profile_form(request)
    edit = editing.opened(accounts.profile_version(me))
    if request.method == "POST" and form.is_valid():
        try:
            services.update_profile(actor=request.actor, changes=form.cleaned_data, expected=editing.seen(request))
        except VersionConflict as conflict:
            me, form = _profile_form(request)
            # On another of the person's own devices, or by his directory: there is nobody to name.
            edit = editing.stale(conflict.present, editing.differences(form), None)
            return _profile_page(request, me, form, edit)
        messages.success(request, _("Your profile is saved."))
        response = HttpResponseRedirect(reverse("iam:account"))
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            form.cleaned_data["locale"],
            max_age=365 * 24 * 3600,
            samesite="Lax",
            httponly=True,
            secure=settings.SESSION_COOKIE_SECURE,
        )
        return response
    return _profile_page(request, me, form, edit)


@served("writes_when_suspended", "serves_temporary_password")
@never_cache
@sensitive_post_parameters("current_password", "new_password")
@require_http_methods(["GET", "POST"])
@page(own_transactions=True)
def security(request: Any) -> HttpResponse:
    """The password, and every device that is signed in."""
    form, status = PasswordChangeForm(request.POST if request.method == "POST" else None), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            stepping_up.require_second_factor(request)
            try:
                services.change_password(actor=request.actor, family_id=request.identity.family_id, **form.cleaned_data)
            except DomainError as error:
                show_refusal(form, error)
                status = error.status
            else:
                messages.success(request, _("Your password is changed, and other devices are signed out."))
                return HttpResponseRedirect(reverse("iam:security"))
    # The page around it shows figures of the tenant.
    with tenant_transaction(request.tenant.scope):
        devices = services.list_devices(actor=request.actor, current=request.identity.family_id)
        context = {"nav": "account", "tab": "security", "form": form, "devices": devices}
        return render(request, "iam/account_security.html", context, status=status)


@served("writes_when_suspended")
@require_POST
@page()
def end_session(request: Any, session_id: UUID) -> HttpResponse:
    """End one of one's own sessions."""
    services.end_device(actor=request.actor, family_id=session_id)
    messages.success(request, _("The device is signed out."))
    return HttpResponseRedirect(reverse("iam:security"))


@served("writes_when_suspended")
@require_POST
@page()
def end_other_sessions(request: Any) -> HttpResponse:
    """End all but this one."""
    services.end_other_devices(actor=request.actor, keep=request.identity.family_id)
    messages.success(request, _("All other devices are signed out."))
    return HttpResponseRedirect(reverse("iam:security"))


@served("writes_when_suspended")
@require_POST
@page()
def sign_out_everywhere(request: Any) -> HttpResponse:
    """End everything, this session too."""
    services.sign_out_all(actor=request.actor)
    browser.forget(request)
    return HttpResponseRedirect(reverse("iam:signin"))


@require_GET
@page()
def organisations(request: Any) -> HttpResponse:
    """The workspaces that one belongs to, and the invitations that wait."""
    user_id = request.actor.user_id
    context = {
        "nav": "account",
        "tab": "organisations",
        "rows": selectors.memberships_of_actor(request.actor),
        "invitations": [] if request.actor.is_federated else services.invitations_to(user_id=user_id),
    }
    return render(request, "iam/account_organisations.html", context)


@served("writes_when_suspended")
@require_POST
@page()
def accept_invitation(request: Any, invitation_id: UUID) -> HttpResponse:
    """Join a workspace that invited one's own address."""
    try:
        tenant = services.accept_own_invitation(actor=request.actor, invitation_id=invitation_id)
        messages.success(
            request, _("You belong to %(name)s now. Switch to it at the top left.") % {"name": tenant.name}
        )
    except NotFound:
        raise
    except DomainError as error:
        messages.error(request, error.detail)
    return HttpResponseRedirect(reverse("iam:organisations"))


@served("writes_when_suspended")
@require_POST
@page()
def leave(request: Any) -> HttpResponse:
    """Leave this workspace."""
    try:
        services.leave(actor=request.actor)
    except DomainError as error:
        messages.error(request, error.detail)
        return HttpResponseRedirect(reverse("iam:organisations"))
    browser.forget(request)
    return HttpResponseRedirect(redirects.sign_in_url(request.tenant))


def _profile_form(request: Any) -> tuple[selectors.ProfileView, ProfileForm]:
    me = selectors.get_profile(request.actor.user_id)
    known = {"first_name": me.first_name, "last_name": me.last_name, "locale": me.locale}
    return me, ProfileForm(request.POST if request.method == "POST" else None, initial=known)


def _profile_page(request: Any, me: selectors.ProfileView, form: ProfileForm, edit: editing.Edit) -> HttpResponse:
    picture = pages.picture_of(request.actor, portraits.SIZES[0])
    context = {"nav": "account", "tab": "profile", "person": me, "form": form, "picture": picture, "edit": edit}
    status = editing.status_of(edit, is_refused=bool(form.errors))
    return render(request, "iam/account_profile.html", context, status=status)
