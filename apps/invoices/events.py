"""What the invoices app tells the others."""

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from apps.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientEvent(Event):
    """Something happened to a client."""

    client_id: UUID
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCreated(ClientEvent):
    """A client was added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientUpdated(ClientEvent):
    """A client's details changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientDeleted(ClientEvent):
    """A client was removed from the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceEvent(Event):
    """Something happened to an invoice. `number` is empty for a draft."""

    invoice_id: UUID
    client_id: UUID
    number: str
    client_name: str
    currency: str
    total_minor: int
    amount_due_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceCreated(InvoiceEvent):
    """A draft was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFinalized(InvoiceEvent):
    """The invoice has its number and is owed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceSent(InvoiceEvent):
    """The invoice is to be e-mailed to `to_email`, in `locale`, with its PDF (the invoice's own id names it)."""

    to_email: str
    locale: str
    seller_name: str
    seller_email: str
    brand: dict[str, str] = field(default_factory=dict)  # see `branding.letterhead_of`
    due_date: date
    hosted_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceViewed(InvoiceEvent):
    """The customer opened the invoice for the first time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceOverdue(InvoiceEvent):
    """The due date of an open invoice has passed in the tenant's time zone; told once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePaid(InvoiceEvent):
    """Nothing is owed any more. `to_email`, `locale`: where and how the customer gets his receipt."""

    to_email: str
    locale: str
    seller_name: str
    seller_email: str
    brand: dict[str, str] = field(default_factory=dict)  # see `branding.letterhead_of`
    hosted_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePartiallyPaid(InvoiceEvent):
    """Some money came, `amount_due_minor` is left."""

    paid_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceReopened(InvoiceEvent):
    """A refund made a paid invoice due again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceVoided(InvoiceEvent):
    """The invoice was cancelled; its number stays taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceMarkedUncollectible(InvoiceEvent):
    """What is owed was written off."""
