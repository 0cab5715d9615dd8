"""The owner's pages that close a workspace: suspend, reactivate, delete, and bring back what was deleted."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.core.errors import DomainError
from apps.core.pages import PageRequest, page
from apps.core.serving import served
from apps.iam import browser, credentials, redirects, restoring, stepping_up
from apps.iam.credentials import MAX_PASSWORD
from apps.iam.errors import InvalidCredentials
from apps.tenancy import deleting, rollout
from apps.tenancy import selectors as tenancy
from apps.tenancy import services as tenancy_services


class DeleteForm(forms.Form):
    """What proves that somebody means it: the workspace's name and his password."""

    name = forms.CharField(
        label=gettext_lazy("Name of the workspace"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=gettext_lazy("Your password"),
        max_length=MAX_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._expected = expected

    def clean_name(self) -> str:
        """The name exactly, but for spaces around it.

        Raises:
            ValidationError: another name.
        """
        if self.cleaned_data["name"] != self._expected:
            raise forms.ValidationError(_("This is not the name of the workspace."))
        return self._expected


@require_GET
@page("tenant:delete")
def zone(request: PageRequest) -> HttpResponse:
    """What can be closed, and what that means."""
    return _zone(request, DeleteForm(expected=request.tenant.name))


@served("writes_when_suspended")
@require_POST
@page("tenant:suspend")
def suspend(request: PageRequest) -> HttpResponse:
    """Make the workspace read-only."""
    reason = request.POST.get("reason", "")[:300].replace("\x00", "")
    return _after(request, lambda: tenancy_services.suspend_tenant(
        actor=request.actor, tenant_id=request.tenant.id, reason=reason
    ), _("The workspace is suspended."))  # fmt: skip


@served("writes_when_suspended")
@require_POST
@page("tenant:suspend")
def reactivate(request: PageRequest) -> HttpResponse:
    """Let its people work again."""
    return _after(request, lambda: tenancy_services.reactivate_tenant(
        actor=request.actor, tenant_id=request.tenant.id
    ), _("The workspace is active again."))  # fmt: skip


@served("writes_when_suspended")
@never_cache
@sensitive_post_parameters("password")
@require_POST
@page("tenant:delete")
def delete(request: PageRequest) -> HttpResponse:
    """Close the workspace to everybody; the answer says until when it can be brought back."""
    stepping_up.require_recent(request)
    form = DeleteForm(request.POST, expected=request.tenant.name)
    if not form.is_valid():
        return _zone(request, form, status=400)
    try:
        credentials.verify(email=request.actor.email, password=form.cleaned_data["password"], origin=request.origin)
        purge_after = deleting.delete_tenant(actor=request.actor, tenant_id=request.tenant.id)
    except InvalidCredentials:
        form.add_error("password", _("This is not your password."))
        return _zone(request, form, status=400)
    except DomainError as error:
        form.add_error(None, error.detail)
        return _zone(request, form, status=error.status)
    browser.forget(request)
    context = {"name": request.tenant.name, "purge_after": purge_after, "email": request.actor.email}
    return render(request, "iam/workspace_deleted.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def restore(request: Any, token: str) -> HttpResponse:
    """The page behind the link in the owner's mail, on the platform's host."""
    if request.method == "POST":
        found = restoring.restore_by_link(token=token, origin=request.origin)
        return HttpResponseRedirect(redirects.sign_in_url(tenancy.tenant_by_id(found.tenant_id)))
    return render(request, "iam/workspace_restore.html", {"deletion": restoring.deletion_of_link(token)})


def _after(request: PageRequest, act: Any, done: str) -> HttpResponse:
    try:
        act()
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, done)
    return HttpResponseRedirect(reverse("life:danger"))


def _zone(request: PageRequest, form: DeleteForm, *, status: int = 200) -> HttpResponse:
    state = tenancy.suspension(request.tenant.id)
    context = {
        "nav": "settings",
        "form": form,
        "is_suspended": not request.tenant.is_active,
        "suspension": state,
        "is_mine_to_lift": state.suspended_by in ("", "USER"),
        "can_delete": not rollout.is_single(),
        "grace_days": deleting.grace_days(),
    }
    return render(request, "iam/danger.html", context, status=status)
