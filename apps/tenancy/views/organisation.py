"""Name, address, region and tax numbers of the organisation."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.audit import selectors as audit
from apps.core import editing
from apps.core.errors import DomainError, NotFound
from apps.core.pages import PageRequest, error_page, page
from apps.core.versions import VersionConflict
from apps.tenancy import profile, selectors, tax_ids
from apps.tenancy.forms import OrganisationForm, RegionForm, TaxIdForm, show_refusal
from apps.tenancy.selectors import TenantView


@require_http_methods(["GET", "POST"])
@page("settings:write")
def organisation(request: PageRequest) -> HttpResponse:
    """Names, e-mail, address."""
    return _edit(request, OrganisationForm, "settings", "tenancy/organisation.html", "organisation")


@require_http_methods(["GET", "POST"])
@page("settings:write")
def region(request: PageRequest) -> HttpResponse:
    """Currency, language, time zone."""
    return _edit(request, RegionForm, "settings-region", "tenancy/region.html", "region")


@require_http_methods(["GET", "POST"])
@page("settings:write")
def tax_numbers(request: PageRequest) -> HttpResponse:
    """The list, and a form for one more."""
    form = TaxIdForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            tax_ids.add_tax_id(actor=request.actor, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, _("The number stands on your next invoices."))
            return HttpResponseRedirect(reverse("settings-tax-ids"))
    context = {"tax_ids": tax_ids.list_tax_ids(actor=request.actor), "form": form}
    return render(request, "tenancy/tax_ids.html", settings_context("tax-ids", **context), status=status_of(form))


@require_POST
@page("settings:write")
def remove_tax_number(request: PageRequest, tax_id: UUID) -> HttpResponse:
    """Take a number off coming invoices."""
    try:
        tax_ids.remove_tax_id(actor=request.actor, tax_id=tax_id)
    except NotFound as error:
        return error_page(request, error)
    messages.success(request, _("The number is removed."))
    return HttpResponseRedirect(reverse("settings-tax-ids"))


def settings_context(tab: str, **values: Any) -> dict[str, Any]:
    """What every page of the settings needs: where one is."""
    return {"nav": "settings", "tab": tab, **values}


def status_of(form: forms.Form) -> int:
    """400 for a form that was refused."""
    return 400 if form.errors else 200


def _edit(request: PageRequest, form_class: type[forms.Form], route: str, template: str, tab: str) -> HttpResponse:
    form = form_class(request.POST or None, initial=_values(form_class, request.tenant))
    edit = editing.opened(request.tenant.version_of(form_class.base_fields))
    if request.method == "POST" and form.is_valid():
        try:
            profile.update_settings(actor=request.actor, changes=form.cleaned_data, expected=editing.seen(request))
        except VersionConflict:
            now = selectors.tenant_by_id(request.tenant.id)
            form = form_class(request.POST, initial=_values(form_class, now))
            change = audit.last_change(tenant_id=now.id, entity_type="tenant", entity_id=now.id)
            version = now.version_of(form_class.base_fields)
            edit = editing.stale(version, editing.differences(form), change)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, _("The settings are saved."))
            return HttpResponseRedirect(reverse(route))
    status = editing.status_of(edit, is_refused=bool(form.errors))
    return render(request, template, settings_context(tab, form=form, edit=edit), status=status)


def _values(form_class: type[forms.Form], tenant: TenantView) -> dict[str, Any]:
    return {name: getattr(tenant, name) for name in form_class.base_fields}
