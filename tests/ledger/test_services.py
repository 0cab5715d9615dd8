"""What posting promises to the services that call it."""

from datetime import date
from uuid import UUID, uuid4

import pytest

from apps.audit.models import AuditEntry
from apps.core.errors import NotFound
from apps.ledger import accounts, selectors, services
from apps.ledger.errors import AlreadyReversed, EntryKeyReused, EntryNotBalanced, UnknownAccount
from apps.ledger.models import Account, Entry, Posting
from apps.ledger.services import Leg
from apps.tenancy.selectors import TenantView
from tests.fixtures.tenants import actor_of, in_tenant

TODAY = date(2026, 3, 31)
SALE = (
    Leg(accounts.RECEIVABLE, 11900, "EUR"),
    Leg(accounts.REVENUE, -10000, "EUR"),
    Leg(accounts.TAX_PAYABLE, -1900, "EUR"),
)


def post_sale(tenant: TenantView, key: str = "invoice.finalized:1", legs: tuple[Leg, ...] = SALE) -> UUID:
    return services.post(
        actor=actor_of(tenant),
        key=key,
        kind="invoice.finalized",
        occurred_on=TODAY,
        description="Invoice INV-1",
        source_type="invoice",
        source_id=uuid4(),
        legs=legs,
    )


def balances(tenant: TenantView) -> dict[tuple[str, str], int]:
    rows = selectors.list_accounts(actor=actor_of(tenant))
    return {(row.code, row.currency): row.balance_minor for row in rows if row.balance_minor}


def test_a_new_tenant_has_the_chart_in_its_currency(acme: TenantView) -> None:
    with in_tenant(acme):
        found = {(account.code, account.currency) for account in Account.objects.all()}
    assert found == {(code, "EUR") for code in accounts.CHART}


def test_making_the_chart_again_changes_nothing(acme: TenantView) -> None:
    with in_tenant(acme):
        before = set(Account.objects.values_list("pk", flat=True))
        services.create_chart(currency="EUR")
        assert set(Account.objects.values_list("pk", flat=True)) == before


def test_an_entry_moves_the_balances_of_its_accounts(acme: TenantView) -> None:
    with in_tenant(acme):
        post_sale(acme)
        assert balances(acme) == {("1100", "EUR"): 11900, ("4000", "EUR"): -10000, ("2200", "EUR"): -1900}


def test_legs_keep_their_order(acme: TenantView) -> None:
    with in_tenant(acme):
        entry = selectors.get_entry(actor=actor_of(acme), entry_id=post_sale(acme))
    assert [(leg.account_code, leg.amount_minor) for leg in entry.postings] == [
        ("1100", 11900),
        ("4000", -10000),
        ("2200", -1900),
    ]


def test_posting_again_under_the_same_key_changes_nothing(acme: TenantView) -> None:
    with in_tenant(acme):
        assert post_sale(acme) == post_sale(acme)
        assert Entry.objects.count() == 1
        assert Posting.objects.count() == 3


def test_a_key_stands_for_one_entry_only(acme: TenantView) -> None:
    other = (Leg(accounts.RECEIVABLE, 5, "EUR"), Leg(accounts.REVENUE, -5, "EUR"))
    with in_tenant(acme):
        post_sale(acme)
        with pytest.raises(EntryKeyReused):
            post_sale(acme, legs=other)


@pytest.mark.parametrize(
    "legs",
    [
        (),
        (Leg("1100", 100, "EUR"),),
        (Leg("1100", 100, "EUR"), Leg("4000", -99, "EUR")),
        (Leg("1100", 100, "EUR"), Leg("4000", -100, "USD")),
        (Leg("1100", 100, "EUR"), Leg("4000", -100, "EUR"), Leg("2200", 0, "EUR")),
        (Leg("1100", 10**18, "EUR"), Leg("4000", -(10**18), "EUR")),
    ],
)
def test_legs_that_do_not_balance_are_refused(acme: TenantView, legs: tuple[Leg, ...]) -> None:
    with in_tenant(acme):
        with pytest.raises(EntryNotBalanced):
            post_sale(acme, legs=legs)
        assert not Entry.objects.exists()


@pytest.mark.parametrize("leg", [Leg("9999", -100, "EUR"), Leg("4000", -100, "EURO"), Leg("4000", -100, "eur")])
def test_unknown_accounts_and_currencies_are_refused(acme: TenantView, leg: Leg) -> None:
    with in_tenant(acme), pytest.raises(UnknownAccount):
        post_sale(acme, legs=(Leg("1100", 100, leg.currency), leg))


def test_a_new_currency_opens_the_accounts_it_needs(acme: TenantView) -> None:
    yen = (Leg(accounts.RECEIVABLE, 500, "JPY"), Leg(accounts.REVENUE, -500, "JPY"))
    with in_tenant(acme):
        post_sale(acme, legs=yen)
        post_sale(acme, "invoice.finalized:2", legs=yen)
        opened = Account.objects.filter(currency="JPY")
        assert {(account.code, account.name) for account in opened} == {
            ("1100", "Accounts receivable"),
            ("4000", "Revenue"),
        }


def test_one_entry_may_balance_in_several_currencies(acme: TenantView) -> None:
    with in_tenant(acme):
        post_sale(acme, legs=(*SALE, Leg("1000", 7, "USD"), Leg("4000", -7, "USD")))
        trial = selectors.trial_balance(actor=actor_of(acme))
    assert [(balance.currency, balance.debit_minor, balance.is_balanced) for balance in trial] == [
        ("EUR", 11900, True),
        ("USD", 7, True),
    ]


def test_a_reversal_takes_everything_back(acme: TenantView) -> None:
    with in_tenant(acme):
        original = post_sale(acme)
        reversal = reverse_sale(acme)
        assert balances(acme) == {}
        assert selectors.get_entry(actor=actor_of(acme), entry_id=reversal).reverses_id == original
        assert selectors.get_entry(actor=actor_of(acme), entry_id=original).reversed_by_id == reversal


def test_reversing_again_under_the_same_key_changes_nothing(acme: TenantView) -> None:
    with in_tenant(acme):
        post_sale(acme)
        assert reverse_sale(acme) == reverse_sale(acme)
        assert Entry.objects.count() == 2


def test_an_entry_is_reversed_once(acme: TenantView) -> None:
    with in_tenant(acme):
        post_sale(acme)
        reverse_sale(acme)
        with pytest.raises(AlreadyReversed):
            reverse_sale(acme, key="another key")


def test_what_was_never_posted_cannot_be_reversed(acme: TenantView) -> None:
    with in_tenant(acme), pytest.raises(NotFound):
        reverse_sale(acme)


def test_posting_leaves_an_audit_entry(acme: TenantView) -> None:
    with in_tenant(acme):
        entry_id = post_sale(acme)
    audited = AuditEntry.objects.get(action="ledger.entry.post", entity_id=str(entry_id))
    assert audited.tenant_id == acme.id
    assert audited.after is not None
    assert audited.after["legs"][0] == ["1100", 11900, "EUR"]


def test_the_other_tenant_sees_nothing(acme: TenantView, globex: TenantView) -> None:
    with in_tenant(acme):
        post_sale(acme)
    with in_tenant(globex):
        assert balances(globex) == {}
        assert not Entry.objects.exists()


def test_balances_can_be_asked_for_a_day_in_the_past(acme: TenantView) -> None:
    with in_tenant(acme):
        post_sale(acme)
        rows = selectors.list_accounts(actor=actor_of(acme), as_of=date(2026, 3, 30))
        assert {row.balance_minor for row in rows} == {0}
        assert selectors.trial_balance(actor=actor_of(acme), as_of=TODAY)[0].debit_minor == 11900


def reverse_sale(tenant: TenantView, key: str = "invoice.voided:1") -> UUID:
    return services.reverse(
        actor=actor_of(tenant),
        original_key="invoice.finalized:1",
        key=key,
        kind="invoice.voided",
        occurred_on=TODAY,
        description="Void of INV-1",
    )
