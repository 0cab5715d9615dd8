"""The dashboard, and the search over everything."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.core.actor import Actor
from apps.core.pages import PageRequest, page
from apps.core.replica import read_report
from apps.core.rest.paging import PageRequest as Paging
from apps.core.templatetags.shown import locale
from apps.invoices import selectors as invoices
from apps.invoices.selectors import Dashboard, InvoiceFilters
from apps.payments import selectors as payments
from apps.payments.selectors import PaymentView
from apps.reports import charts

FOUND, RECENT = 5, 6


@require_GET
@page("dashboard:read")
def dashboard(request: PageRequest) -> HttpResponse:
    """How the organisation stands in one currency, and what wants attention first."""
    wanted = request.GET.get("currency", "").upper()
    figures, recent = read_report(request.tenant.scope, lambda: _standing(request.actor, wanted))
    rows = [(month.month, month.invoiced_minor, month.collected_minor) for month in figures.months]
    context = {
        "nav": "dashboard",
        "figures": figures,
        "chart": charts.monthly(rows, figures.currency, locale()),
        "recent": recent,
        "greeting": _greeting(),
        "today": timezone.localdate(),
    }
    return render(request, "reports/dashboard.html", context)


@require_GET
@page("invoices:read")
def palette(request: PageRequest) -> HttpResponse:
    """Invoices and clients that match what was typed."""
    q = request.GET.get("q", "").strip()
    context: dict[str, Any] = {"q": q, "invoices": [], "clients": []}
    if q:
        context |= read_report(request.tenant.scope, lambda: _found(request.actor, q))
    return render(request, "reports/_found.html", context)


def _standing(actor: Actor, wanted: str) -> tuple[Dashboard, list[PaymentView]]:
    figures = invoices.dashboard(actor=actor)
    if wanted in figures.currencies and wanted != figures.currency:
        figures = invoices.dashboard(actor=actor, currency=wanted)
    return figures, payments.list_payments(actor=actor, page=Paging(limit=RECENT)).rows


def _found(actor: Actor, q: str) -> dict[str, Any]:
    few = Paging(limit=FOUND)
    filters = InvoiceFilters(q=q.replace("\x00", ""))
    return {
        "invoices": invoices.list_invoices(actor=actor, page=few, filters=filters).rows,
        "clients": invoices.list_clients(actor=actor, page=few, q=q).rows,
    }


def _greeting() -> str:
    hour = timezone.localtime().hour
    if hour < 12:
        return _("Good morning")
    return _("Good afternoon") if hour < 18 else _("Good evening")
