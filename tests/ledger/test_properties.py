"""Whatever the legs: the balanced ones commit, the others leave nothing."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.actor import system
from apps.core.tenants import tenant_transaction
from apps.ledger import selectors, services
from apps.ledger.accounts import CHART
from apps.ledger.errors import EntryNotBalanced
from apps.ledger.models import Entry
from apps.ledger.services import Leg
from apps.tenancy.selectors import TenantView

amounts = st.integers(-(10**9), 10**9).filter(bool)
legs = st.builds(Leg, st.sampled_from(sorted(CHART)), amounts, st.sampled_from(["EUR", "USD", "JPY", "KWD"]))


def balanced(drawn: list[Leg]) -> list[Leg]:
    """Each leg with its counterpart on another account."""
    return drawn + [Leg("1000", -leg.amount_minor, leg.currency) for leg in drawn]


def post(tenant: TenantView, entry: list[Leg]) -> None:
    with tenant_transaction(tenant.scope):
        services.post(
            actor=system(tenant.id),
            key=str(uuid4()),
            kind="test",
            occurred_on=date(2026, 1, 1),
            description="",
            source_type="test",
            source_id=uuid4(),
            legs=entry,
        )


@pytest.fixture
def tenant(committed: Callable[[str], TenantView]) -> TenantView:
    return committed("Properties")


relaxed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@relaxed
@given(drawn=st.lists(legs, min_size=1, max_size=8))
def test_balanced_legs_commit_and_the_books_agree(tenant: TenantView, drawn: list[Leg]) -> None:
    post(tenant, balanced(drawn))
    with tenant_transaction(tenant.scope):
        trial = selectors.trial_balance(actor=system(tenant.id))
    assert all(balance.is_balanced for balance in trial)


@relaxed
@given(drawn=st.lists(legs, max_size=6), extra=legs)
def test_unbalanced_legs_leave_nothing(tenant: TenantView, drawn: list[Leg], extra: Leg) -> None:
    with tenant_transaction(tenant.scope):
        before = Entry.objects.count()
    with pytest.raises(EntryNotBalanced):
        post(tenant, [*balanced(drawn), extra])
    with tenant_transaction(tenant.scope):
        assert Entry.objects.count() == before


@relaxed
@given(entries=st.lists(st.lists(legs, min_size=1, max_size=4), min_size=1, max_size=4))
def test_balances_are_the_sums_of_what_was_posted(tenant: TenantView, entries: list[list[Leg]]) -> None:
    def balances() -> Counter[tuple[str, str]]:
        with tenant_transaction(tenant.scope):
            rows = selectors.list_accounts(actor=system(tenant.id))
        return Counter({(row.code, row.currency): row.balance_minor for row in rows})

    expected = balances()
    for drawn in entries:
        post(tenant, balanced(drawn))
        for leg in balanced(drawn):
            expected[leg.account, leg.currency] += leg.amount_minor
    assert {key: value for key, value in balances().items() if value} == {
        key: value for key, value in expected.items() if value
    }
