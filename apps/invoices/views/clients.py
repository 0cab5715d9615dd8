"""The team's client pages."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.audit import selectors as audit
from apps.core import editing
from apps.core.errors import DomainError, NotFound, ValidationFailed
from apps.core.pages import PageRequest, error_page, page
from apps.core.rest.paging import PageRequest as Paging
from apps.core.versions import VersionConflict
from apps.invoices import selectors, services
from apps.invoices.forms import ClientForm, attach
from apps.invoices.selectors import ClientView, InvoiceFilters
from apps.invoices.views.invoices import STATUS_NAMES


@require_GET
@page("clients:read")
def client_list(request: PageRequest) -> HttpResponse:
    """Clients with their balances; search is kept in the address."""
    try:
        paging = Paging.from_query(request.GET)
    except ValidationFailed:
        return HttpResponseRedirect(reverse("clients:list"))
    q = request.GET.get("q", "")
    found = selectors.list_clients(actor=request.actor, page=paging, q=q)
    context = {
        "nav": "clients",
        "rows": found.rows,
        "q": q,
        "older": "?" + urlencode({"q": q, "cursor": found.next_cursor}) if found.next_cursor else "",
        "newest": "?" + urlencode({"q": q}) if request.GET.get("cursor") else "",
    }
    return render(
        request, "clients/_table.html" if request.htmx.target == "client-table" else "clients/list.html", context
    )


@require_GET
@page("clients:read")
def detail(request: PageRequest, client_id: UUID) -> HttpResponse:
    """One client: balances, invoices, address."""
    try:
        found = selectors.get_client(actor=request.actor, client_id=client_id)
    except NotFound as error:
        return error_page(request, error)
    invoices = selectors.list_invoices(
        actor=request.actor, page=Paging(limit=10), filters=InvoiceFilters(client_id=client_id)
    )
    context = {"nav": "clients", "found": found, "rows": invoices.rows, "status_names": STATUS_NAMES}
    return render(request, "clients/detail.html", context)


@require_http_methods(["GET", "POST"])
@page("clients:write")
def create(request: PageRequest) -> HttpResponse:
    """A new client."""
    initial = {"currency": request.tenant.currency, "locale": request.tenant.locale}
    form = ClientForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        fields: Any = form.cleaned_data
        try:
            client = services.create_client(actor=request.actor, fields=fields)
        except ValidationFailed as error:
            attach(form, error.errors)
        else:
            messages.success(request, _("%(name)s is on your list.") % {"name": client.name})
            return HttpResponseRedirect(reverse("clients:detail", args=[client.id]))
    return _form(request, form, None)


@require_http_methods(["GET", "POST"])
@page("clients:write")
def edit(request: PageRequest, client_id: UUID) -> HttpResponse:
    """Change a client; issued invoices keep what they say."""
    try:
        client = selectors.get_client(actor=request.actor, client_id=client_id).client
    except NotFound as error:
        return error_page(request, error)
    form = ClientForm(request.POST or None, initial=_values(client))
    if request.method == "POST" and form.is_valid():
        changes: Any = form.cleaned_data
        try:
            services.update_client(
                actor=request.actor, client_id=client_id, changes=changes, expected=editing.seen(request)
            )
        except VersionConflict:
            return _overtaken(request, client_id)
        except ValidationFailed as error:
            attach(form, error.errors)
        except DomainError as error:
            return error_page(request, error)
        else:
            messages.success(request, _("The client is saved."))
            return HttpResponseRedirect(reverse("clients:detail", args=[client_id]))
    return _form(request, form, client)


@require_POST
@page("clients:write")
def delete(request: PageRequest, client_id: UUID) -> HttpResponse:
    """Take a client off the list; its invoices stay."""
    try:
        services.delete_client(actor=request.actor, client_id=client_id)
    except DomainError as error:
        return error_page(request, error)
    messages.success(request, _("The client is off your list. Its invoices stay."))
    return HttpResponseRedirect(reverse("clients:list"))


def _overtaken(request: PageRequest, client_id: UUID) -> HttpResponse:
    client = selectors.get_client(actor=request.actor, client_id=client_id).client
    form = ClientForm(request.POST, initial=_values(client))
    change = audit.last_change(tenant_id=request.tenant.id, entity_type="client", entity_id=client_id)
    return _form(request, form, client, editing.stale(client.version, editing.differences(form), change))


def _values(client: ClientView) -> dict[str, Any]:
    return {name: getattr(client, name) for name in ClientForm.base_fields}


def _form(
    request: PageRequest, form: ClientForm, client: ClientView | None, edit: editing.Edit | None = None
) -> HttpResponse:
    edit = edit or (editing.opened(client.version) if client else None)
    context = {"nav": "clients", "form": form, "client": client, "edit": edit}
    return render(request, "clients/edit.html", context, status=editing.status_of(edit, is_refused=bool(form.errors)))
