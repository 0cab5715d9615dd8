"""Numbers: gapless and unique whatever happens at once, and by the tenant's own calendar."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from django.db import connections, transaction

from apps.core.actor import Actor, system
from apps.core.errors import IllegalState
from apps.core.tenants import tenant_transaction
from apps.invoices import numbering, services
from apps.invoices.models import Invoice, NumberSeries
from apps.invoices.selectors import InvoiceView
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from tests.factories.invoices import make_client, make_draft, make_open
from tests.fixtures.tenants import actor_of, in_tenant
from tests.fixtures.threads import at_once

NewTenant = Callable[[str], TenantView]


class GivenUp(Exception):
    """Something after the number failed."""


@pytest.fixture
def actor(acme: TenantView) -> Actor:
    return actor_of(acme)


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [
        ("INV-{year}-{seq:04}", "INV-2026-0007"),
        ("{seq}", "7"),
        ("R{seq:06}/{year}", "R000007/2026"),
        ("{seq.__class__}{year!r}{0}", "{seq.__class__}{year!r}{0}"),
    ],
)
def test_a_pattern_takes_year_and_sequence_and_nothing_else(pattern: str, shown: str) -> None:
    assert numbering.render(pattern, year=2026, seq=7) == shown


def test_a_sequence_outgrows_its_padding() -> None:
    assert numbering.render(numbering.DEFAULT_PATTERNS["INV"], year=2026, seq=12_345) == "INV-2026-12345"


def test_each_year_counts_from_one(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        days = [date(2026, 1, 1), date(2025, 12, 31), date(2026, 6, 1)]
        numbers = [make_open(actor, issue_date=day).number for day in days]
    assert numbers == ["INV-2026-0001", "INV-2025-0001", "INV-2026-0002"]


def test_a_new_year_goes_on_with_the_series_own_pattern(acme: TenantView) -> None:
    with in_tenant(acme):
        NumberSeries.objects.create(name="INV", year=2025, pattern="R{seq:03}-{year}", last_seq=41)
        assert numbering.take_next(2025).text == "R042-2025"
        assert numbering.take_next(2026).text == "R001-2026"


def test_the_year_is_that_of_the_tenants_calendar(acme: TenantView, actor: Actor) -> None:
    Tenant.objects.filter(pk=acme.id).update(time_zone="Pacific/Auckland")
    with in_tenant(acme):
        draft = make_draft(actor)
        issued = services.finalize_invoice(actor=actor, invoice_id=draft.id, now=datetime(2026, 12, 31, 12, tzinfo=UTC))
    assert (issued.issue_date, issued.number) == (date(2027, 1, 1), "INV-2027-0001")


def test_a_rollback_gives_the_number_back(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        draft = make_draft(actor)
        with pytest.raises(GivenUp), transaction.atomic():
            services.finalize_invoice(actor=actor, invoice_id=draft.id)
            raise GivenUp
        assert services.finalize_invoice(actor=actor, invoice_id=draft.id).number == "INV-2026-0001"


def test_no_gap_and_no_duplicate_with_many_threads_and_rollbacks(committed: NewTenant) -> None:
    tenant = committed("Numbers")
    actor = system(tenant.id)
    with tenant_transaction(tenant.scope):
        client = make_client(actor)
        drafts = [make_draft(actor, client_id=client.id, issue_date=date(2026, 5, 1)).id for _ in range(100)]
    fails_first = set(random.Random(7).sample(drafts, 20))

    def work(invoice_id: UUID) -> None:
        try:
            if invoice_id in fails_first:
                with pytest.raises(GivenUp), tenant_transaction(tenant.scope):
                    services.finalize_invoice(actor=actor, invoice_id=invoice_id)
                    raise GivenUp
            with tenant_transaction(tenant.scope):
                services.finalize_invoice(actor=actor, invoice_id=invoice_id)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, drafts))
    with tenant_transaction(tenant.scope):
        taken = list(Invoice.objects.order_by("seq").values_list("seq", "number"))
    assert taken == [(seq, f"INV-2026-{seq:04}") for seq in range(1, 101)]


def test_two_finalizes_at_once_issue_it_once(committed: NewTenant) -> None:
    tenant = committed("Twice at once")
    actor = system(tenant.id)
    with tenant_transaction(tenant.scope):
        draft = make_draft(actor)

    def finalize() -> InvoiceView:
        with tenant_transaction(tenant.scope):
            return services.finalize_invoice(actor=actor, invoice_id=draft.id)

    outcomes = at_once([finalize] * 4)
    issued = [outcome for outcome in outcomes if isinstance(outcome, InvoiceView)]
    assert len(issued) == 1
    assert all(isinstance(outcome, IllegalState) for outcome in outcomes if outcome not in issued)
    with tenant_transaction(tenant.scope):
        assert NumberSeries.objects.get().last_seq == 1
