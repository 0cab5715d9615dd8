"""Pages: the notification centre, the bell's list, and the e-mails about an object."""

from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from apps.core.errors import NotFound
from apps.core.pages import PageRequest, page
from apps.core.rest.paging import PageRequest as Window
from apps.notifications import push, selectors, services

# Who may see the e-mails about which kind of object.
_RELATED = {"invoice": "invoices:read", "payment": "payments:read"}


@require_GET
@page()
def notification_list(request: PageRequest) -> HttpResponse:
    """Everything that the member was told, newest first; ``?show=unread`` for what waits."""
    unread = request.GET.get("show") == "unread"
    found = selectors.list_notifications(actor=request.actor, page=Window.from_query(request.GET), unread=unread)
    context = {"page": found, "show": "unread" if unread else "all", "nav": "notifications"}
    more = request.htmx and request.GET.get("cursor")
    return render(request, "notifications/_items.html" if more else "notifications/list.html", context)


@require_GET
@page()
def bell(request: PageRequest) -> HttpResponse:
    """The latest few, for the popover behind the bell."""
    context = {
        "notifications": selectors.bell(actor=request.actor),
        "unread": selectors.unread_count(actor=request.actor),
        "cursor": selectors.cursor(actor=request.actor),
    }
    response = render(request, "notifications/_bell.html", context)
    # For a page without a socket, which asks for the number alone.
    response["X-Unread-Count"] = str(context["unread"])
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@page()
def read_all(request: PageRequest) -> HttpResponseBase:
    """Mark everything read."""
    if services.mark_all_read(actor=request.actor):
        push.poke_own(request.actor)
    # A redirect is followed by htmx as well, so one answer serves both.
    return redirect("notifications:bell" if request.htmx else _back(request))


@require_POST
@page()
def open_notification(request: PageRequest, notification_id: UUID) -> HttpResponseBase:
    """Mark one read and go to what it is about."""
    url = services.mark_read(actor=request.actor, notification_id=notification_id, is_read=True)
    push.poke_own(request.actor)
    return redirect(url or "notifications:list")


@require_POST
@page()
def delete(request: PageRequest, notification_id: UUID) -> HttpResponseBase:
    """Remove one."""
    services.delete_notification(actor=request.actor, notification_id=notification_id)
    push.poke_own(request.actor)
    # htmx takes the row out of the page by swapping nothing in.
    return HttpResponse() if request.htmx else redirect(_back(request))


@require_GET
@page()
def deliveries(request: PageRequest, related_type: str, related_id: UUID) -> HttpResponse:
    """The e-mails about an object, for its timeline."""
    if related_type not in _RELATED:
        raise NotFound
    request.actor.require(_RELATED[related_type])
    found = selectors.deliveries_for(tenant_id=request.tenant.id, related_type=related_type, related_id=related_id)
    return render(request, "notifications/_deliveries.html", {"deliveries": found})


def _back(request: PageRequest) -> str:
    target = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        return target
    return reverse("notifications:list")
