"""What the database does for a list among 100,000 rows: it starts at an index and reads little more than the page."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.actor import Actor
from apps.core.rest.paging import PageRequest, order_names
from apps.invoices import selectors
from apps.invoices.models import Client
from apps.invoices.selectors import CLIENT_KEYS, INVOICE_KEYS, InvoiceFilters
from apps.payments import selectors as payments
from apps.tenancy.selectors import TenantView
from tests.fixtures.tenants import actor_of, in_tenant

ROWS = 100_000
# For a page of 20. What a filter leaves little of is found by its own index and sorted, as long as it is little.
MOST_READ = 6_000
# A span of days in another order than by day is looked for from the end where the order begins.
MOST_READ_FOR_DAYS = 40_000
CLIENTS = """
insert into invoices_client
  (id, name, email, phone, address, tax_id, notes, locale, currency, deleted_at, created_at, updated_at)
select uuidv7(), 'Client ' || md5(n::text), 'c' || n || '@crowd.test', '', '', '', '', 'en', 'EUR', null, now(), now()
  from generate_series(1, %(rows)s) n
"""
INVOICES = """
insert into invoices_invoice
  (id, status, version, client_id, client_name, client_email, client_address, client_tax_id, locale, seller_name,
   seller_email, seller_address, seller_tax_id, brand, currency, issue_date, due_date, notes, metadata,
   subtotal_minor, discount_minor, tax_minor, total_minor, paid_minor, written_off_minor, series, year, seq, number,
   link_token, finalized_at, paid_at, voided_at, created_at, updated_at)
select uuidv7(), s.status, 1, c.ids[1 + n %% 2000], '', '', '', '', '', '', '', '', '', '{}',
       case when n %% 1000 = 0 then 'CHF' when n %% 10 = 0 then 'USD' else 'EUR' end,
       case when s.status <> 'DRAFT' then date '2024-01-01' + (n / 100) end, date '2024-02-01' + (n / 100) + n %% 30,
       '', '{}', 1000 + n %% 5000, 0, 0, 1000 + n %% 5000,
       case s.status when 'PAID' then 1000 + n %% 5000 when 'OPEN' then (n %% 50 / 40) * 100 else 0 end,
       0, 'R', case when s.status <> 'DRAFT' then 2026 end, case when s.status <> 'DRAFT' then n end,
       case when s.status <> 'DRAFT' then 'R-' || n end, case when s.status <> 'DRAFT' then 'token' || n end,
       case when s.status <> 'DRAFT' then now() end, case when s.status = 'PAID' then now() end,
       case when s.status = 'VOID' then now() end, now(), now()
  from generate_series(1, %(rows)s) n
 cross join (select array_agg(id) as ids from (select id from invoices_client limit 2000) chosen) c
 cross join lateral (select case when n %% 50 = 0 then 'DRAFT' when n %% 10 = 1 then 'OPEN' when n %% 20 = 2 then 'VOID'
                                 else 'PAID' end as status) s
"""
PAYMENTS = """
insert into payments_payment
  (id, purpose, purpose_id, purpose_label, payer_name, payer_email, amount_minor, currency, refunded_minor,
   fee_currency, status, gateway, method, reference, failure_code, failure_reason, success_url, cancel_url,
   session_ref, session_url,
   session_attempt, payment_ref, failed_ref, checkout_open, close_owed, checks, succeeded_at, created_at, updated_at)
select uuidv7(), 'invoice', gen_random_uuid(), 'R-' || n, '', '', 1 + n %% 9000, 'EUR', 0, '',
       case when n %% 500 = 0 then 'FAILED' when n %% 40 = 1 then 'PENDING' else 'SUCCEEDED' end,
       'manual', '', '', '', '', '', '', '', '', 1, '', '', false, false, 0, now(),
       timestamptz '2024-01-01' + n * interval '12 minutes', now()
  from generate_series(1, %(rows)s) n
"""
PAYMENT_FILTERS = [
    {},
    {"status": "succeeded"},
    {"status": "failed"},
    {"status": "pending"},
    {"purpose": "invoice", "purpose_id": "0199c0de-0000-7000-8000-000000000001"},
    {"from": "2025-03-03", "to": "2025-03-03"},
]
FILTERS = {
    "all": {},
    "draft": {"status": "draft"},
    "open": {"status": "open"},
    "overdue": {"status": "overdue"},
    "partially paid": {"status": "partially_paid"},
    "uncollectible": {"status": "uncollectible"},
    "a year": {"from": "2025-01-01", "to": "2025-12-31"},
    "a day": {"from": "2025-03-03", "to": "2025-03-03"},
    "rare currency": {"currency": "CHF"},
    "unused currency": {"currency": "JPY"},
}


@pytest.fixture
def owner(acme: TenantView) -> Iterator[Actor]:
    actor = actor_of(acme)
    with in_tenant(acme), connection.cursor() as cursor:
        cursor.execute(CLIENTS, {"rows": ROWS})
        cursor.execute(INVOICES, {"rows": ROWS})
        cursor.execute(PAYMENTS, {"rows": ROWS})
        cursor.execute("select current_user")
        tenant_role = cursor.fetchone()[0]
        # Only whoever owns tables may look at what is in them.
        quote = connection.ops.quote_name
        cursor.execute(f"set local role {quote(settings.DATABASE_OWNER_ROLE)}")
        cursor.execute("analyze invoices_client, invoices_invoice, payments_payment")
        cursor.execute(f"set local role {quote(tenant_role)}")
        yield actor


def plan_of(ask: Callable[[], Any]) -> dict[str, Any]:
    """How the page's rows were found: the plan of the statement that was cut to a page, as it was carried out."""
    with CaptureQueriesContext(connection) as asked:
        ask()
    (statement,) = [query["sql"] for query in asked if " LIMIT 21" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"explain (analyze, costs off, timing off, format json) {statement}")
        found = cursor.fetchone()[0]
    plan: dict[str, Any] = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def read(plan: dict[str, Any]) -> int:
    """How many rows were looked at."""
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in nodes(plan)
        if "Relation Name" in node
    )


def told(plan: dict[str, Any]) -> str:
    """The plan in a line: what was looked at by which index."""
    parts = [
        f"{node['Node Type']} {node.get('Index Name', node.get('Relation Name', ''))}"
        f" {node['Actual Rows'] * node['Actual Loops']:.0f}+{node.get('Rows Removed by Filter', 0):.0f}"
        for node in nodes(plan)
    ]
    return " < ".join(parts)


def judged(plan: dict[str, Any], *, may_sort: bool, most: int = MOST_READ) -> str:
    kinds = {node["Node Type"] for node in nodes(plan)}
    if "Seq Scan" in kinds:
        return f"Seq Scan: {told(plan)}"
    if not may_sort and kinds & {"Sort", "Incremental Sort"}:
        return f"Sort: {told(plan)}"
    return f"reads {read(plan)} rows: {told(plan)}" if read(plan) > most else ""


def test_a_search_reads_each_table_once_at_most(owner: Actor) -> None:
    """By no index, as decision 10 has it: what is rare costs a look at every row, and never more."""
    page = PageRequest.from_query({}, INVOICE_KEYS)
    for text in ("R-77777", "c77777@", "nothing like it", "Client"):
        filters = InvoiceFilters(q=text)
        of_invoices = plan_of(lambda f=filters: selectors.list_invoices(actor=owner, page=page, filters=f))
        assert read(of_invoices) <= 2 * ROWS, told(of_invoices)
        of_clients = plan_of(lambda q=text: selectors.list_clients(actor=owner, page=page, q=q))
        assert read(of_clients) <= ROWS, told(of_clients)


def test_every_order_and_filter(acme: TenantView, owner: Actor) -> None:
    wrong: dict[Any, str] = {}
    client_id = Client.objects.order_by("pk")[7].pk
    filters = {name: InvoiceFilters.from_query(query) for name, query in FILTERS.items()}
    filters["a client"] = InvoiceFilters(client_id=client_id)
    for order in order_names(INVOICE_KEYS):
        for name, wanted in filters.items():
            page = PageRequest.from_query({"ordering": order}, INVOICE_KEYS)
            cursor = ""
            for number in (1, 2):
                made = selectors.list_invoices(actor=owner, page=page, filters=wanted).next_cursor
                plan = plan_of(lambda p=page, w=wanted: selectors.list_invoices(actor=owner, page=p, filters=w))
                days_elsewhere = name.startswith("a ") and "issue_date" not in order
                most = MOST_READ_FOR_DAYS if days_elsewhere else MOST_READ
                if verdict := judged(plan, may_sort=name not in ("all", "open"), most=most):
                    wrong[order, name, number] = verdict
                if made is None:
                    break
                cursor = made
                page = PageRequest.from_query({"ordering": order, "cursor": cursor}, INVOICE_KEYS)
    for order in order_names(CLIENT_KEYS):
        page = PageRequest.from_query({"ordering": order}, CLIENT_KEYS)
        plan = plan_of(lambda p=page: selectors.list_clients(actor=owner, page=p))
        if verdict := judged(plan, may_sort=False):
            wrong[order, "clients"] = verdict
    for order in order_names(payments.KEYS):
        page = PageRequest.from_query({"ordering": order}, payments.KEYS)
        for query in PAYMENT_FILTERS:
            plan = plan_of(lambda p=page, q=query: payments.list_payments(actor=owner, page=p, filters=q))
            if verdict := judged(plan, may_sort=bool(query)):
                wrong[order, "payments", str(query)] = verdict
    assert not wrong, "\n".join(f"{case}: {verdict}" for case, verdict in wrong.items())
