"""The roles of a workspace: what each allows, and the ones that it makes for itself."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.audit import selectors as audit
from apps.core import editing
from apps.core.errors import DomainError, NotFound
from apps.core.pages import page
from apps.core.versions import VersionConflict
from apps.iam import assigned, services
from apps.iam.forms import CustomRoleForm, show_refusal
from apps.iam.permission_labels import GROUPS, in_words
from apps.iam.permissions import CUSTOMISABLE
from apps.iam.roles import RoleView


@require_GET
@page("members:read")
def role_list(request: Any) -> HttpResponse:
    """Every role, who has it, and the matrix of what each allows."""
    found = services.list_roles(actor=request.actor)
    matrix = [
        (group, [(label, [permission in role.permissions for role in found]) for permission, label in rows])
        for group, rows in GROUPS
    ]
    context = {"nav": "team", "roles": found, "matrix": matrix, "total": len(found) + 1}
    return render(request, "iam/roles.html", context)


@require_http_methods(["GET", "POST"])
@page("roles:write")
def role_new(request: Any) -> HttpResponse:
    """Make a role."""
    return _edit(request, None)


@require_http_methods(["GET", "POST"])
@page("members:read")
def role(request: Any, role_id: str) -> HttpResponse:
    """One role and who has it; POST changes one of the workspace's own."""
    found = services.get_role(actor=request.actor, role_id=role_id)
    if request.method == "POST":
        request.actor.require("roles:write")
    return _edit(request, found)


@require_POST
@page("roles:write")
def role_delete(request: Any, role_id: UUID) -> HttpResponse:
    """Delete a role that nobody has."""
    try:
        services.delete_role(actor=request.actor, role_id=role_id)
    except NotFound:
        raise
    except DomainError as error:
        messages.error(request, error.detail)
        return HttpResponseRedirect(reverse("iam:role", args=[role_id]))
    messages.success(request, _("The role is deleted."))
    return HttpResponseRedirect(reverse("iam:roles"))


def _edit(request: Any, found: RoleView | None) -> HttpResponse:
    may_write = request.actor.may("roles:write") and (found is None or not found.is_builtin)
    lacking = (found.permissions if found else frozenset()) - request.actor.permissions
    is_changeable = may_write and not lacking
    posted = request.POST if request.method == "POST" and is_changeable else None
    form = CustomRoleForm(posted, initial={"name": found.name if found else ""})
    chosen = set(request.POST.getlist("permissions")) if posted else set(found.permissions if found else ())
    edit, status = editing.opened(found.version) if found else None, 200
    if request.method == "POST":
        status = 400
        if form.is_valid() and is_changeable:
            try:
                _save(request, found, form.cleaned_data["name"], sorted(chosen))
                return HttpResponseRedirect(reverse("iam:roles"))
            except VersionConflict:
                assert found is not None
                found = services.get_role(actor=request.actor, role_id=found.id)
                edit = _overtaken(request, form, found, chosen)
                status = editing.status_of(edit, is_refused=False)
            except DomainError as error:
                show_refusal(form, error)
                status = error.status
    holders = services.holders_of(actor=request.actor, role_id=found.id) if found else []
    context = {
        "nav": "team",
        "role": found,
        "edit": edit,
        "form": form,
        "is_changeable": is_changeable,
        "lacking": in_words(lacking) if may_write else "",
        "groups": [(group, _picks(request, rows, chosen, is_changeable)) for group, rows in GROUPS],
        "holders": [(row, assigned.of_member(row).text) for row in holders],
    }
    return render(request, "iam/role.html", context, status=status)


def _overtaken(request: Any, form: CustomRoleForm, found: RoleView, chosen: set[str]) -> editing.Edit:
    differences = []
    if form.cleaned_data["name"] != found.name:
        differences.append(editing.Difference(_("Name"), found.name))
    if chosen != found.permissions:
        differences.append(editing.Difference(_("What it allows"), in_words(found.permissions)))
    change = audit.last_change(tenant_id=request.tenant.id, entity_type="role", entity_id=found.id)
    return editing.stale(found.version, differences, change)


def _save(request: Any, found: RoleView | None, name: str, permissions: list[str]) -> None:
    if found is None:
        services.create_role(actor=request.actor, name=name, permissions=permissions)
        messages.success(request, _("The role is ready. Give it to somebody on the page of a member."))
        return
    seen = editing.seen(request)
    services.update_role(actor=request.actor, role_id=UUID(found.id), name=name, permissions=permissions, expected=seen)
    messages.success(request, _("The role is changed, at once for everybody who has it."))


def _picks(request: Any, rows: Any, chosen: set[str], is_changeable: bool) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "label": label,
            "is_chosen": name in chosen,
            "refusal": _refusal(request, name) if is_changeable else "",
        }
        for name, label in rows
    ]


def _refusal(request: Any, permission: str) -> str:
    if permission not in CUSTOMISABLE:
        return _("Only the owner; it goes with the ownership.")
    return "" if request.actor.may(permission) else _("You lack this yourself.")
