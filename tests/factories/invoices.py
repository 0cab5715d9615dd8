"""Clients and invoices for tests, made through the services; call inside the tenant's context."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.core.actor import Actor
from apps.invoices import services
from apps.invoices.selectors import ClientView, InvoiceView
from apps.invoices.services import DraftInput, LineInput

DUE = date(2099, 12, 31)


def line(**values: Any) -> LineInput:
    """Two hours at 50.00 with 19 % tax unless told otherwise."""
    standard: dict[str, Any] = {
        "description": "Consulting, hours",
        "quantity": Decimal(2),
        "unit_price_minor": 5000,
        "tax_rate": Decimal(19),
    }
    return LineInput(**(standard | values))


def make_client(actor: Actor, **fields: str) -> ClientView:
    """A client with a name and an address to send to."""
    return services.create_client(actor=actor, fields={"name": "Ionian Yachts", "email": "ap@ionian.test", **fields})  # type: ignore[typeddict-item]


def draft_input(client_id: UUID, **values: Any) -> DraftInput:
    """A draft over 119.00 EUR unless told otherwise."""
    standard: dict[str, Any] = {"currency": "EUR", "due_date": DUE, "lines": (line(),)}
    return DraftInput(client_id=client_id, **(standard | values))


def make_draft(actor: Actor, *, client_id: UUID | None = None, **values: Any) -> InvoiceView:
    """A draft, with a client of its own unless one is given."""
    draft = draft_input(client_id or make_client(actor).id, **values)
    return services.create_invoice(actor=actor, draft=draft)


def make_open(actor: Actor, *, client_id: UUID | None = None, **values: Any) -> InvoiceView:
    """An issued invoice."""
    draft = make_draft(actor, client_id=client_id, **values)
    return services.finalize_invoice(actor=actor, invoice_id=draft.id)


def body(client_id: UUID | str, **values: Any) -> dict[str, Any]:
    """What a program posts to write a draft over 119.00 EUR."""
    return {
        "client_id": str(client_id),
        "currency": "EUR",
        "due_date": DUE.isoformat(),
        "lines": [{"description": "Consulting", "quantity": "2", "unit_price_minor": 5000, "tax_rate": "19.00"}],
    } | values
