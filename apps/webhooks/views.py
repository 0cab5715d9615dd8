"""Webhook endpoints in the settings: list, make, change, and what is done about one. A new secret is shown once."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.audit import selectors as audit
from apps.core import editing
from apps.core.editing import Difference
from apps.core.errors import DomainError, NotFound, ValidationFailed
from apps.core.pages import PageRequest, page
from apps.core.rest.paging import PageRequest as Paging
from apps.core.versions import VersionConflict
from apps.iam import stepping_up
from apps.webhooks import figures, selectors, services
from apps.webhooks.catalogue import EVERYTHING
from apps.webhooks.event_labels import FAMILIES
from apps.webhooks.figures import Outcomes
from apps.webhooks.forms import EndpointForm, ReplayForm, RotateForm, picked, replay_form, show_refusal
from apps.webhooks.selectors import PERMISSION, DeliveryFilters, EndpointView

RECENT = 10


@require_GET
@page(PERMISSION)
def endpoint_list(request: PageRequest) -> HttpResponse:
    """All endpoints, and how their last deliveries went."""
    try:
        paging = Paging.from_query(request.GET)
    except ValidationFailed:
        return HttpResponseRedirect(reverse("webhooks:list"))
    found = selectors.list_endpoints(actor=request.actor, page=paging)
    outcomes = figures.last_outcomes(actor=request.actor, endpoint_ids=[row.id for row in found.rows])
    context = {
        "rows": [{"endpoint": row, "outcomes": outcomes.get(row.id, Outcomes())} for row in found.rows],
        "older": f"?cursor={found.next_cursor}" if found.next_cursor else "",
        "newest": reverse("webhooks:list") if request.GET.get("cursor") else "",
    }
    return render(request, "webhooks/list.html", settings_context(**context))


@never_cache
@require_http_methods(["GET", "POST"])
@page(PERMISSION)
def create(request: PageRequest) -> HttpResponse:
    """A new endpoint."""
    stepping_up.require_recent(request)
    form = EndpointForm(request.POST if request.method == "POST" else None)
    chosen = request.POST.getlist("event_types")
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_endpoint(actor=request.actor, event_types=picked(chosen), **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            return _shown_once(request, made.endpoint, made.secret)
    return _editor(request, form, chosen, None)


@require_GET
@page(PERMISSION)
def endpoint(request: PageRequest, endpoint_id: UUID) -> HttpResponse:
    """One endpoint: what it listens to, how it does, and what can be done about it."""
    found = selectors.get_endpoint(actor=request.actor, endpoint_id=endpoint_id)
    return _detail(request, found)


@require_http_methods(["GET", "POST"])
@page(PERMISSION)
def edit(request: PageRequest, endpoint_id: UUID) -> HttpResponse:
    """Another address, description or other events."""
    found = selectors.get_endpoint(actor=request.actor, endpoint_id=endpoint_id)
    stepping_up.require_recent(request)
    form = EndpointForm(request.POST or None, initial=_initial(found))
    chosen = request.POST.getlist("event_types") if request.method == "POST" else list(found.event_types)
    opened = editing.opened(found.version)
    if request.method == "POST" and form.is_valid():
        changes: Any = {**form.cleaned_data, "event_types": picked(chosen)}
        try:
            services.update_endpoint(
                actor=request.actor, endpoint_id=endpoint_id, changes=changes, expected=editing.seen(request)
            )
        except VersionConflict:
            found = selectors.get_endpoint(actor=request.actor, endpoint_id=endpoint_id)
            form = EndpointForm(request.POST, initial=_initial(found))
            opened = _overtaken(request, found, form, chosen)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, _("The endpoint is saved."))
            return _to(endpoint_id)
    return _editor(request, form, chosen, found, opened)


@never_cache
@require_POST
@page(PERMISSION)
def rotate(request: PageRequest, endpoint_id: UUID) -> HttpResponse:
    """A new secret."""
    stepping_up.require_recent(request)
    form = RotateForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose how long the present secret signs along."))
        return _to(endpoint_id)
    try:
        made = services.rotate_secret(actor=request.actor, endpoint_id=endpoint_id, overlap=form.wanted())
    except NotFound:
        raise
    except DomainError as error:
        messages.error(request, error.detail)
        return _to(endpoint_id)
    return _shown_once(request, made.endpoint, made.secret)


@require_POST
@page(PERMISSION)
def enable(request: PageRequest, endpoint_id: UUID) -> HttpResponse:
    """Tell it again."""
    done = _("The endpoint is told again from now on. What it missed you can replay.")
    return _act(request, endpoint_id, done, lambda: services.enable_endpoint(**_of(request, endpoint_id)))


@require_POST
@page(PERMISSION)
def disable(request: PageRequest, endpoint_id: UUID) -> HttpResponse:
    """Tell it nothing any more."""
    done = _("The endpoint is told nothing any more.")
    return _act(request, endpoint_id, done, lambda: services.disable_endpoint(**_of(request, endpoint_id)))


@require_POST
@page(PERMISSION)
def delete(request: PageRequest, endpoint_id: UUID) -> HttpResponse:
    """Remove it with its log."""
    services.delete_endpoint(**_of(request, endpoint_id))
    messages.success(request, _("The endpoint and its log are removed."))
    return HttpResponseRedirect(reverse("webhooks:list"))


@require_POST
@page(PERMISSION)
def test(request: PageRequest, endpoint_id: UUID) -> HttpResponse:
    """Ask the receiver; the delivery's page shows what it says."""
    try:
        found = services.send_test_event(actor=request.actor, endpoint_id=endpoint_id)
    except NotFound:
        raise
    except DomainError as error:
        messages.error(request, error.detail)
        return _to(endpoint_id)
    return HttpResponseRedirect(reverse("webhooks:delivery", args=[found.id]))


@require_POST
@page(PERMISSION)
def replay_since(request: PageRequest, endpoint_id: UUID) -> HttpResponse:
    """Send again what happened since a moment."""
    found = selectors.get_endpoint(actor=request.actor, endpoint_id=endpoint_id)
    form = ReplayForm(request.POST)
    if form.is_valid():
        try:
            queued = services.replay_since(**_of(request, endpoint_id), **form.wanted())
        except DomainError as error:
            show_refusal(form, error)
        else:
            told = ngettext("%(number)s delivery is sent again.", "%(number)s deliveries are sent again.", queued)
            if queued:
                messages.success(request, told % {"number": queued})
            else:
                messages.info(request, _("There is nothing to send again since then."))
            return _to(endpoint_id)
    return _detail(request, found, form)


def settings_context(**values: Any) -> dict[str, Any]:
    """What the settings' frame needs, and `values`."""
    return {"nav": "settings", "tab": "webhooks", **values}


def _act(request: PageRequest, endpoint_id: UUID, done: str, change: Callable[[], Any]) -> HttpResponse:
    try:
        change()
    except NotFound:
        raise
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, done)
    return _to(endpoint_id)


def _of(request: PageRequest, endpoint_id: UUID) -> dict[str, Any]:
    return {"actor": request.actor, "endpoint_id": endpoint_id}


def _to(endpoint_id: UUID) -> HttpResponse:
    return HttpResponseRedirect(reverse("webhooks:endpoint", args=[endpoint_id]))


def _shown_once(request: PageRequest, found: EndpointView, secret: str) -> HttpResponse:
    return render(request, "webhooks/secret.html", settings_context(endpoint=found, secret=secret))


def _detail(request: PageRequest, found: EndpointView, replaying: ReplayForm | None = None) -> HttpResponse:
    recent = selectors.list_deliveries(
        actor=request.actor, page=Paging(limit=RECENT), filters=DeliveryFilters(endpoint_id=found.id)
    )
    context = settings_context(
        endpoint=found,
        outcomes=figures.last_outcomes(actor=request.actor, endpoint_ids=[found.id]).get(found.id, Outcomes()),
        rows=recent.rows,
        has_more=recent.has_more,
        rotate_form=RotateForm(),
        replay_form=replaying or replay_form(),
    )
    return render(request, "webhooks/endpoint.html", context, status=400 if replaying else 200)


def _initial(found: EndpointView) -> dict[str, Any]:
    return {"url": found.url, "description": found.description}


def _overtaken(request: PageRequest, found: EndpointView, form: EndpointForm, chosen: list[str]) -> editing.Edit:
    differences = list(editing.differences(form))
    if picked(chosen) != picked(found.event_types):
        differences.append(Difference(_("Events"), ", ".join(sorted(found.event_types))))
    change = audit.last_change(tenant_id=request.tenant.id, entity_type="webhook_endpoint", entity_id=found.id)
    return editing.stale(found.version, differences, change)


def _editor(
    request: PageRequest,
    form: EndpointForm,
    chosen: list[str],
    found: EndpointView | None,
    edit: editing.Edit | None = None,
) -> HttpResponse:
    families = [
        {
            "pattern": pattern,
            "name": name,
            "is_chosen": pattern in chosen,
            "events": [{"name": one, "label": label, "is_chosen": one in chosen} for one, label in events],
        }
        for pattern, name, events in FAMILIES
    ]
    context = settings_context(
        form=form, families=families, everything=EVERYTHING, has_all=EVERYTHING in chosen, endpoint=found, edit=edit
    )
    status = editing.status_of(edit, is_refused=bool(form.errors))
    return render(request, "webhooks/edit.html", context, status=status)
