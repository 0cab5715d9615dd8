"""The team: members, invitations, and what is done about them."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from apps.audit import selectors as audit
from apps.core import editing
from apps.core.errors import DomainError, NotFound, ValidationFailed
from apps.core.pages import page
from apps.core.rest.paging import PageRequest as Paging
from apps.core.versions import VersionConflict
from apps.iam import assigned, pages, roles, selectors, services, standing, stepping_up
from apps.iam.forms import BanForm, InviteForm, show_refusal
from apps.tenancy import rollout

TABS = [("", gettext_lazy("Everybody")), ("ACTIVE", gettext_lazy("Active")), ("BANNED", gettext_lazy("Banned"))]


@require_http_methods(["GET", "POST"])
@page("members:read")
def team(request: Any) -> HttpResponse:
    """Members with search and tabs, and the invitations that wait; POST invites."""
    form, status = None, 200
    may_invite = request.actor.may("members:write") and not rollout.is_single()
    if may_invite:
        options = roles.options_for(request.actor)
        form = InviteForm(request.POST if request.method == "POST" else None, options=options)
    if request.method == "POST":
        request.actor.require("members:write")
        status = 400
        if form is not None and form.is_valid():
            try:
                row = services.invite(actor=request.actor, **form.cleaned_data)
            except DomainError as error:
                show_refusal(form, error)
                status = error.status
            else:
                messages.success(request, _("An invitation is on its way to %(email)s.") % {"email": row.email})
                return HttpResponseRedirect(reverse("iam:team"))
    context = _listing(request)
    if context is None:
        return HttpResponseRedirect(reverse("iam:team"))
    if request.actor.may("members:write"):
        context["invitations"] = selectors.list_invitations(actor=request.actor, page=Paging(limit=100)).rows
    if request.htmx:
        return render(request, "iam/_members.html", context)
    return render(request, "iam/team.html", context | {"form": form, "nav": "team"}, status=status)


@require_http_methods(["GET", "POST"])
@page("members:read")
def member(request: Any, membership_id: UUID) -> HttpResponse:
    """One member, and what may be done about him; POST gives other roles."""
    row = selectors.get_member(actor=request.actor, membership_id=membership_id)
    found, present = selectors.member_view(row), assigned.of_member(row)
    edit, chosen = editing.opened(found.version), {present.builtin, *(str(role.id) for role in present.custom)}
    if request.method == "POST":
        request.actor.require("members:write")
        wanted, seen = _wanted_roles(request), editing.seen(request)
        try:
            return _act(
                request,
                reverse("iam:member", args=[membership_id]),
                _("The roles are changed."),
                lambda: services.change_roles(
                    actor=request.actor, membership_id=membership_id, roles=wanted, expected=seen
                ),
            )
        except VersionConflict:
            row = selectors.get_member(actor=request.actor, membership_id=membership_id)
            found, present = selectors.member_view(row), assigned.of_member(row)
            change = audit.last_change(tenant_id=row.tenant_id, entity_type="membership", entity_id=membership_id)
            edit = editing.stale(found.version, [editing.Difference(_("Roles"), present.text)], change)
            chosen = {request.POST.get("builtin", ""), *request.POST.getlist("custom")}
    is_within_reach = standing.stands_below(present.permissions, request.actor.permissions)
    may_write = request.actor.may("members:write") and is_within_reach
    options = roles.options_for(request.actor) if may_write else []
    is_self = found.user_id == request.actor.user_id
    context = {
        "nav": "team",
        "member": found,
        "roles": present.text,
        "present": chosen,
        "edit": edit,
        "is_self": is_self,
        "may_change": may_write and not is_self,
        "builtin": [option for option in options if option.role.is_builtin],
        "custom": [option for option in options if not option.role.is_builtin],
        "may_remove": may_write and not is_self,
        "may_transfer": request.actor.may("ownership:transfer") and not is_self and found.status == "ACTIVE",
        "ban_form": BanForm(),
    }
    return render(request, "iam/member.html", context, status=editing.status_of(edit, is_refused=False))


def _wanted_roles(request: Any) -> list[str]:
    return [word for word in (request.POST.get("builtin"), *request.POST.getlist("custom")) if word]


@require_POST
@page("members:write")
def ban(request: Any, membership_id: UUID) -> HttpResponse:
    """Keep a member out, for good or for some days."""
    form, path = BanForm(request.POST), reverse("iam:member", args=[membership_id])
    if not form.is_valid():
        messages.error(request, _("Give the days as a whole number, or nothing."))
        return HttpResponseRedirect(path)
    return _act(
        request,
        path,
        _("The member is banned and signed out."),
        lambda: services.ban_member(
            actor=request.actor, membership_id=membership_id, reason=form.cleaned_data["reason"], until=form.until()
        ),
    )


@require_POST
@page("members:write")
def unban(request: Any, membership_id: UUID) -> HttpResponse:
    """Let a member in again."""
    path = reverse("iam:member", args=[membership_id])
    return _act(
        request,
        path,
        _("The member may sign in again."),
        lambda: services.unban_member(actor=request.actor, membership_id=membership_id),
    )


@require_POST
@page("members:write")
def remove(request: Any, membership_id: UUID) -> HttpResponse:
    """Take a member out."""
    return _act(
        request,
        reverse("iam:team"),
        _("The member is removed."),
        lambda: services.remove_member(actor=request.actor, membership_id=membership_id),
    )


@require_POST
@page("ownership:transfer")
def transfer(request: Any, membership_id: UUID) -> HttpResponse:
    """Make another member the owner."""
    stepping_up.require_recent(request)
    path = reverse("iam:member", args=[membership_id])
    return _act(
        request,
        path,
        _("The ownership is transferred. You are a member now."),
        lambda: services.transfer_ownership(actor=request.actor, membership_id=membership_id),
    )


@require_POST
@page("members:write")
def revoke(request: Any, invitation_id: UUID) -> HttpResponse:
    """Void an invitation."""
    return _act(
        request,
        reverse("iam:team"),
        _("The invitation is revoked."),
        lambda: services.revoke_invitation(actor=request.actor, invitation_id=invitation_id),
    )


@require_POST
@page("members:write")
def resend(request: Any, invitation_id: UUID) -> HttpResponse:
    """Mail an invitation anew."""
    return _act(
        request,
        reverse("iam:team"),
        _("A new link is on its way."),
        lambda: services.resend_invitation(actor=request.actor, invitation_id=invitation_id),
    )


def _act(request: Any, path: str, told: str, work: Callable[[], object]) -> HttpResponse:
    try:
        work()
        messages.success(request, told)
    except (NotFound, VersionConflict):
        raise
    except DomainError as error:
        messages.error(request, error.detail)
    return HttpResponseRedirect(path)


def _listing(request: Any) -> dict[str, Any] | None:
    filters = {name: request.GET.get(name, "").replace("\x00", "") for name in ("q", "role", "status")}
    try:
        paging = Paging.from_query(request.GET)
    except ValidationFailed:
        return None
    found = selectors.list_members(actor=request.actor, page=paging, filters=filters)
    pictures = pages.pictures_of(request.tenant.id, [row.user_id for row in found.rows])
    kept = {name: value for name, value in filters.items() if value}
    others = {name: value for name, value in kept.items() if name != "status"}
    return {
        "rows": [
            (selectors.member_view(row), ", ".join(map(str, assigned.of_member(row).labels)), pictures.get(row.user_id))
            for row in found.rows
        ],
        "q": filters["q"],
        "role": filters["role"],
        "status": filters["status"],
        "tabs": [
            {
                "name": name,
                "href": "?" + urlencode(others | ({"status": key} if key else {})),
                "active": filters["status"] == key,
            }
            for key, name in TABS
        ],
        "older": "?" + urlencode(kept | {"cursor": found.next_cursor}) if found.next_cursor else "",
        "newest": "?" + urlencode(kept) if request.GET.get("cursor") else "",
        "is_filtered": bool(kept),
    }
