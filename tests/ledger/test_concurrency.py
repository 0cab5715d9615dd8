"""Many transactions post at once."""

from collections.abc import Callable
from datetime import date
from functools import partial
from uuid import UUID, uuid4

from apps.core.actor import system
from apps.core.tenants import tenant_transaction
from apps.ledger import selectors, services
from apps.ledger.errors import AlreadyReversed
from apps.ledger.models import Account, Entry
from apps.ledger.services import Leg
from apps.tenancy.selectors import TenantView
from tests.fixtures.threads import at_once

NewTenant = Callable[[str], TenantView]


def post(tenant: TenantView, key: str, currency: str = "EUR", turn: int = 1) -> UUID:
    legs = [Leg("1100", 100 * turn, currency), Leg("4000", -100 * turn, currency)]
    with tenant_transaction(tenant.scope):
        return services.post(
            actor=system(tenant.id),
            key=key,
            kind="test",
            occurred_on=date(2026, 1, 1),
            description="",
            source_type="test",
            source_id=uuid4(),
            legs=legs[::turn],
        )


def reverse(tenant: TenantView, key: str) -> UUID:
    with tenant_transaction(tenant.scope):
        return services.reverse(
            actor=system(tenant.id),
            original_key="sale",
            key=key,
            kind="test.reversed",
            occurred_on=date(2026, 1, 2),
            description="",
        )


def test_one_key_at_once_is_one_entry(committed: NewTenant) -> None:
    tenant = committed("Same key")
    outcomes = at_once([partial(post, tenant, "sale")] * 8)
    assert len(set(outcomes)) == 1
    with tenant_transaction(tenant.scope):
        assert [entry.id for entry in Entry.objects.all()] == [outcomes[0]]


def test_a_new_currency_at_once_opens_each_account_once(committed: NewTenant) -> None:
    tenant = committed("New currency")
    works = [partial(post, tenant, f"sale:{n}", "USD", -1 if n % 2 else 1) for n in range(8)]
    assert all(isinstance(outcome, UUID) for outcome in at_once(works))
    with tenant_transaction(tenant.scope):
        assert Account.objects.filter(currency="USD").count() == 2
        trial = selectors.trial_balance(actor=system(tenant.id))
    assert [(balance.currency, balance.is_balanced) for balance in trial] == [("USD", True)]


def test_reversals_at_once_take_back_once(committed: NewTenant) -> None:
    tenant = committed("Two reversals")
    post(tenant, "sale")
    outcomes = at_once([partial(reverse, tenant, f"void:{n}") for n in range(4)])
    assert sum(isinstance(outcome, UUID) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, AlreadyReversed) for outcome in outcomes) == 3
    with tenant_transaction(tenant.scope):
        rows = selectors.list_accounts(actor=system(tenant.id))
    assert {row.balance_minor for row in rows} == {0}


def test_many_entries_at_once_all_count(committed: NewTenant) -> None:
    tenant = committed("Many entries")
    works = [partial(post, tenant, f"sale:{n}") for n in range(24)]
    for start in range(0, 24, 8):
        assert all(isinstance(outcome, UUID) for outcome in at_once(works[start : start + 8]))
    with tenant_transaction(tenant.scope):
        trial = selectors.trial_balance(actor=system(tenant.id))
    assert (trial[0].debit_minor, trial[0].credit_minor) == (2400, 2400)
