"""Invoices of a list as bare rows: the list that is asked most often, without models and without Django's compiler."""

from collections.abc import Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from apps.core.postgres.pipeline import Statement
from apps.core.rest.ordering import NEWEST
from apps.core.rest.paging import Page, PageRequest, encode
from apps.core.tenants import Row
from apps.invoices.models import Invoice
from apps.tenancy.brands import BRAND_DOMAIN


class ThinInvoice(NamedTuple):
    """The columns of `Invoice` that a list shows, under the same names, its client's and its brand's."""

    id: UUID
    number: str | None
    status: str
    version: int
    sent_at: datetime | None
    viewed_at: datetime | None
    finalized_at: datetime | None
    paid_at: datetime | None
    voided_at: datetime | None
    uncollectible_at: datetime | None
    client_id: UUID
    client_name: str
    client_email: str
    currency: str
    issue_date: date | None
    due_date: date
    subtotal_minor: int
    discount_minor: int
    tax_minor: int
    total_minor: int
    paid_minor: int
    brand_id: UUID | None
    link_token: str | None
    created_at: datetime
    updated_at: datetime
    present_name: str
    present_email: str
    brand_domain: str | None


_OWN = ThinInvoice._fields[:-3]
_own = attrgetter(*_OWN)
_COLUMNS = ", ".join(f"i.{name}" for name in _OWN)
_NEWEST = f"""
SELECT {_COLUMNS}, c.name, c.email, {BRAND_DOMAIN.format(brand_id="i.brand_id")}
  FROM invoices_invoice i JOIN invoices_client c ON c.id = i.client_id
 {{where}} ORDER BY i.id DESC LIMIT %s
"""
_FIRST_PAGE, _NEXT_PAGE = _NEWEST.format(where=""), _NEWEST.format(where="WHERE i.id < %s")
FIRST_PAGE, NEXT_PAGE = Statement.of(_FIRST_PAGE), Statement.of(_NEXT_PAGE)


def newest(page: PageRequest) -> Page[Row]:
    """A page of all invoices of the current tenant, newest first; what `paginate` gives of all of them."""
    parameters: list[Any] = [page.limit + 1] if page.after is None else [page.after, page.limit + 1]
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_PAGE if page.after is None else _NEXT_PAGE, parameters)
        return page_of(cursor.fetchall(), page)


def page_of(found: Sequence[Row], page: PageRequest) -> Page[Row]:
    """The page that the rows of one of the two statements make; each is a `ThinInvoice`, without its names."""
    rows = [*found[: page.limit]]
    return Page(rows, encode(rows[-1][0], NEWEST) if len(found) > page.limit else None)


def row_of(invoice: Invoice, brand_domain: str | None) -> ThinInvoice:
    """The row of an invoice whose client was loaded with it."""
    return ThinInvoice._make((*_own(invoice), invoice.client.name, invoice.client.email, brand_domain))
