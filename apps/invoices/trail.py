"""What the audit trail and the events keep of clients and invoices."""

from typing import Any

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.actor import Actor
from apps.core.tenants import current_tenant_id
from apps.invoices.models import Client, Invoice, InvoiceLine

_CLIENT = ("name", "email", "phone", "address", "tax_id", "notes", "locale", "currency", "deleted_at")
_INVOICE = [
    "number",
    "status",
    "client_id",
    "currency",
    "issue_date",
    "due_date",
    "notes",
    "brand_id",
    "metadata",
    "subtotal_minor",
    "discount_minor",
    "tax_minor",
    "total_minor",
    "paid_minor",
    "written_off_minor",
]
_LINE = [
    "description",
    "item_type",
    "quantity",
    "unit_price_minor",
    "tax_rate",
    "discount_minor",
    "net_minor",
]


def client_state(client: Client) -> dict[str, Any]:
    """The client's fields, for before and after."""
    return {name: getattr(client, name) for name in _CLIENT}


def invoice_state(invoice: Invoice, lines: list[InvoiceLine] | None = None) -> dict[str, Any]:
    """The invoice's fields, with its lines where they can change."""
    state: dict[str, Any] = {name: getattr(invoice, name) for name in _INVOICE}
    if lines is not None:
        state["lines"] = [{name: getattr(line, name) for name in _LINE} for line in lines]
    return state


def record_client(actor: Actor, verb: str, client: Client, *, before: dict[str, Any] | None = None) -> None:
    """One entry on a client, with what differs from `before`."""
    after = client_state(client)
    audit.record(
        actor=actor,
        action=f"invoices.client.{verb}",
        entity_type="client",
        entity_id=client.id,
        entity_label=client.name,
        before=_changed(before, after) if before else None,
        after=_changed(after, before) if before else after,
        tenant_id=current_tenant_id(),
    )


def record_invoice(
    actor: Actor,
    verb: str,
    invoice: Invoice,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    severity: str = Severity.INFO,
    **detail: Any,
) -> None:
    """One entry on an invoice: what differs between `before` and `after` (its fields now), and `detail`."""
    after = after or invoice_state(invoice)
    audit.record(
        actor=actor,
        action=f"invoices.invoice.{verb}",
        entity_type="invoice",
        entity_id=invoice.id,
        entity_label=invoice.number or "",
        before=_changed(before, after) if before else None,
        after=(_changed(after, before) if before else after) | detail,
        severity=severity,
        tenant_id=current_tenant_id(),
    )


def event_fields(invoice: Invoice) -> dict[str, Any]:
    """What every event about an invoice carries; its client must have been loaded."""
    return {
        "tenant_id": current_tenant_id(),
        "invoice_id": invoice.id,
        "client_id": invoice.client_id,
        "number": invoice.number or "",
        "client_name": invoice.client_name or invoice.client.name,
        "currency": invoice.currency,
        "total_minor": invoice.total_minor,
        "amount_due_minor": invoice.due_minor,
    }


def _changed(state: dict[str, Any], other: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in state.items() if other is None or other.get(name) != value}
