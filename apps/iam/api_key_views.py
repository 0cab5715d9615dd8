"""API keys in the settings: list, make, rotate, revoke. A new secret is on the answer's page alone."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.core.errors import DomainError, NotFound, ValidationFailed
from apps.core.pages import page
from apps.core.rest.paging import PageRequest as Paging
from apps.iam import api_keys, stepping_up
from apps.iam.api_key_forms import ApiKeyForm, RotateForm
from apps.iam.api_key_models import ApiKey
from apps.iam.api_keys import NewSecret
from apps.iam.forms import show_refusal
from apps.iam.permission_labels import GROUPS


@require_GET
@page(api_keys.PERMISSION)
def api_keys_page(request: Any) -> HttpResponse:
    """The workspace's keys, or the revoked ones among them."""
    with_revoked = request.GET.get("show") == "all"
    try:
        paging = Paging.from_query(request.GET)
    except ValidationFailed:
        return HttpResponseRedirect(reverse("iam:api-keys"))
    found = api_keys.list_api_keys(actor=request.actor, page=paging, with_revoked=with_revoked)
    kept = "show=all&" if with_revoked else ""
    context = {
        "rows": [_row(request, key) for key in found.rows],
        "with_revoked": with_revoked,
        "older": f"?{kept}cursor={found.next_cursor}" if found.next_cursor else "",
        "newest": f"?{kept}" if request.GET.get("cursor") else "",
    }
    return render(request, "iam/api_keys.html", _context(context))


@never_cache
@require_http_methods(["GET", "POST"])
@page(api_keys.PERMISSION)
def create(request: Any) -> HttpResponse:
    """Make a key."""
    stepping_up.require_recent(request)
    form = ApiKeyForm(request.POST if request.method == "POST" else None)
    chosen = set(request.POST.getlist("scopes"))
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                made = api_keys.create_api_key(
                    actor=request.actor, family_id=request.identity.family_id, scopes=chosen, **form.wanted()
                )
                return _shown_once(request, made)
            except DomainError as error:
                show_refusal(form, error)
                status = error.status
    groups = [(group, _picks(request, rows, chosen)) for group, rows in GROUPS]
    context = {"form": form, "groups": [(group, picks) for group, picks in groups if picks]}
    return render(request, "iam/api_key_new.html", _context(context), status=status)


@never_cache
@require_POST
@page(api_keys.PERMISSION)
def rotate(request: Any, key_id: UUID) -> HttpResponse:
    """A new secret for one's own key."""
    stepping_up.require_recent(request)
    form = RotateForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose how long the present secret stays good."))
        return _back()
    overlap, family_id = timedelta(hours=int(form.cleaned_data["overlap"])), request.identity.family_id
    try:
        made = api_keys.rotate_api_key(actor=request.actor, family_id=family_id, key_id=key_id, overlap=overlap)
        return _shown_once(request, made)
    except NotFound:
        raise
    except DomainError as error:
        messages.error(request, error.detail)
    return _back()


@require_POST
@page(api_keys.PERMISSION)
def revoke(request: Any, key_id: UUID) -> HttpResponse:
    """End a key."""
    try:
        api_keys.revoke_api_key(actor=request.actor, key_id=key_id)
    except NotFound:
        raise
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("The key is revoked. Programs that use it are refused from now on."))
    return _back()


def _shown_once(request: Any, made: NewSecret) -> HttpResponse:
    context = {"key": made.key, "secret": made.secret, "signing_secret": made.signing_secret}
    return render(request, "iam/api_key_secret.html", _context(context))


def _row(request: Any, key: ApiKey) -> dict[str, Any]:
    is_alive = key.state == "ACTIVE"
    return {
        "key": key,
        "state": key.state,
        "can_rotate": is_alive and key.user_id == request.actor.user_id,
        "can_revoke": key.revoked_at is None,
        "rotate_form": RotateForm(auto_id=f"id_%s_{key.id}"),
    }


def _picks(request: Any, rows: Any, chosen: set[str]) -> list[dict[str, Any]]:
    return [
        {"name": name, "label": label, "is_chosen": name in chosen}
        for name, label in rows
        if name in api_keys.SCOPES and request.actor.may(name)
    ]


def _context(values: dict[str, Any]) -> dict[str, Any]:
    return {"nav": "settings", "tab": "api-keys", **values}


def _back() -> HttpResponse:
    return HttpResponseRedirect(reverse("iam:api-keys"))
