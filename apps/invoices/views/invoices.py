"""The team's invoice pages: list, editor, detail and what can be done to an invoice."""

import json
from collections.abc import Callable
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
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.audit import selectors as audit
from apps.core import editing
from apps.core.clock import today_in
from apps.core.errors import DomainError, NotFound, PermissionRefused, ValidationFailed
from apps.core.money import exponent
from apps.core.pages import PageRequest, error_page, page
from apps.core.rest.paging import PageRequest as Paging
from apps.core.versions import VersionConflict
from apps.invoices import selectors, services
from apps.invoices.forms import (
    CURRENCIES,
    InvoiceForm,
    LineForms,
    PaymentForm,
    attach,
    draft_of,
    initial_of,
    kept_lines,
    shown,
)
from apps.invoices.selectors import ClientView, InvoiceFilters, InvoiceView
from apps.payments import selectors as payments
from apps.tenancy import brands
from apps.tenancy.brands import BrandView

TABS = [
    ("", gettext_lazy("All")),
    ("draft", gettext_lazy("Draft")),
    ("open", gettext_lazy("Open")),
    ("overdue", gettext_lazy("Overdue")),
    ("paid", gettext_lazy("Paid")),
    ("void", gettext_lazy("Void")),
]
STATUS_NAMES = {
    "draft": gettext_lazy("Draft"),
    "open": gettext_lazy("Open"),
    "overdue": gettext_lazy("Overdue"),
    "partially_paid": gettext_lazy("Partially paid"),
    "paid": gettext_lazy("Paid"),
    "void": gettext_lazy("Void"),
    "uncollectible": gettext_lazy("Uncollectible"),
}
# What undoes an invoice or takes it off the books, with the permission for it.
TAKES_BACK = {"void": "invoices:void", "uncollectible": "invoices:void", "delete": "invoices:write"}
PAYMENT_TERM = timedelta(days=30)
ACTIONS: dict[str, tuple[Callable[..., Any], Any]] = {
    "finalize": (services.finalize_invoice, gettext_lazy("The invoice has its number and can be sent.")),
    "send": (services.send_invoice, gettext_lazy("The invoice is on its way to your client.")),
    "void": (services.void_invoice, gettext_lazy("The invoice is void. Its number stays taken.")),
    "uncollectible": (services.mark_uncollectible, gettext_lazy("The invoice is written off.")),
}


@require_GET
@page("invoices:read")
def invoice_list(request: PageRequest) -> HttpResponse:
    """Tabs with counts, search and filters kept in the address, totals of all that was found."""
    try:
        filters = InvoiceFilters.from_query(request.GET.dict())
        paging = Paging.from_query(request.GET)
    except ValidationFailed:
        return HttpResponseRedirect(reverse("invoices:list"))
    found = selectors.list_invoices(actor=request.actor, page=paging, filters=filters)
    counts = selectors.tab_counts(actor=request.actor, filters=filters)
    kept = {name: value for name, value in request.GET.items() if value and name not in ("cursor", "status")}
    context = {
        "nav": "invoices",
        "rows": found.rows,
        "status_names": STATUS_NAMES,
        "filters": filters,
        "tabs": [
            {
                "name": name,
                "href": "?" + urlencode({**kept, **({"status": key} if key else {})}),
                "active": filters.status == key,
                "count": counts[key or "all"],
            }
            for key, name in TABS
        ],
        "totals": selectors.totals_by_currency(actor=request.actor, filters=filters),
        "older": _link(request, cursor=found.next_cursor) if found.next_cursor else "",
        "newest": _link(request) if request.GET.get("cursor") else "",
        "is_filtered": not filters.is_empty,
    }
    return render(
        request, "invoices/_table.html" if request.htmx.target == "invoice-table" else "invoices/list.html", context
    )


@require_http_methods(["GET", "POST"])
@page("invoices:write")
def create(request: PageRequest) -> HttpResponse:
    """A new draft."""
    clients = selectors.client_options(actor=request.actor)
    own_brands = brands.list_brands(actor=request.actor)
    today = today_in(request.tenant.time_zone)
    head = {
        "currency": request.tenant.currency,
        "issue_date": today,
        "due_date": today + PAYMENT_TERM,
        "client": request.GET.get("client", ""),
    }
    form = InvoiceForm(request.POST or None, clients=clients, brands=own_brands, initial=head)
    lines = LineForms(request.POST or None, prefix="lines", initial=[{"quantity": "1", "tax_rate": "19"}])
    if request.method == "POST":
        draft = draft_of(form, lines)
        if draft is not None:
            try:
                invoice = services.create_invoice(actor=request.actor, draft=draft)
            except ValidationFailed as error:
                _show(form, lines, error)
            except DomainError as error:
                form.add_error(None, error.detail)
            else:
                return _after_saving(request, invoice.id)
    return _editor(request, form, lines, None)


@require_http_methods(["GET", "POST"])
@page("invoices:write")
def edit(request: PageRequest, invoice_id: UUID) -> HttpResponse:
    """Change a draft; what somebody else saved in the meantime is never overwritten."""
    try:
        invoice = selectors.get_invoice(actor=request.actor, invoice_id=invoice_id)
    except NotFound as error:
        return error_page(request, error)
    if "edit" not in invoice.allowed_actions and request.method != "POST":
        messages.error(request, _("Only drafts can be changed. Duplicate the invoice to start from it."))
        return HttpResponseRedirect(reverse("invoices:detail", args=[invoice_id]))
    clients = selectors.client_options(actor=request.actor)
    own_brands = brands.list_brands(actor=request.actor)
    head, rows = initial_of(invoice)
    form = InvoiceForm(request.POST or None, clients=clients, brands=own_brands, initial=head)
    lines = LineForms(request.POST or None, prefix="lines", initial=rows)
    lines.min_num = 0 if rows else 1
    if request.method == "POST":
        draft = draft_of(form, lines)
        if draft is not None:
            changes: Any = {name: getattr(draft, name) for name in draft.__dataclass_fields__ if name != "metadata"}
            try:
                services.update_invoice(
                    actor=request.actor,
                    invoice_id=invoice_id,
                    changes=changes,
                    expected=editing.seen(request),
                )
            except VersionConflict:
                return _overtaken(request, invoice_id, clients, own_brands)
            except ValidationFailed as error:
                _show(form, lines, error)
            except DomainError as error:
                form.add_error(None, error.detail)
            else:
                return _after_saving(request, invoice_id)
    return _editor(request, form, lines, invoice)


@require_GET
@page("invoices:read")
def detail(request: PageRequest, invoice_id: UUID) -> HttpResponse:
    """The invoice as its client sees it, beside it the payments and what happened."""
    try:
        invoice = selectors.get_invoice(actor=request.actor, invoice_id=invoice_id)
    except NotFound as error:
        return error_page(request, error)
    payment_form = PaymentForm(
        currency=invoice.currency, initial={"amount": shown(invoice.amount_due_minor, invoice.currency)}
    )
    return render(request, "invoices/detail.html", _detail_context(request, invoice, payment_form))


@require_POST
@page()
def act(request: PageRequest, invoice_id: UUID, action: str) -> HttpResponse:
    """Finalize, send, void, write off: the service decides whether it may be."""
    if action not in ACTIONS:
        return error_page(request, NotFound())
    service, done = ACTIONS[action]
    try:
        service(actor=request.actor, invoice_id=invoice_id)
    except (NotFound, PermissionRefused) as error:
        return error_page(request, error)
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, done)
    return HttpResponseRedirect(reverse("invoices:detail", args=[invoice_id]))


@require_POST
@page("invoices:write")
def duplicate(request: PageRequest, invoice_id: UUID) -> HttpResponse:
    """A new draft with the same lines, opened in the editor."""
    try:
        copy = services.duplicate_invoice(actor=request.actor, invoice_id=invoice_id)
    except NotFound as error:
        return error_page(request, error)
    except DomainError as error:
        messages.error(request, error.detail)
        return HttpResponseRedirect(reverse("invoices:list"))
    return HttpResponseRedirect(reverse("invoices:edit", args=[copy.id]))


@require_POST
@page("invoices:write")
def delete(request: PageRequest, invoice_id: UUID) -> HttpResponse:
    """Remove a draft."""
    try:
        services.delete_invoice(actor=request.actor, invoice_id=invoice_id)
    except NotFound as error:
        return error_page(request, error)
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("The draft is deleted."))
    return HttpResponseRedirect(reverse("invoices:list"))


@require_POST
@page("payments:write")
def record_payment(request: PageRequest, invoice_id: UUID) -> HttpResponse:
    """Note money that came by bank, cash or cheque."""
    try:
        invoice = selectors.get_invoice(actor=request.actor, invoice_id=invoice_id)
    except NotFound as error:
        return error_page(request, error)
    form = PaymentForm(request.POST, currency=invoice.currency)
    if form.is_valid():
        try:
            services.record_manual_payment(
                actor=request.actor,
                invoice_id=invoice_id,
                amount_minor=form.cleaned_data["amount"],
                method=form.cleaned_data["method"],
                reference=form.cleaned_data["reference"],
            )
        except ValidationFailed as error:
            attach(form, error.errors, {"amount_minor": "amount"})
        except DomainError as error:
            form.add_error(None, error.detail)
        else:
            messages.success(request, _("The payment is recorded."))
            return HttpResponseRedirect(reverse("invoices:detail", args=[invoice_id]))
    return render(request, "invoices/detail.html", _detail_context(request, invoice, form), status=400)


@require_GET
@page("invoices:read", own_transactions=True)
def pdf(request: PageRequest, invoice_id: UUID) -> HttpResponse:
    """The stored PDF, made now if it is not there yet."""
    try:
        content = services.ensure_document(invoice_id=invoice_id)
    except DomainError as error:
        return error_page(request, error)
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{invoice_id}.pdf"'
    return response


def _overtaken(
    request: PageRequest, invoice_id: UUID, clients: list[ClientView], own_brands: list[BrandView]
) -> HttpResponse:
    invoice = selectors.get_invoice(actor=request.actor, invoice_id=invoice_id)
    head, rows = initial_of(invoice)
    form = InvoiceForm(request.POST, clients=clients, brands=own_brands, initial=head)
    lines = LineForms(request.POST, prefix="lines", initial=rows)
    change = audit.last_change(tenant_id=request.tenant.id, entity_type="invoice", entity_id=invoice_id)
    differences = [*editing.differences(form), *_different_lines(lines, rows)]
    return _editor(request, form, lines, invoice, editing.stale(str(invoice.version), differences, change))


def _different_lines(lines: Any, stored: list[dict[str, Any]]) -> list[editing.Difference]:
    if lines.is_valid() and len(kept_lines(lines)) == len(stored) and not lines.has_changed():
        return []
    told = "\n".join(f"{row['quantity']} × {row['description']}: {row['unit_price']}" for row in stored)
    return [editing.Difference(_("Lines"), told or _("empty"))]


def _editor(
    request: PageRequest,
    form: InvoiceForm,
    lines: Any,
    invoice: InvoiceView | None,
    edit: editing.Edit | None = None,
) -> HttpResponse:
    edit = edit or (editing.opened(str(invoice.version)) if invoice else None)
    status = editing.status_of(edit, is_refused=bool(form.errors or lines.total_error_count()))
    context = {
        "edit": edit,
        "nav": "invoices",
        "form": form,
        "lines": lines,
        "invoice": invoice,
        "digits": json.dumps({code: exponent(code) for code in CURRENCIES}),
    }
    return render(request, "invoices/edit.html", context, status=status)


def _after_saving(request: PageRequest, invoice_id: UUID) -> HttpResponse:
    if "finalize" in request.POST:
        try:
            services.finalize_invoice(actor=request.actor, invoice_id=invoice_id)
        except DomainError as error:
            messages.error(request, error.detail)
        else:
            messages.success(request, ACTIONS["finalize"][1])
    else:
        messages.success(request, _("The draft is saved."))
    return HttpResponseRedirect(reverse("invoices:detail", args=[invoice_id]))


def _show(form: InvoiceForm, lines: Any, refusal: ValidationFailed) -> None:
    kept = kept_lines(lines)
    names = {"unit_price_minor": "unit_price", "discount_minor": "discount"}
    for error in refusal.errors:
        parts = error.field.split(".")
        if parts[0] == "lines" and len(parts) == 3 and parts[1].isdigit() and int(parts[1]) < len(kept):
            attach(kept[int(parts[1])], [error], {error.field: names.get(parts[2], parts[2])})
        else:
            attach(form, [error], {"client_id": "client", "brand_id": "brand", **names})


def _detail_context(request: PageRequest, invoice: InvoiceView, payment_form: PaymentForm) -> dict[str, Any]:
    return {
        "nav": "invoices",
        "invoice": invoice,
        "status_name": STATUS_NAMES[invoice.shown_status],
        "timeline": selectors.timeline(actor=request.actor, invoice_id=invoice.id),
        "payments": payments.payments_for(purpose="invoice", purpose_id=invoice.id),
        "payment_form": payment_form,
        "takes_back": [
            action
            for action, permission in TAKES_BACK.items()
            if action in invoice.allowed_actions and request.actor.may(permission)
        ],
    }


def _link(request: PageRequest, **changes: str) -> str:
    query = {name: value for name, value in request.GET.items() if value and name != "cursor"} | changes
    return "?" + urlencode(query)
