"""Signing up and signing in on the platform's host, which hands browsers over to the tenants' hosts."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth import login as django_login
from django.contrib.auth import logout as django_logout
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.core.errors import DomainError, PermissionRefused, ValidationFailed
from apps.iam import browser, credentials, factors, redirects, selectors, services, signins
from apps.iam.errors import AccountInactive, InvalidToken, MfaRequired, NoWorkspace
from apps.iam.forms import SignInForm, SignUpForm
from apps.iam.models import User
from apps.tenancy import selectors as tenancy
from apps.tenancy.errors import NameTaken
from apps.tenancy.selectors import ProvisioningStep, TenantStatus, TenantView

# The picker's choice that means the operators' admin instead of a workspace.
PLATFORM_CHOICE = "platform"


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_up(request: Any) -> HttpResponse:
    """The form; on success the person watches the workspace being prepared."""
    form, status = SignUpForm(request.POST or None), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                made = services.sign_up(**form.cleaned_data, origin=request.origin, locale=get_language() or "en")
            except DomainError as error:
                _show(form, error)
                status = error.status
            else:
                browser.remember_verified(request, made.user_id)
                return HttpResponseRedirect(reverse("iam:signup-progress", args=[made.tenant.key]))
    return render(request, "iam/signup.html", {"form": form}, status=status)


@never_cache
@require_GET
def sign_up_progress(request: Any, key: str) -> HttpResponse:
    """The page that waits for the workspace and goes there; without JavaScript it reloads itself."""
    context = _progress(key)
    if context["is_ready"]:
        return HttpResponseRedirect(_entrance(request, key))
    return render(request, "iam/signup_progress.html", context)


@never_cache
@require_GET
def sign_up_progress_fragment(request: Any, key: str) -> HttpResponse:
    """What the page asks for twice a second."""
    context = _progress(key)
    response = render(request, "iam/_signup_progress.html", context)
    if context["is_ready"]:
        response["HX-Redirect"] = _entrance(request, key)
    return response


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: Any) -> HttpResponse:
    """First step: e-mail and password. With one workspace it is also the last."""
    wanted = redirects.safe_path(request.POST.get("next") or request.GET.get("next"))
    form, status, again = SignInForm(request.POST or None), 200, ""
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                user = credentials.verify(**form.cleaned_data, origin=request.origin)
                _require_somewhere(user)
                browser.remember_verified(request, user.id)
                return go_on(request, user.id, "", wanted)
            except DomainError as error:
                form.add_error(None, error.detail)
                status, again = error.status, str(error.extra.get("retry_after", ""))
    response = render(request, "iam/signin.html", {"form": form, "next": wanted}, status=status)
    if again:
        response["Retry-After"] = again
    return response


@never_cache
@require_http_methods(["GET", "POST"])
def workspaces(request: Any) -> HttpResponse:
    """Second step: which of several workspaces, or the operators' admin."""
    user_id = browser.verified_user(request)
    wanted = redirects.safe_path(request.POST.get("next") or request.GET.get("next"))
    if user_id is None:
        return HttpResponseRedirect(f"{reverse('iam:signin')}?{urlencode({'next': wanted})}")
    profile = selectors.get_profile(user_id)
    error, status = "", 200
    if choice := request.POST.get("workspace"):
        try:
            return go_on(request, user_id, choice, wanted)
        except DomainError as refusal:
            error, status = refusal.detail, refusal.status
    context = {
        "workspaces": selectors.workspaces_of(user_id),
        "platform_choice": PLATFORM_CHOICE if profile.platform_role else "",
        "person": profile,
        "next": wanted,
        "error": error,
    }
    return render(request, "iam/workspaces.html", context, status=status)


@never_cache
@require_GET
def handoff_issue(request: Any) -> HttpResponse:
    """Hand this browser over to the tenant's host that sent it here to prove who its person is."""
    found = browser.verified_proof(request)
    if found is None:
        return HttpResponseRedirect(reverse("iam:signin"))
    user_id, proof = found
    wanted, workspace = redirects.safe_path(request.GET.get("next")), request.GET.get("tenant", "")
    try:
        tenant, token = services.hand_off(
            user_id=user_id,
            tenant=workspace,
            browser=request.GET.get("browser", "")[:64],
            next_path=wanted,
            proof=proof,
        )
    except MfaRequired:
        # The handover begins anew afterwards: its browser's secret may be over by then.
        return redirects.to_second_step(wanted, workspace)
    browser.forget(request)
    return HttpResponseRedirect(redirects.handoff_url(tenant, token))


@never_cache
@require_POST
def sign_out(request: Any) -> HttpResponse:
    """End the platform's own session, an operator's too."""
    django_logout(request)
    return HttpResponseRedirect(reverse("iam:signin"))


def go_on(request: Any, user_id: UUID, workspace: str, wanted: str) -> HttpResponse:
    """On from a checked password or passkey: to `workspace`, the admin, the only one that there is, or the picker.

    Raises:
        NotAMember, TenantNotAvailable, AccountInactive, NoWorkspace: as `services.workspace_to_enter`.
    """
    user = User.objects.get(pk=user_id)
    found = selectors.workspaces_of(user.id)
    _require_somewhere(user)
    if user.platform_role and (workspace == PLATFORM_CHOICE or not found):
        return into_admin(request, user)
    if not workspace and (len(found) > 1 or user.platform_role):
        return HttpResponseRedirect(f"{reverse('iam:workspaces')}?{urlencode({'next': wanted})}")
    tenant = services.workspace_to_enter(user_id=user_id, tenant=workspace or found[0].tenant.key)
    if _owes_second_step(request, user):
        return redirects.to_second_step(wanted, tenant.key)
    return HttpResponseRedirect(redirects.handoff_begin_url(tenant, redirects.PLATFORM, wanted))


def _require_somewhere(user: User) -> None:
    if not user.may_sign_in:
        raise AccountInactive
    if not user.platform_role and not selectors.workspaces_of(user.id):
        raise NoWorkspace(_("You belong to no active workspace. Ask for an invitation, or sign up with a new one."))


def _owes_second_step(request: Any, user: User) -> bool:
    found = browser.verified_proof(request)
    return (found is None or found[1].strong_at is None) and factors.has_any(user.id)


def into_admin(request: Any, user: User) -> HttpResponse:
    """Sign an operator in to the admin, after whatever he still has to show.

    Raises:
        PermissionRefused: the person is no operator.
        PasswordChangeRequired: he became one with the password that another operator gave him.
        InvalidToken: the password was changed, or everything signed out, since he gave it here.
    """
    if not user.is_staff or not user.may_sign_in:
        raise PermissionRefused
    credentials.require_own(user)
    found = browser.verified_proof(request)
    if found is None or signins.is_overtaken(user, found[1]):
        raise InvalidToken(_("Sign in again."))
    if _owes_second_step(request, user):
        return HttpResponseRedirect(reverse("operator-second-step"))
    if settings.OPERATORS_MUST_USE_MFA and found[1].strong_at is None:
        return HttpResponseRedirect(reverse("operator-second-factor"))
    browser.forget(request)
    django_login(request, user)
    return HttpResponseRedirect(reverse("admin:index"))


def _entrance(request: Any, key: str) -> str:
    tenant: TenantView = tenancy.tenant_by_key_or_slug(key)
    user_id = browser.verified_user(request)
    if user_id is None:
        return redirects.sign_in_url(tenant)
    try:
        tenant = services.workspace_to_enter(user_id=user_id, tenant=key)
    except DomainError:
        return redirects.sign_in_url(tenant)
    return redirects.handoff_begin_url(tenant, redirects.PLATFORM)


def _progress(key: str) -> dict[str, Any]:
    now = tenancy.provisioning(key)
    order = list(ProvisioningStep)
    reached = order.index(ProvisioningStep(now.step))
    labels = {
        ProvisioningStep.QUEUED: _("Your account is ready"),
        ProvisioningStep.SCHEMA: _("A database area of your own"),
        ProvisioningStep.DEFAULTS: _("Chart of accounts and settings"),
        ProvisioningStep.READY: _("Opening your dashboard"),
    }
    states = ["done" if i <= reached else "now" if i == reached + 1 else "todo" for i in range(len(order))]
    return {
        "key": key,
        "progress": now.progress,
        "steps": [{"label": labels[step], "state": state} for step, state in zip(order, states, strict=True)],
        "is_ready": now.status in (TenantStatus.ACTIVE, TenantStatus.SUSPENDED),
        "has_failed": now.status in (TenantStatus.PROVISIONING_FAILED, TenantStatus.DELETED),
    }


def _show(form: SignUpForm, error: DomainError) -> None:
    """Put a refusal beside the field that it is about."""
    if isinstance(error, ValidationFailed):
        for item in error.errors:
            form.add_error(item.field if item.field in form.fields else None, item.detail)
    elif isinstance(error, NameTaken):
        form.add_error("tenant_name", error.detail)
    elif error.status == 401:
        form.add_error("password", _("This e-mail has an account already, and this is not its password."))
    else:
        form.add_error(None, error.detail)
