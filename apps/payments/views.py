"""Payments for the team: list, detail, refund."""

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

from apps.core.errors import DomainError, ValidationFailed
from apps.core.money import to_decimal
from apps.core.pages import PageRequest, page
from apps.core.rest.paging import PageRequest as Paging
from apps.core.tenants import tenant_transaction
from apps.payments import selectors, services
from apps.payments.forms import RefundForm
from apps.payments.selectors import PaymentView

TABS = [
    ("", gettext_lazy("All")),
    ("SUCCEEDED", gettext_lazy("Succeeded")),
    ("PENDING", gettext_lazy("Pending")),
    ("FAILED", gettext_lazy("Failed")),
    ("REFUNDED", gettext_lazy("Refunded")),
]


@require_GET
@page("payments:read")
def payment_list(request: PageRequest) -> HttpResponse:
    """Tabs with counts, search kept in the address."""
    filters = {name: request.GET.get(name, "") for name in ("status", "q")}
    try:
        paging = Paging.from_query(request.GET)
        found = selectors.list_payments(actor=request.actor, page=paging, filters=filters)
        counts = selectors.count_by_status(actor=request.actor, filters=filters)
    except ValidationFailed:
        return HttpResponseRedirect(reverse("payments:list"))
    kept = {"q": filters["q"]} if filters["q"] else {}
    here = kept | ({"status": filters["status"]} if filters["status"] else {})
    context = {
        "nav": "payments",
        "rows": found.rows,
        "q": filters["q"],
        "status": filters["status"],
        "tabs": [
            {
                "name": name,
                "href": "?" + urlencode(kept | ({"status": key} if key else {})),
                "active": filters["status"] == key,
                "count": counts[key] if key else sum(counts.values()),
            }
            for key, name in TABS
        ],
        "older": "?" + urlencode({**here, "cursor": found.next_cursor}) if found.next_cursor else "",
        "newest": "?" + urlencode(here) if request.GET.get("cursor") else "",
    }
    name = "payments/_table.html" if request.htmx.target == "payment-table" else "payments/list.html"
    return render(request, name, context)


@require_GET
@page("payments:read")
def detail(request: PageRequest, payment_id: UUID) -> HttpResponse:
    """One payment with its refunds."""
    payment = selectors.get_payment(actor=request.actor, payment_id=payment_id)
    return _detail(request, payment, None)


@require_POST
@page("payments:refund", own_transactions=True)
def refund(request: PageRequest, payment_id: UUID) -> HttpResponse:
    """Give back a part or the rest; the provider is called between two transactions."""
    with tenant_transaction(request.tenant.scope):
        payment = selectors.get_payment(actor=request.actor, payment_id=payment_id)
    form = RefundForm(request.POST, currency=payment.currency)
    if form.is_valid():
        try:
            services.refund(
                actor=request.actor,
                payment_id=payment_id,
                amount_minor=form.cleaned_data["amount"],
                reason=form.cleaned_data["reason"],
            )
        except ValidationFailed as error:
            form.add_error("amount", error.errors[0].detail)
        except DomainError as error:
            form.add_error(None, error.detail)
        else:
            messages.success(request, _("The money is on its way back."))
            return HttpResponseRedirect(reverse("payments:detail", args=[payment_id]))
    with tenant_transaction(request.tenant.scope):
        return _detail(request, payment, form)


def _detail(request: PageRequest, payment: PaymentView, form: RefundForm | None) -> HttpResponse:
    rest = to_decimal(payment.refundable_minor, payment.currency)
    context: dict[str, Any] = {
        "nav": "payments",
        "payment": payment,
        "form": form or RefundForm(initial={"amount": rest}, currency=payment.currency),
        "failed": form,
    }
    return render(request, "payments/detail.html", context, status=400 if form else 200)
