"""The audit trail as the tenant's owners and admins see it."""

from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from apps.audit import selectors
from apps.audit.models import Severity
from apps.core.errors import ValidationFailed
from apps.core.pages import PageRequest, page
from apps.core.rest.paging import PageRequest as Paging


@require_GET
@page("audit:read")
def entry_list(request: PageRequest) -> HttpResponse:
    """Newest first; search and severity are kept in the address."""
    filters = {name: request.GET.get(name, "").replace("\x00", "") for name in ("q", "severity", "action")}
    kept = {name: value for name, value in filters.items() if value}
    try:
        found = selectors.list_entries(actor=request.actor, page=Paging.from_query(request.GET), filters=filters)
    except ValidationFailed:
        return HttpResponseRedirect(reverse("audit:list"))
    context = {
        "nav": "audit",
        "rows": found.rows,
        "filters": filters,
        "severities": Severity.choices,
        "older": "?" + urlencode({**kept, "cursor": found.next_cursor}) if found.next_cursor else "",
        "newest": "?" + urlencode(kept) if request.GET.get("cursor") else "",
    }
    return render(request, "audit/_table.html" if request.htmx.target == "audit-table" else "audit/list.html", context)


@require_GET
@page("audit:read")
def detail(request: PageRequest, entry_id: UUID) -> HttpResponse:
    """One entry with what was before and after."""
    entry = selectors.get_entry(actor=request.actor, entry_id=entry_id)
    return render(request, "audit/detail.html", {"nav": "audit", "entry": entry, **selectors.expanded(entry)})
