"""Series: patterns that cannot collide, a start that holds, and no gap while somebody changes them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import IntegrityError, connections, transaction
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import PermissionRefused, ValidationFailed
from apps.core.tenants import tenant_transaction
from apps.invoices import numbering, series
from apps.invoices import services as invoices
from apps.invoices.models import Invoice, NumberSeries
from apps.invoices.series import SeriesBegun
from apps.tenancy.selectors import TenantView
from tests.factories import invoices as factory
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.fixtures.tenants import NewTenant, actor_of, in_tenant

PATTERNS = ["INV-{year}-{seq}", "R {year}/{seq:06}", "{year}.{seq:02}", "№{year}-{seq}-A", "INV-{year}-{seq:04}"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_next_numbers_follow_the_pattern(acme: TenantView, pattern: str) -> None:
    with in_tenant(acme):
        owner = actor_of(acme)
        changed = series.update_series(actor=owner, kind="INVOICE", pattern=pattern)
        assert factory.make_open(owner).number == changed.next_number


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "INV",
        "{seq}",
        "INV-{seq}",
        "{year}{seq}",
        "{seq}-{year}",
        "A1-{year}-{seq}",
        "A-{year}-{seq}{seq}",
        "A-{year}-{seq:00}",
        "A-{year}-{seq:99}",
        "A-{year}-{seq!r}",
        "A-{year}-{seq}\x00",
        "A٣-{year}-{seq}",
        "x" * 40 + "{year}-{seq}",
        "{year}-{seq}-{other}",
    ],
)
def test_a_pattern_that_could_name_two_documents_alike_is_refused(acme: TenantView, pattern: str) -> None:
    with in_tenant(acme), pytest.raises(ValidationFailed):
        series.update_series(actor=actor_of(acme), kind="INVOICE", pattern=pattern)


@given(
    st.sampled_from(PATTERNS), st.sampled_from(PATTERNS), st.tuples(st.integers(1970, 2999), st.integers(1, 10**9)),
    st.tuples(st.integers(1970, 2999), st.integers(1, 10**9)),
)  # fmt: skip
def test_texts_of_different_numbers_differ(
    one: str, other: str, first: tuple[int, int], second: tuple[int, int]
) -> None:
    texts = [numbering.render(p, year=y, seq=s) for p, (y, s) in ((one, first), (other, second))]
    assert first == second or texts[0] != texts[1]


def test_invoices_and_credit_notes_never_meet(acme: TenantView) -> None:
    with in_tenant(acme):
        owner = actor_of(acme)
        series.update_series(actor=owner, kind="INVOICE", pattern="X-{year}-{seq}")
        series.update_series(actor=owner, kind="INVOICE", pattern="Y-{year}-{seq}")
        with pytest.raises(ValidationFailed):
            series.update_series(actor=owner, kind="CREDIT_NOTE", pattern="y-{year}-{seq:04}")


def test_numbers_begin_where_the_tenant_says_until_one_is_given(acme: TenantView) -> None:
    with in_tenant(acme):
        owner = actor_of(acme)
        series.update_series(actor=owner, kind="INVOICE", first_seq=500)
        series.update_series(actor=owner, kind="INVOICE", first_seq=1042)
        numbers = [(factory.make_open(owner).number or "")[-4:] for _ in range(2)]
        assert numbers == ["1042", "1043"]
        with pytest.raises(SeriesBegun):
            series.update_series(actor=owner, kind="INVOICE", first_seq=1)
        series.update_series(actor=owner, kind="INVOICE", pattern="N-{year}-{seq}")
        assert (factory.make_open(owner).number or "").endswith("-1044")


@pytest.mark.parametrize("first", [0, -1, 10**13])
def test_a_start_out_of_range(acme: TenantView, first: int) -> None:
    with in_tenant(acme), pytest.raises(ValidationFailed):
        series.update_series(actor=actor_of(acme), kind="INVOICE", first_seq=first)


def test_the_database_lets_a_series_only_move_on(acme: TenantView) -> None:
    with in_tenant(acme):
        factory.make_open(actor_of(acme))
        row = NumberSeries.objects.get(name="INV")
        for change in (
            {"last_seq": row.last_seq - 1},
            {"last_seq": row.last_seq + 2},
            {"first_seq": 9},
            {"year": 1999},
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                NumberSeries.objects.filter(pk=row.pk).update(**change)
        with pytest.raises(IntegrityError), transaction.atomic():
            row.delete()


def test_next_year_goes_on_with_the_new_pattern(acme: TenantView) -> None:
    with in_tenant(acme):
        owner = actor_of(acme)
        factory.make_open(owner, issue_date=date(2099, 1, 1))
        series.update_series(actor=owner, kind="INVOICE", pattern="N-{year}-{seq}")
        assert factory.make_open(owner, issue_date=date(2099, 1, 2)).number == "N-2099-2"
        assert factory.make_open(owner, issue_date=date(2099, 6, 2)).number == "N-2099-3"


def test_no_gap_while_the_pattern_changes(committed: NewTenant) -> None:
    tenant = committed("Series Race")
    owner = actor_of(tenant)
    with tenant_transaction(tenant.scope):
        buyer = factory.make_client(owner).id
        drafts = [factory.make_draft(owner, client_id=buyer).id for _ in range(12)]

    def finalize(part: int) -> None:
        for draft in drafts[part::3]:
            with tenant_transaction(tenant.scope):
                invoices.finalize_invoice(actor=owner, invoice_id=draft)
        connections.close_all()

    def change() -> None:
        for number in range(8):
            with tenant_transaction(tenant.scope):
                pattern = PATTERNS[number % len(PATTERNS)]
                series.update_series(actor=owner, kind="INVOICE", pattern=pattern)
        connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        for done in [*(pool.submit(finalize, part) for part in range(3)), pool.submit(change)]:
            done.result()

    with tenant_transaction(tenant.scope):
        issued = list(Invoice.objects.values_list("seq", "number"))
    assert sorted(seq for seq, _ in issued) == list(range(1, 13))
    assert len({number for _, number in issued}) == 12


def test_the_page_and_the_api_change_a_series(acme: TenantView, browser_client: BrowserFor, api: ApiFor) -> None:
    sent = {"kind": "INVOICE", "pattern": "W-{year}-{seq:03}", "first_seq": "7"}
    assert browser_client(acme).post("/settings/numbers/", sent).status_code == 302
    found = api(acme).get("/api/v1/number-series").json()["data"][0]
    assert (found["pattern"], found["next_seq"]) == ("W-{year}-{seq:03}", 7)
    answer = api(acme).patch("/api/v1/number-series/credit_note", {"pattern": "W-{year}-{seq}"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "pattern")
    assert browser_client(acme).post("/settings/numbers/", sent | {"pattern": "{seq}"}).status_code == 400


@pytest.mark.parametrize("role", ["ACCOUNTANT", "MEMBER", "VIEWER"])
def test_who_may_not(acme: TenantView, role: str) -> None:
    with in_tenant(acme), pytest.raises(PermissionRefused):
        series.update_series(actor=actor_of(acme, role), kind="INVOICE", pattern="N-{year}-{seq}")
