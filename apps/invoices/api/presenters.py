"""Clients and invoices as the API shows them: plain, amounts in minor units, states in lower case."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from apps.core.rest.presenting import fields_of
from apps.core.tenants import Row
from apps.invoices import projections, selectors
from apps.invoices.models import Client
from apps.invoices.selectors import Balance, ClientDetail, ClientView, InvoiceSummary, InvoiceView, LineView
from apps.payments.selectors import PaymentView
from apps.tenancy.selectors import TenantView

_of_summary, _of_client, _of_balance = fields_of(InvoiceSummary), fields_of(ClientView), fields_of(Balance)


def present_invoice(invoice: InvoiceSummary) -> dict[str, Any]:
    """An invoice in a list."""
    return _shown(_of_summary(invoice))


def present_newest(tenant: TenantView, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """What was found of `thin.NEWEST`, as `present_invoice` shows it."""
    return [_shown(fields) for fields in projections.summary_fields(rows, tenant)]


def _shown(fields: dict[str, Any]) -> dict[str, Any]:
    client = fields["client"]
    fields["status"], fields["client"] = fields["status"].lower(), {"id": client.id, "name": client.name}
    fields["allowed_actions"] = list(fields["allowed_actions"])
    return fields


def present_full_invoice(invoice: InvoiceView) -> dict[str, Any]:
    """The whole invoice."""
    return present_invoice(invoice) | {
        "tax_breakdown": [
            {"rate": rate(group.rate), "base_minor": group.base_minor, "tax_minor": group.tax_minor}
            for group in invoice.tax_breakdown
        ],
        "lines": [present_line(line) for line in invoice.lines],
        "notes": invoice.notes,
        "metadata": invoice.metadata,
        "seller": asdict(invoice.seller),
        "buyer": asdict(invoice.buyer),
    }


def present_line(line: LineView) -> dict[str, Any]:
    """One line; quantity and rate are strings, so that nobody's floats touch them."""
    return {
        "id": line.id,
        "position": line.position,
        "description": line.description,
        "item_type": line.item_type.lower(),
        "quantity": quantity(line.quantity),
        "unit_price_minor": line.unit_price_minor,
        "tax_rate": rate(line.tax_rate),
        "discount_minor": line.discount_minor,
        "net_minor": line.net_minor,
    }


def present_newest_clients(
    _tenant: TenantView, clients: Iterable[Client], sums: Iterable[Row], last: Iterable[Row]
) -> list[dict[str, Any]]:
    """What was found of `selectors.NEWEST_CLIENTS`."""
    return [present_client(detail) for detail in selectors.client_details(clients, sums, last)]


def present_client(detail: ClientDetail) -> dict[str, Any]:
    """A client with where it stands."""
    return present_client_fields(detail.client) | {
        "invoice_count": detail.invoice_count,
        "last_invoiced_at": detail.last_invoiced_at,
        "balances": [present_balance(balance) for balance in detail.balances],
    }


def present_client_fields(client: ClientView) -> dict[str, Any]:
    """A client by itself."""
    return _of_client(client)


def present_balance(balance: Balance) -> dict[str, Any]:
    """What a client was invoiced, has paid and owes in one currency."""
    return _of_balance(balance)


def present_payment(payment: PaymentView) -> dict[str, Any]:
    """A payment as ``/payments/{id}`` shows it, and the invoice that it is for."""
    return asdict(payment) | {
        "invoice_id": payment.purpose_id,
        "status": payment.status.lower(),
        "method": payment.method.lower(),
        "fee_currency": payment.fee_currency or None,
        "refunds": [
            asdict(refund) | {"status": refund.status.lower(), "reason": refund.reason.lower()}
            for refund in payment.refunds
        ],
        "allowed_actions": list(payment.allowed_actions),
    }


def quantity(number: Decimal) -> str:
    """Without trailing zeros and without an exponent: ``2``, ``0.5``."""
    return f"{number.normalize():f}"


def rate(number: Decimal) -> str:
    """At least two decimals: ``19.00``, ``8.125``."""
    return f"{max(number.normalize(), number.quantize(Decimal('0.01')), key=_decimals):f}"


def _decimals(number: Decimal) -> int:
    return -int(number.as_tuple().exponent)
