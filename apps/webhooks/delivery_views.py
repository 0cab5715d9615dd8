"""The log of webhook deliveries: what was sent, what came back, and sending it again."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from apps.core.clock import utcnow
from apps.core.errors import DomainError, NotFound, ValidationFailed
from apps.core.pages import PageRequest, page
from apps.core.rest.paging import MAX_LIMIT
from apps.core.rest.paging import PageRequest as Paging
from apps.webhooks import figures, selectors, services
from apps.webhooks.catalogue import CATALOGUE, Resource
from apps.webhooks.event_labels import FAMILIES, TEST, label_of
from apps.webhooks.models import WAITING, DeliveryState
from apps.webhooks.selectors import PERMISSION, DeliveryFilters, DeliveryView
from apps.webhooks.views import settings_context

TABS = [
    ("", gettext_lazy("All")),
    ("pending", gettext_lazy("Waiting")),
    ("succeeded", gettext_lazy("Arrived")),
    ("dead", gettext_lazy("Given up")),
]
# Whoever looks on while an attempt is near sees its outcome without asking.
NEAR = timedelta(minutes=2)
_PAGES = {
    Resource.CLIENT: "clients:detail",
    Resource.INVOICE: "invoices:detail",
    Resource.PAYMENT: "payments:detail",
    Resource.MEMBER: "iam:member",
}


@require_GET
@page(PERMISSION)
def delivery_list(request: PageRequest) -> HttpResponse:
    """Newest first; tabs with counts, filters kept in the address."""
    kept = {name: request.GET.get(name, "") for name in ("endpoint_id", "event_type") if request.GET.get(name)}
    state = request.GET.get("state", "")
    here = kept | ({"state": state} if state else {})
    try:
        filters = DeliveryFilters.from_query(here)
        found = selectors.list_deliveries(actor=request.actor, page=Paging.from_query(request.GET), filters=filters)
    except ValidationFailed:
        return HttpResponseRedirect(reverse("webhooks:deliveries"))
    counts = figures.count_by_state(actor=request.actor, filters=filters)
    endpoints = selectors.list_endpoints(actor=request.actor, page=Paging(limit=MAX_LIMIT)).rows
    context = settings_context(
        rows=found.rows,
        kept=kept,
        state=state,
        tabs=[
            {
                "name": name,
                "href": "?" + urlencode(kept | ({"state": key} if key else {})),
                "active": state == key,
                "count": counts[key.upper()] if key else sum(counts.values()),
            }
            for key, name in TABS
        ],
        endpoints=[{"id": str(one.id), "url": one.url} for one in endpoints],
        families=[(name, events) for _pattern, name, events in FAMILIES] + [(TEST[1], [TEST])],
        older="?" + urlencode({**here, "cursor": found.next_cursor}) if found.next_cursor else "",
        newest="?" + urlencode(here) if request.GET.get("cursor") else "",
    )
    return render(request, "webhooks/deliveries.html", context)


@require_GET
@page(PERMISSION)
def delivery(request: PageRequest, delivery_id: UUID) -> HttpResponse:
    """One delivery with each attempt; a page that looks on is told only what is new."""
    found = selectors.get_delivery(actor=request.actor, delivery_id=delivery_id)
    seen = _seen(found.delivery)
    if request.htmx and request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    context = settings_context(
        delivery=found.delivery,
        event_label=label_of(found.delivery.event_type),
        log=list(reversed(found.log)),
        payload=found.payload,
        why=_why(found.delivery),
        payload_shown=_laid_out(found.payload),
        subject_href=_page_of(found.delivery),
        seen=seen,
        looks_on=_is_near(found.delivery),
    )
    return render(request, "webhooks/delivery.html", context)


@require_POST
@page(PERMISSION)
def replay(request: PageRequest, delivery_id: UUID) -> HttpResponse:
    """Send it again, with all attempts anew."""
    try:
        services.replay(actor=request.actor, delivery_id=delivery_id)
    except NotFound:
        raise
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("The event is sent again."))
    return HttpResponseRedirect(reverse("webhooks:delivery", args=[delivery_id]))


def _seen(found: DeliveryView) -> str:
    return f"{found.state}-{found.attempts}"


def _is_near(found: DeliveryView) -> bool:
    return found.state == DeliveryState.SENDING or (
        found.state in WAITING and found.next_attempt_at is not None and found.next_attempt_at - utcnow() < NEAR
    )


def _page_of(found: DeliveryView) -> str:
    """Where the thing is shown that the event is about, if there is such a page."""
    kind = CATALOGUE.get(found.event_type)
    route = _PAGES.get(kind.resource) if kind else None
    return reverse(route, args=[found.subject_id]) if route and found.subject_id else ""


def _why(found: DeliveryView) -> str:
    """Why it did not arrive, in the reader's language."""
    if found.last_status and found.last_error.endswith(f" {found.last_status}."):
        return _("The endpoint last answered %(status)s.") % {"status": found.last_status}
    return _(found.last_error) if found.last_error else ""


def _laid_out(payload: str) -> str:
    value: Any = json.loads(payload)
    return json.dumps(value, indent=2, ensure_ascii=False)
