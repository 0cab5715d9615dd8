"""The workspace's demand for second factors, for those who keep its settings."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.audit import selectors as audit
from apps.core import editing
from apps.core.errors import DomainError
from apps.core.pages import page
from apps.core.versions import VersionConflict
from apps.iam import factors, mfa_policy, stepping_up
from apps.iam.forms import show_refusal
from apps.iam.mfa_forms import PolicyForm


@require_http_methods(["GET", "POST"])
@page("settings:write")
def policy(request: Any) -> HttpResponse:
    """Whether every member needs a second factor, and how long each of them has."""
    now, form = _form(request)
    edit, status = editing.opened(now.version), 200
    if request.method == "POST":
        stepping_up.require_recent(request)
        status = 400
        if form.is_valid():
            try:
                mfa_policy.change(actor=request.actor, expected=editing.seen(request), **form.cleaned_data)
            except VersionConflict:
                now, form = _form(request)
                change = audit.last_change(
                    tenant_id=request.tenant.id, entity_type="tenant", entity_id=request.tenant.id
                )
                edit = editing.stale(now.version, editing.differences(form), change)
                status = editing.status_of(edit, is_refused=False)
            except DomainError as error:
                show_refusal(form, error)
                status = error.status
            else:
                messages.success(request, _("The rule for signing in is saved."))
                return HttpResponseRedirect(reverse("iam:mfa-policy"))
    context = {
        "nav": "settings",
        "form": form,
        "edit": edit,
        "policy": now,
        "has_factor": factors.has_any(request.actor.user_id),
    }
    return render(request, "iam/mfa_policy.html", context, status=status)


def _form(request: Any) -> tuple[mfa_policy.PolicyView, PolicyForm]:
    now = mfa_policy.of(request.actor.tenant_id)
    initial = {"required": now.required_at is not None, "grace_days": now.grace_days}
    return now, PolicyForm(request.POST if request.method == "POST" else None, initial=initial)
