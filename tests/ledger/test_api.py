"""The books over REST."""

from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest
from rest_framework.test import APIClient

from apps.core.actor import system
from apps.ledger import services
from apps.ledger.services import Leg
from apps.tenancy.selectors import TenantView
from tests.fixtures.tenants import in_tenant

ApiFor = Callable[..., APIClient]
SOURCE = UUID("0190b6f2-7a4e-7c1d-9b3a-5f2e8d6c4b1a")


@pytest.fixture
def sales(acme: TenantView) -> TenantView:
    with in_tenant(acme):
        for number in (1, 2, 3):
            services.post(
                actor=system(acme.id),
                key=f"invoice.finalized:{number}",
                kind="invoice.finalized",
                occurred_on=date(2026, 1, number),
                description=f"Invoice {number}",
                source_type="invoice",
                source_id=SOURCE,
                legs=[Leg("1100", 100 * number, "EUR"), Leg("4000", -100 * number, "EUR")],
            )
    return acme


def test_accounts_come_with_balances(api: ApiFor, sales: TenantView) -> None:
    body = api(sales, "ACCOUNTANT").get("/api/v1/ledger/accounts").json()
    found = {row["code"]: row["balance_minor"] for row in body["data"]}
    assert found["1100"] == 600
    assert found["4000"] == -600
    assert found["1000"] == 0
    assert body["has_more"] is False


def test_entries_come_newest_first_in_pages(api: ApiFor, sales: TenantView) -> None:
    client = api(sales, "ACCOUNTANT")
    first = client.get("/api/v1/ledger/entries?limit=2").json()
    assert [entry["key"] for entry in first["data"]] == ["invoice.finalized:3", "invoice.finalized:2"]
    second = client.get(f"/api/v1/ledger/entries?limit=2&cursor={first['next_cursor']}").json()
    assert [entry["key"] for entry in second["data"]] == ["invoice.finalized:1"]
    assert second["data"][0]["postings"][0] == {
        "account": {"code": "1100", "name": "Accounts receivable"},
        "amount_minor": 100,
        "currency": "EUR",
    }


def test_an_entry_can_be_read_alone(api: ApiFor, sales: TenantView) -> None:
    client = api(sales, "ACCOUNTANT")
    listed = client.get("/api/v1/ledger/entries?limit=1").json()["data"][0]
    assert client.get(f"/api/v1/ledger/entries/{listed['id']}").json() == listed


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("kind=invoice.finalized", 3),
        ("kind=payment.succeeded", 0),
        ("account=1100&currency=eur", 3),
        ("account=1000", 0),
        ("from=2026-01-02", 2),
        ("to=2026-01-02", 2),
        (f"source_type=invoice&source_id={SOURCE}", 3),
    ],
)
def test_entries_can_be_filtered(api: ApiFor, sales: TenantView, query: str, count: int) -> None:
    assert len(api(sales, "ACCOUNTANT").get(f"/api/v1/ledger/entries?{query}").json()["data"]) == count


@pytest.mark.parametrize("query", ["from=yesterday", "to=2026-13-01", "source_id=7", "limit=0", "cursor=!"])
def test_malformed_filters_are_400(api: ApiFor, sales: TenantView, query: str) -> None:
    answer = api(sales, "ACCOUNTANT").get(f"/api/v1/ledger/entries?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == query.split("=", maxsplit=1)[0]


def test_the_trial_balance_balances(api: ApiFor, sales: TenantView) -> None:
    body = api(sales, "ACCOUNTANT").get("/api/v1/ledger/trial-balance").json()
    assert body["data"][0]["debit_minor"] == body["data"][0]["credit_minor"] == 600
    assert body["data"][0]["is_balanced"] is True
    earlier = api(sales, "ACCOUNTANT").get("/api/v1/ledger/trial-balance?as_of=2026-01-01").json()
    assert earlier["data"][0]["debit_minor"] == 100


@pytest.mark.parametrize("path", ["accounts", "entries", "trial-balance", f"entries/{SOURCE}"])
def test_members_without_the_permission_are_refused(api: ApiFor, sales: TenantView, path: str) -> None:
    assert api(sales, "MEMBER").get(f"/api/v1/ledger/{path}").status_code == 403


def test_another_tenants_entry_is_404(api: ApiFor, sales: TenantView, globex: TenantView) -> None:
    entry = api(sales, "OWNER").get("/api/v1/ledger/entries?limit=1").json()["data"][0]
    assert api(globex, "OWNER").get(f"/api/v1/ledger/entries/{entry['id']}").status_code == 404
    assert api(globex, "OWNER").get("/api/v1/ledger/entries").json()["data"] == []


def test_the_books_are_read_only(api: ApiFor, sales: TenantView) -> None:
    assert api(sales, "OWNER").post("/api/v1/ledger/entries", {}).status_code == 405
