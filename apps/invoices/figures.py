"""The dashboard's figures: one currency at a time, because sums over currencies mean nothing."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connections

from apps.core.actor import Actor
from apps.core.clock import today_in, utcnow
from apps.core.tenants import current_alias, current_tenant_id
from apps.invoices import filtering, projections
from apps.invoices.models import Invoice
from apps.invoices.projections import InvoiceSummary
from apps.tenancy import selectors as tenancy
from apps.tenancy.selectors import TenantView

WINDOW = timedelta(days=30)
MONTHS = 12
ATTENTION_LIMIT = 5

_STANDING = """
select count(*) filter (where status = 'OPEN'),
       coalesce(sum(total_minor - paid_minor) filter (where status = 'OPEN'), 0)::bigint,
       count(*) filter (where status = 'OPEN' and due_date < %(today)s),
       coalesce(sum(total_minor - paid_minor) filter (where status = 'OPEN' and due_date < %(today)s), 0)::bigint,
       count(*) filter (where status = 'DRAFT'),
       avg((paid_at at time zone %(zone)s)::date - issue_date) filter (where paid_at >= %(year_ago)s)
  from invoices_invoice
 where currency = %(currency)s
"""
_COLLECTED = """
select coalesce(sum(amount_minor) filter (where settled_at > %(window)s), 0)::bigint,
       coalesce(sum(amount_minor) filter (where settled_at <= %(window)s), 0)::bigint
  from invoices_settlement
 where currency = %(currency)s and settled_at > %(before_window)s and settled_at <= %(now)s
"""
_MONTHLY = """
with months as (
  select generate_series(%(first)s::date, %(last)s::date, interval '1 month')::date as month
), invoiced as (
  select date_trunc('month', issue_date)::date as month, sum(total_minor)::bigint as amount
    from invoices_invoice
   where currency = %(currency)s and status not in ('DRAFT', 'VOID') and issue_date >= %(first)s
   group by 1
), collected as (
  select date_trunc('month', settled_at at time zone %(zone)s)::date as month, sum(amount_minor)::bigint as amount
    from invoices_settlement
   where currency = %(currency)s and settled_at >= %(first_instant)s
   group by 1
)
select months.month, coalesce(invoiced.amount, 0), coalesce(collected.amount, 0)
  from months left join invoiced using (month) left join collected using (month)
 order by months.month
"""
_CURRENCIES = "select currency from invoices_invoice group by currency order by count(*) desc, currency"


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """One month: `month` is its first day."""

    month: date
    invoiced_minor: int
    collected_minor: int


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The state of business in one currency, which `currencies` lists beside the others in use."""

    currency: str
    currencies: tuple[str, ...]
    open_count: int
    outstanding_minor: int
    overdue_count: int
    overdue_minor: int
    draft_count: int
    collected_minor: int
    collected_before_minor: int
    days_to_pay: int | None
    months: tuple[MonthFigures, ...]
    needs_attention: tuple[InvoiceSummary, ...]

    @property
    def collected_change_percent(self) -> int | None:
        """Collected in the last 30 days against the 30 before; unknown when nothing was collected then."""
        if self.collected_before_minor <= 0:
            return None
        return round((self.collected_minor - self.collected_before_minor) * 100 / self.collected_before_minor)

    @property
    def is_first_run(self) -> bool:
        """Whether there is no invoice yet in any currency."""
        return not self.currencies


def dashboard(*, actor: Actor, currency: str = "", now: datetime | None = None) -> Dashboard:
    """The figures of `currency` (the tenant's own by default), in six statements however many invoices there are.

    Outstanding and overdue count open invoices; invoiced counts by issue date, collected by when money came, less
    what went back. Days to pay is the mean over what was paid in the last year.

    Raises:
        PermissionRefused: the actor lacks ``dashboard:read`` or ``invoices:read``.
    """
    actor.require("dashboard:read")
    actor.require("invoices:read")
    now = now or utcnow()
    tenant = tenancy.tenant_by_id(current_tenant_id())
    today = today_in(tenant.time_zone, now=now)
    with connections[current_alias()].cursor() as cursor:
        cursor.execute(_CURRENCIES)
        currencies = tuple(row[0] for row in cursor.fetchall())
        currency = currency or (tenant.currency if tenant.currency in currencies or not currencies else currencies[0])
        values = {"currency": currency, **_spans(now, today, tenant.time_zone)}
        cursor.execute(_STANDING, values)
        open_count, outstanding, overdue_count, overdue, drafts, days = cursor.fetchone()
        cursor.execute(_COLLECTED, values)
        collected, collected_before = cursor.fetchone()
        cursor.execute(_MONTHLY, values)
        months = tuple(MonthFigures(*row) for row in cursor.fetchall())
    return Dashboard(
        currency=currency,
        currencies=currencies,
        open_count=open_count,
        outstanding_minor=outstanding,
        overdue_count=overdue_count,
        overdue_minor=overdue,
        draft_count=drafts,
        collected_minor=collected,
        collected_before_minor=collected_before,
        days_to_pay=None if days is None else round(days),
        months=months,
        needs_attention=_longest_overdue(currency, tenant, today),
    )


def _spans(now: datetime, today: date, zone: str) -> dict[str, Any]:
    first = _months_before(today, MONTHS - 1)
    return {
        "today": today,
        "now": now,
        "zone": zone,
        "year_ago": now - timedelta(days=365),
        "window": now - WINDOW,
        "before_window": now - 2 * WINDOW,
        "first": first,
        "last": today.replace(day=1),
        "first_instant": datetime.combine(first, time.min, tzinfo=ZoneInfo(zone)),
    }


def _longest_overdue(currency: str, tenant: TenantView, today: date) -> tuple[InvoiceSummary, ...]:
    late = Invoice.objects.filter(filtering.condition("overdue", today=today), currency=currency)
    late = late.select_related("client").order_by("due_date", "pk")[:ATTENTION_LIMIT]
    return tuple(projections.summaries(list(late), tenant, today=today))


def _months_before(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)
