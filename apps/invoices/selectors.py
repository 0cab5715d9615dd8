"""Reading clients and invoices of the current tenant."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from apps.core.actor import Actor
from apps.core.clock import today_in
from apps.core.rest.ordering import NEWEST
from apps.core.rest.paging import Page, PageRequest, paginate
from apps.core.rest.thin import CompiledList
from apps.core.tenants import Row, current_tenant_id
from apps.invoices import filtering, projections, thin
from apps.invoices.branding import letterhead_of
from apps.invoices.errors import ClientNotFound, InvoiceNotFound
from apps.invoices.figures import Dashboard, MonthFigures, dashboard
from apps.invoices.filtering import CLIENT_KEYS, INVOICE_KEYS, InvoiceFilters
from apps.invoices.models import Client, Invoice, InvoiceStatus
from apps.invoices.projections import (
    ClientRef,
    ClientView,
    InvoiceSummary,
    InvoiceView,
    LineView,
    Party,
    TaxView,
    client_view,
)
from apps.invoices.timeline import TimelineEntry, timeline_of
from apps.tenancy import selectors as tenancy
from apps.tenancy.selectors import TenantView

__all__ = [
    "CLIENT_KEYS",
    "INVOICE_KEYS",
    "NEWEST_CLIENTS",
    "Balance",
    "ClientDetail",
    "ClientRef",
    "ClientView",
    "CurrencyTotals",
    "Dashboard",
    "InvoiceFilters",
    "InvoiceSummary",
    "InvoiceView",
    "LineView",
    "MonthFigures",
    "Party",
    "TaxView",
    "TimelineEntry",
    "client_details",
    "client_options",
    "clients_by_ids",
    "dashboard",
    "get_client",
    "get_invoice",
    "hosted_invoice",
    "invoice_view",
    "invoices_by_ids",
    "letterhead_of",
    "list_clients",
    "list_invoices",
    "overdue_count",
    "tab_counts",
    "timeline",
    "totals_by_currency",
]


@dataclass(frozen=True, slots=True)
class CurrencyTotals:
    """What the invoices of a filter add up to in one currency; `due_minor` counts open invoices only."""

    currency: str
    count: int
    total_minor: int
    paid_minor: int
    due_minor: int


@dataclass(frozen=True, slots=True)
class Balance:
    """Where a client stands in one currency; drafts and void invoices do not count."""

    currency: str
    invoiced_minor: int
    paid_minor: int
    due_minor: int
    overdue_minor: int


@dataclass(frozen=True, slots=True)
class ClientDetail:
    """A client with its balances and how many invoices it has."""

    client: ClientView
    balances: tuple[Balance, ...]
    invoice_count: int
    last_invoiced_at: datetime | None


def list_invoices(*, actor: Actor, page: PageRequest, filters: InvoiceFilters) -> Page[InvoiceSummary]:
    """One page of invoices, newest first.

    Raises:
        PermissionRefused: the actor lacks ``invoices:read``.
    """
    actor.require("invoices:read")
    tenant = _tenant()
    today = today_in(tenant.time_zone)
    found: Page[Invoice] | Page[Row]
    if filters.is_empty and page.order == NEWEST:
        found = thin.NEWEST.page(page)
    else:
        found = paginate(_filtered(Invoice.objects.select_related("client"), actor, filters, today=today), page)
    return Page(projections.summaries(found.rows, tenant, today=today), found.next_cursor)


def tab_counts(*, actor: Actor, filters: InvoiceFilters) -> dict[str, int]:
    """How many invoices each status tab would show under the other filters; ``all`` and `filtering.STATUSES`."""
    actor.require("invoices:read")
    today = _today()
    rows = _filtered(Invoice.objects.all(), actor, filters.without_status(), today=today)
    counts = {name: Count("pk", filter=filtering.condition(name, today=today)) for name in filtering.STATUSES}
    return dict(rows.aggregate(all=Count("pk"), **counts))


def totals_by_currency(*, actor: Actor, filters: InvoiceFilters) -> list[CurrencyTotals]:
    """The sums over everything that the filters let through, not only the page that is shown."""
    actor.require("invoices:read")
    today = _today()
    rows = _filtered(Invoice.objects.all(), actor, filters, today=today).order_by().values("currency")
    open_now = Q(status=InvoiceStatus.OPEN)
    sums = rows.annotate(
        count=Count("pk"),
        total=Sum("total_minor", default=0),
        paid=Sum("paid_minor", default=0),
        due=Sum("total_minor", filter=open_now, default=0) - Sum("paid_minor", filter=open_now, default=0),
    ).order_by("currency")
    return [CurrencyTotals(s["currency"], s["count"], int(s["total"]), int(s["paid"]), int(s["due"])) for s in sums]


def overdue_count(*, actor: Actor) -> int:
    """How many open invoices are past their due date; nothing for who may not see invoices."""
    if not actor.may("invoices:read"):
        return 0
    today = _today()
    return Invoice.objects.filter(filtering.condition("overdue", today=today)).count()


def get_invoice(*, actor: Actor, invoice_id: UUID) -> InvoiceView:
    """The whole invoice.

    Raises:
        InvoiceNotFound: unknown, or another tenant's.
    """
    actor.require("invoices:read")
    return _one(Invoice.objects.filter(pk=invoice_id))


def hosted_invoice(*, token: str) -> InvoiceView:
    """The invoice behind a customer's link; whoever has the link may see it.

    Raises:
        InvoiceNotFound: no invoice of this tenant has that link.
    """
    return _one(Invoice.objects.filter(link_token=token))


def invoice_view(*, invoice_id: UUID) -> InvoiceView:
    """The whole invoice, for code that has checked already who asks.

    Raises:
        InvoiceNotFound: there is none.
    """
    return _one(Invoice.objects.filter(pk=invoice_id))


def timeline(*, actor: Actor, invoice_id: UUID) -> list[TimelineEntry]:
    """What happened to an invoice, newest first.

    Raises:
        InvoiceNotFound: unknown, or another tenant's.
    """
    actor.require("invoices:read")
    invoice = Invoice.objects.filter(pk=invoice_id).first()
    if invoice is None:
        raise InvoiceNotFound
    return timeline_of(invoice, current_tenant_id())


def list_clients(*, actor: Actor, page: PageRequest, q: str = "", include_deleted: bool = False) -> Page[ClientDetail]:
    """One page of clients with their balances, newest first; `q` is looked for in name and e-mail, literally."""
    actor.require("clients:read")
    clients = Client.objects.all() if include_deleted else _present_clients()
    text = q.replace("\x00", "").strip()[: filtering.LONGEST_SEARCH]
    if text:
        clients = clients.filter(Q(name__icontains=text) | Q(email__icontains=text))
    found = paginate(clients, page)
    return Page(client_details(found.rows, *_standing(found.rows, _today())), found.next_cursor)


def get_client(*, actor: Actor, client_id: UUID) -> ClientDetail:
    """A client with its balances, deleted ones included.

    Raises:
        ClientNotFound: unknown, or another tenant's.
    """
    actor.require("clients:read")
    client = Client.objects.filter(pk=client_id).first()
    if client is None:
        raise ClientNotFound
    return client_details([client], *_standing([client], _today()))[0]


def clients_by_ids(*, actor: Actor, client_ids: Iterable[UUID]) -> dict[UUID, ClientView]:
    """These clients by their ids, deleted ones included; who is unknown is left out.

    Raises:
        PermissionRefused: the actor lacks ``clients:read``.
    """
    actor.require("clients:read")
    return {client.pk: client_view(client) for client in Client.objects.filter(pk__in=list(client_ids))}


def invoices_by_ids(*, actor: Actor, invoice_ids: Iterable[UUID]) -> dict[UUID, InvoiceSummary]:
    """These invoices by their ids; who is unknown is left out.

    Raises:
        PermissionRefused: the actor lacks ``invoices:read``.
    """
    actor.require("invoices:read")
    rows = list(Invoice.objects.select_related("client").filter(pk__in=list(invoice_ids)))
    return {invoice.id: invoice for invoice in projections.summaries(rows, _tenant())}


def client_options(*, actor: Actor, limit: int = 500) -> list[ClientView]:
    """Clients to choose from in a form, by name."""
    actor.require("clients:read")
    return [client_view(client) for client in _present_clients().order_by("name")[:limit]]


def _one(rows: QuerySet[Invoice]) -> InvoiceView:
    invoice = rows.select_related("client").first()
    if invoice is None:
        raise InvoiceNotFound
    lines = list(invoice.lines.order_by("position"))
    return projections.full_view(invoice, _tenant(), lines, list(invoice.tax_totals.order_by("rate")))


def _present_clients() -> QuerySet[Client]:
    return Client.objects.filter(deleted_at=None)


def _standing(clients: Sequence[Client] | QuerySet[Client], today: date) -> tuple[QuerySet[Invoice, Row], ...]:
    """Sums by client and currency, and when each client was invoiced last."""
    owed = Q(status=InvoiceStatus.OPEN)
    late = owed & Q(due_date__lt=today)
    issued = ~Q(status__in=[InvoiceStatus.DRAFT, InvoiceStatus.VOID])
    sums = (
        Invoice.objects.filter(client__in=clients)
        .values_list("client_id", "currency")
        .annotate(
            invoiced=Sum("total_minor", filter=issued, default=0),
            paid=Sum("paid_minor", filter=issued, default=0),
            due=Sum("total_minor", filter=owed, default=0) - Sum("paid_minor", filter=owed, default=0),
            overdue=Sum("total_minor", filter=late, default=0) - Sum("paid_minor", filter=late, default=0),
            issued=Count("pk", filter=issued),
            count=Count("pk"),
        )
        .order_by("currency")
    )
    last = (
        Invoice.objects.filter(client__in=clients, finalized_at__isnull=False)
        .order_by("client_id", "-finalized_at")
        .distinct("client_id")
        .values_list("client_id", "finalized_at")
    )
    return sums, last


# What `list_clients` reads unless told otherwise, and where a page of them stands, for `client_details`.
NEWEST_CLIENTS = CompiledList(
    lambda _caller: _present_clients(), beside=lambda caller, page: _standing(page, caller.today)
)


def client_details(clients: Iterable[Client], sums: Iterable[Row], last: Iterable[Row]) -> list[ClientDetail]:
    """The plain values of clients, of their sums and of their last invoices."""
    balances: dict[UUID, list[Balance]] = defaultdict(list)
    counts: dict[UUID, int] = defaultdict(int)
    for client_id, currency, invoiced, paid, due, overdue, issued, count in sums:
        counts[client_id] += count
        if issued:
            balances[client_id].append(Balance(currency, int(invoiced), int(paid), int(due), int(overdue)))
    invoiced_at: dict[UUID, datetime] = dict(last)
    return [
        ClientDetail(client_view(client), tuple(balances[client.id]), counts[client.id], invoiced_at.get(client.id))
        for client in clients
    ]


def _filtered(invoices: QuerySet[Invoice], actor: Actor, filters: InvoiceFilters, *, today: date) -> QuerySet[Invoice]:
    return filtering.apply(invoices, filters, today=today, sees_clients=actor.may("clients:read"))


def _tenant() -> TenantView:
    return tenancy.current_tenant()


def _today() -> date:
    return today_in(_tenant().time_zone)
