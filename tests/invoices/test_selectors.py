"""Counts, sums and the dashboard: over everything, in each currency, by the tenant's calendar."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from apps.core.actor import Actor, system
from apps.core.errors import PermissionRefused
from apps.core.rest.paging import PageRequest
from apps.invoices import selectors, services
from apps.invoices.selectors import InvoiceFilters, InvoiceView
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from tests.factories.invoices import make_client, make_draft, make_open
from tests.fixtures.tenants import actor_of, in_tenant

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


@pytest.fixture
def actor(acme: TenantView) -> Actor:
    return actor_of(acme)


def pay(invoice: InvoiceView, amount: int, at: datetime) -> None:
    services.settle(
        actor=system(),
        invoice_id=invoice.id,
        kind=services.SettlementKind.PAYMENT,
        payment_id=uuid4(),
        amount_minor=amount,
        currency=invoice.currency,
        settled_at=at,
    )


def test_tabs_count_under_the_other_filters(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        client = make_client(actor, name="Nordlys", email="n@nordlys.test")
        make_draft(actor, client_id=client.id)
        late = make_open(actor, client_id=client.id, issue_date=date(2020, 1, 1), due_date=date(2020, 1, 2))
        pay(late, 1, NOW)
        make_open(actor)
        everything = selectors.tab_counts(actor=actor, filters=InvoiceFilters(status="paid"))
        of_nordlys = selectors.tab_counts(actor=actor, filters=InvoiceFilters(q="nordlys"))
    assert everything == {
        "all": 3, "draft": 1, "open": 2, "overdue": 1, "partially_paid": 1, "paid": 0, "void": 0, "uncollectible": 0,
    }  # fmt: skip
    assert (of_nordlys["all"], of_nordlys["draft"], of_nordlys["open"]) == (2, 1, 1)


def test_a_search_tells_nobody_addresses_that_he_may_not_read(acme: TenantView, actor: Actor) -> None:
    blind = replace(actor, permissions=frozenset({"invoices:read"}))
    with in_tenant(acme):
        client = make_client(actor, name="Nordlys", email="secret@hidden.test")
        made = {make_draft(actor, client_id=client.id).id, make_open(actor, client_id=client.id).id}

        def found(asker: Actor, q: str) -> set[Any]:
            filters = InvoiceFilters(q=q)
            rows = selectors.list_invoices(actor=asker, page=PageRequest(limit=100), filters=filters).rows
            counted = selectors.tab_counts(actor=asker, filters=filters)["all"]
            summed = sum(one.count for one in selectors.totals_by_currency(actor=asker, filters=filters))
            assert len(rows) == counted == summed
            return {row.id for row in rows}

        assert found(actor, "HIDDEN") == found(actor, "nordlys") == found(blind, "nordlys") == made
        assert found(blind, "HIDDEN") == found(blind, "secret@") == set()


def test_sums_cover_the_whole_filter_and_never_mix_currencies(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        first = make_open(actor)
        pay(first, 900, NOW)
        make_open(actor)
        make_open(actor, currency="JPY")
        services.void_invoice(actor=actor, invoice_id=make_open(actor).id)
        sums = selectors.totals_by_currency(actor=actor, filters=InvoiceFilters())
        page = selectors.list_invoices(actor=actor, page=PageRequest(limit=1), filters=InvoiceFilters())
    assert [(row.currency, row.count, row.total_minor, row.paid_minor, row.due_minor) for row in sums] == [
        ("EUR", 3, 35_700, 900, 22_900),
        ("JPY", 1, 11_900, 0, 11_900),
    ]
    assert (len(page.rows), page.has_more) == (1, True)


def test_due_today_is_overdue_tomorrow_by_the_tenants_calendar(acme: TenantView, actor: Actor) -> None:
    Tenant.objects.filter(pk=acme.id).update(time_zone="Pacific/Kiritimati")
    ahead = (datetime.now(UTC) + timedelta(hours=14)).date()
    with in_tenant(acme):
        today = make_open(actor, issue_date=ahead, due_date=ahead)
        before = make_open(actor, issue_date=ahead - timedelta(days=1), due_date=ahead - timedelta(days=1))
    assert (today.is_overdue, before.is_overdue, before.shown_status) == (False, True, "overdue")
    with in_tenant(acme):
        assert selectors.overdue_count(actor=actor) == 1


def test_the_dashboard(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        make_draft(actor)
        make_open(actor, currency="USD")
        late = make_open(actor, issue_date=date(2026, 4, 1), due_date=date(2026, 5, 1))
        make_open(actor, issue_date=date(2026, 6, 1), due_date=date(2026, 7, 1))
        quick = make_open(actor, issue_date=date(2026, 6, 1))
        slow = make_open(actor, issue_date=date(2026, 4, 1))
        pay(late, 1_900, NOW - timedelta(days=40))
        pay(quick, 11_900, datetime(2026, 6, 11, tzinfo=UTC))
        pay(slow, 11_900, datetime(2026, 5, 1, tzinfo=UTC))
        services.void_invoice(actor=actor, invoice_id=make_open(actor, issue_date=date(2026, 6, 2)).id)
        shown = selectors.dashboard(actor=actor, now=NOW)
        dollars = selectors.dashboard(actor=actor, currency="USD", now=NOW)
    assert (shown.currency, shown.currencies, shown.is_first_run) == ("EUR", ("EUR", "USD"), False)
    assert (shown.open_count, shown.outstanding_minor) == (2, 21_900)
    assert (shown.overdue_count, shown.overdue_minor, shown.draft_count) == (1, 10_000, 1)
    assert (shown.collected_minor, shown.collected_before_minor) == (11_900, 13_800)
    assert shown.collected_change_percent == -14
    assert shown.days_to_pay == 20
    assert [invoice.id for invoice in shown.needs_attention] == [late.id]
    by_month = {row.month: (row.invoiced_minor, row.collected_minor) for row in shown.months}
    assert len(by_month) == 12
    assert min(by_month) == date(2025, 7, 1)
    assert by_month[date(2026, 6, 1)] == (23_800, 11_900)
    assert by_month[date(2026, 5, 1)] == (0, 13_800)
    assert by_month[date(2026, 4, 1)] == (23_800, 0)
    assert (dollars.open_count, dollars.outstanding_minor, dollars.collected_minor) == (1, 11_900, 0)


def test_an_empty_dashboard_is_the_first_run(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        shown = selectors.dashboard(actor=actor)
    assert shown.is_first_run
    assert (shown.currency, shown.days_to_pay, shown.collected_change_percent) == ("EUR", None, None)
    assert len(shown.months) == 12


def test_what_one_may_not_see_is_refused(acme: TenantView) -> None:
    nobody = Actor(actor_of(acme).kind, tenant_id=acme.id)
    with in_tenant(acme):
        assert selectors.overdue_count(actor=nobody) == 0
        for read in (
            lambda: selectors.list_invoices(actor=nobody, page=PageRequest(), filters=InvoiceFilters()),
            lambda: selectors.tab_counts(actor=nobody, filters=InvoiceFilters()),
            lambda: selectors.totals_by_currency(actor=nobody, filters=InvoiceFilters()),
            lambda: selectors.get_invoice(actor=nobody, invoice_id=uuid4()),
            lambda: selectors.timeline(actor=nobody, invoice_id=uuid4()),
            lambda: selectors.list_clients(actor=nobody, page=PageRequest()),
            lambda: selectors.dashboard(actor=nobody),
        ):
            with pytest.raises(PermissionRefused):
                read()


def test_options_are_clients_by_name(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        for name in ("Zebra", "Aster"):
            make_client(actor, name=name)
        gone = make_client(actor, name="Gone")
        services.delete_client(actor=actor, client_id=gone.id)
        assert [client.name for client in selectors.client_options(actor=actor)] == ["Aster", "Zebra"]
