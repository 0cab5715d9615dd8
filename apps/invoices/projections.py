"""Clients and invoices as other code sees them: frozen values, made from rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from apps.core import versions
from apps.core.clock import today_in
from apps.core.tenants import Row
from apps.invoices import branding, states, thin
from apps.invoices.branding import InvoiceBrand
from apps.invoices.models import Client, Invoice, InvoiceLine, InvoiceStatus, TaxTotal
from apps.tenancy import brands
from apps.tenancy.selectors import TenantView, url_of

_EDITED_OF_CLIENT = ("name", "email", "phone", "address", "tax_id", "notes", "locale", "currency", "deleted_at")


@dataclass(frozen=True, slots=True)
class ClientView:
    """A client; `deleted_at` is set when it was removed from the list."""

    id: UUID
    name: str
    email: str
    phone: str
    address: str
    tax_id: str
    notes: str
    locale: str
    currency: str
    deleted_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def version(self) -> str:
        """The version of what people edit."""
        return versions.version_of({name: getattr(self, name) for name in _EDITED_OF_CLIENT})


@dataclass(frozen=True, slots=True)
class ClientRef:
    """What an invoice shows of its client."""

    id: UUID
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Party:
    """Seller or buyer as printed on the invoice; `address` has one line per line."""

    name: str
    address: str
    tax_id: str
    email: str


@dataclass(frozen=True, slots=True)
class LineView:
    """One position; `quantity` and `tax_rate` are exact, `net_minor` is without tax."""

    id: UUID
    position: int
    description: str
    item_type: str
    quantity: Decimal
    unit_price_minor: int
    tax_rate: Decimal
    discount_minor: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class TaxView:
    """Base and tax of one rate."""

    rate: Decimal
    base_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceSummary:
    """An invoice in a list. `amount_due_minor` is never negative; what came in beyond it is `surplus_minor`."""

    id: UUID
    number: str | None
    status: str
    version: int
    is_overdue: bool
    is_partially_paid: bool
    sent_at: datetime | None
    viewed_at: datetime | None
    finalized_at: datetime | None
    paid_at: datetime | None
    voided_at: datetime | None
    uncollectible_at: datetime | None
    client: ClientRef
    currency: str
    issue_date: date | None
    due_date: date
    subtotal_minor: int
    discount_minor: int
    tax_minor: int
    total_minor: int
    amount_paid_minor: int
    amount_due_minor: int
    surplus_minor: int
    brand_id: UUID | None
    hosted_url: str | None
    pdf_url: str | None
    allowed_actions: tuple[str, ...]
    created_at: datetime
    updated_at: datetime

    @property
    def shown_status(self) -> str:
        """The one word for lists: ``overdue`` and ``partially_paid`` before ``open``, otherwise the state."""
        if self.is_overdue:
            return "overdue"
        return "partially_paid" if self.is_partially_paid else self.status.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceView(InvoiceSummary):
    """The whole invoice. Seller and buyer are as they were when it was finalized, current ones for a draft."""

    lines: tuple[LineView, ...]
    tax_breakdown: tuple[TaxView, ...]
    notes: str
    metadata: dict[str, Any]
    locale: str
    seller: Party
    buyer: Party
    brand: InvoiceBrand


def client_view(client: Client) -> ClientView:
    """The plain value of a client."""
    return ClientView(**{name: getattr(client, name) for name in ClientView.__dataclass_fields__})


def summaries(
    rows: Sequence[Invoice] | Sequence[Row], tenant: TenantView, *, today: date | None = None
) -> list[InvoiceSummary]:
    """The plain values of invoices: of models whose clients were loaded with them, or of `thin` rows."""
    return [InvoiceSummary(**fields) for fields in summary_fields(rows, tenant, today=today)]


def summary_fields(
    rows: Sequence[Invoice] | Sequence[Row], tenant: TenantView, *, today: date | None = None
) -> list[dict[str, Any]]:
    """The fields of each row's `InvoiceSummary`, for lists that show them without making one."""
    url, today = tenant.url, today or today_in(tenant.time_zone)
    return [_summary_fields(row, url, today) for row in _thin(rows, tenant)]


def _thin(rows: Sequence[Invoice] | Sequence[Row], tenant: TenantView) -> Sequence[Row]:
    if not rows or not isinstance(rows[0], Invoice):
        return cast(Sequence[Row], rows)
    models = cast(Sequence[Invoice], rows)
    domains = brands.brand_domains(tenant) if any(row.brand_id for row in models) else {}
    return [thin.row_of(row, domains.get(row.brand_id) if row.brand_id else None) for row in models]


def full_view(
    invoice: Invoice, tenant: TenantView, lines: Sequence[InvoiceLine], tax_totals: Sequence[TaxTotal]
) -> InvoiceView:
    """The whole invoice from its row, its lines in their order and its tax groups by rate."""
    return InvoiceView(
        **summary_fields([invoice], tenant)[0],
        lines=tuple(
            LineView(**{name: getattr(line, name) for name in LineView.__dataclass_fields__}) for line in lines
        ),
        tax_breakdown=tuple(TaxView(group.rate, group.base_minor, group.tax_minor) for group in tax_totals),
        notes=invoice.notes,
        metadata=invoice.metadata,
        locale=invoice.locale or invoice.client.locale,
        seller=seller_of(invoice, tenant),
        buyer=buyer_of(invoice),
        brand=branding.of(invoice, tenant),
    )


def seller_of(invoice: Invoice, tenant: TenantView) -> Party:
    """The seller printed on the invoice."""
    if invoice.status != InvoiceStatus.DRAFT:
        return Party(invoice.seller_name, invoice.seller_address, invoice.seller_tax_id, invoice.seller_email)
    return Party(tenant.legal_name or tenant.name, tenant.address, tenant.tax_id, tenant.email)


def buyer_of(invoice: Invoice) -> Party:
    """The buyer printed on the invoice."""
    if invoice.status != InvoiceStatus.DRAFT:
        return Party(invoice.client_name, invoice.client_address, invoice.client_tax_id, invoice.client_email)
    client = invoice.client
    return Party(client.name, client.address, client.tax_id, client.email)


def _summary_fields(row: Row, url: str, today: date) -> dict[str, Any]:
    # Written out and without calls, because every list passes here. The order is that of `thin`.
    (
        row_id, number, status, version, sent_at, viewed_at, finalized_at, paid_at, voided_at, uncollectible_at,
        client_id, client_name, client_email, currency, issue_date, due_date, subtotal_minor, discount_minor, tax_minor,
        total_minor, paid_minor, brand_id, token, created_at, updated_at, present_name, present_email, brand_domain,
    ) = row  # fmt: skip
    is_open, is_void = status == InvoiceStatus.OPEN, status == InvoiceStatus.VOID
    if status == InvoiceStatus.DRAFT:
        client_name, client_email = present_name, present_email
    return {
        "id": row_id,
        "number": number,
        "status": status,
        "version": version,
        "is_overdue": is_open and due_date < today,
        "is_partially_paid": is_open and paid_minor > 0,
        "sent_at": sent_at,
        "viewed_at": viewed_at,
        "finalized_at": finalized_at,
        "paid_at": paid_at,
        "voided_at": voided_at,
        "uncollectible_at": uncollectible_at,
        "client": ClientRef(client_id, client_name, client_email),
        "currency": currency,
        "issue_date": issue_date,
        "due_date": due_date,
        "subtotal_minor": subtotal_minor,
        "discount_minor": discount_minor,
        "tax_minor": tax_minor,
        "total_minor": total_minor,
        "amount_paid_minor": paid_minor,
        # As the model's `due_minor` and `surplus_minor`.
        "amount_due_minor": 0 if is_void or paid_minor > total_minor else total_minor - paid_minor,
        "surplus_minor": paid_minor if is_void else 0 if paid_minor < total_minor else paid_minor - total_minor,
        "brand_id": brand_id,
        "hosted_url": f"{url_of(brand_domain) if brand_domain else url}/i/{token}/" if token else None,
        "pdf_url": f"{url}/api/v1/invoices/{row_id}/pdf" if token else None,
        "allowed_actions": tuple(states.actions_of(status, paid_minor=paid_minor, sent_at=sent_at)),
        "created_at": created_at,
        "updated_at": updated_at,
    }
