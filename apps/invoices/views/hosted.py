"""The customer's page: whoever has the link sees the invoice, its PDF and the way to pay; no account."""

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from apps.core.errors import DomainError, NotFound
from apps.core.pages import PageRequest, error_page
from apps.core.serving import served
from apps.core.tenants import tenant_transaction
from apps.invoices import selectors, services
from apps.invoices.views.invoices import STATUS_NAMES


@never_cache
@require_GET
def show(request: PageRequest, token: str) -> HttpResponse:
    """The invoice in the customer's language; the first look is noted, unless the team itself looks."""
    try:
        if request.actor is None:
            services.record_view(token=token, origin=request.origin)
        invoice = selectors.hosted_invoice(token=token)
    except NotFound as error:
        return error_page(request, error)
    with override(invoice.locale or request.tenant.locale):
        context = {
            "invoice": invoice,
            "brand": invoice.brand,
            "token": token,
            "status_name": STATUS_NAMES[invoice.shown_status],
            "can_pay": "pay" in invoice.allowed_actions and invoice.amount_due_minor > 0 and _takes_payments(request),
            "checkout": request.GET.get("checkout", ""),
        }
        response = render(request, "invoices/hosted.html", context)
    # The link is a secret, so nobody outside learns it; without any referrer the browser's Origin would be "null",
    # and the form to pay would be refused.
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@served("own_transactions")
@never_cache
@require_GET
def pdf(request: PageRequest, token: str) -> HttpResponse:
    """The invoice's PDF."""
    try:
        with tenant_transaction(request.tenant.scope):
            invoice = selectors.hosted_invoice(token=token)
        content = services.ensure_document(invoice_id=invoice.id)
    except DomainError as error:
        return error_page(request, error)
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{invoice.number}.pdf"'
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@served("own_transactions", "pays_when_suspended")
@never_cache
@require_POST
def pay(request: PageRequest, token: str) -> HttpResponse:
    """To the provider's payment page."""
    try:
        checkout = services.pay_by_link(token=token, origin=request.origin)
    except DomainError as error:
        return error_page(request, error)
    return HttpResponseRedirect(checkout.url)


def _takes_payments(request: PageRequest) -> bool:
    return bool(request.tenant.is_active or settings.SUSPENDED_TENANTS_ACCEPT_PAYMENTS)
