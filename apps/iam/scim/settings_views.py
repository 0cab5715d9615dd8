"""The settings' page of the directory: its tokens, and which group gives which role."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from apps.core.errors import DomainError, NotFound
from apps.core.pages import page
from apps.iam import stepping_up
from apps.iam.forms import show_refusal
from apps.iam.scim import answers, groups, tokens
from apps.iam.scim.tokens import PERMISSION, ScimTokenView
from apps.iam.sso import mail_domains
from apps.iam.sso.settings_views import role_choices


class TokenForm(forms.Form):
    """A new token."""

    name = forms.CharField(
        label=gettext_lazy("Directory"), max_length=60, widget=forms.TextInput(attrs={"placeholder": "Microsoft Entra"})
    )


@never_cache
@require_http_methods(["GET", "POST"])
@page(PERMISSION)
def directory(request: Any) -> HttpResponse:
    """Tokens and groups; a POST makes a token, which its answer alone shows."""
    form, status = TokenForm(request.POST or None), 200
    if request.method == "POST":
        stepping_up.require_recent(request)
        status = 400
        if form.is_valid():
            try:
                family_id = request.identity.family_id
                made = tokens.create_token(actor=request.actor, family_id=family_id, name=form.cleaned_data["name"])
                return _shown_once(request, *made)
            except DomainError as error:
                show_refusal(form, error)
                status = error.status
    context = _context(
        request,
        form=form,
        tokens=tokens.list_tokens(actor=request.actor),
        groups=groups.list_groups(actor=request.actor),
        roles=role_choices(request),
        has_domain=bool(mail_domains.verified_domains(request.tenant.id)),
    )
    return render(request, "iam/scim/settings.html", context, status=status)


@never_cache
@require_POST
@page(PERMISSION)
def rotate(request: Any, scim_token_id: UUID) -> HttpResponse:
    """A new secret for a token."""
    stepping_up.require_recent(request)
    family_id = request.identity.family_id
    made = tokens.rotate_token(actor=request.actor, family_id=family_id, token_id=scim_token_id)
    return _shown_once(request, *made)


@require_POST
@page(PERMISSION)
def revoke(request: Any, scim_token_id: UUID) -> HttpResponse:
    """End a token."""
    tokens.revoke_token(actor=request.actor, token_id=scim_token_id)
    messages.success(request, _("The token is revoked."))
    return _back()


@require_POST
@page(PERMISSION)
def map_group(request: Any, group_id: UUID) -> HttpResponse:
    """Give a group a role."""
    stepping_up.require_recent(request)
    try:
        groups.map_group(actor=request.actor, group_id=group_id, role=request.POST.get("role", "")[:60])
    except NotFound:
        raise
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("The members of this group have the role now."))
    return _back()


def _shown_once(request: Any, made: ScimTokenView, secret: str) -> HttpResponse:
    return render(request, "iam/scim/secret.html", _context(request, made=made, secret=secret))


def _context(request: Any, **values: Any) -> dict[str, Any]:
    return {"nav": "settings", "tab": "directory", "base_url": f"{request.tenant.home_url}{answers.PREFIX}", **values}


def _back() -> HttpResponse:
    return HttpResponseRedirect(reverse("iam:directory"))
