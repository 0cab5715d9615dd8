"""Money that comes and goes: states, sums, books, and what the others hear."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.audit.models import AuditEntry
from apps.core.actor import Actor, system
from apps.core.tenants import tenant_transaction
from apps.invoices import selectors, services
from apps.invoices.events import InvoicePaid, InvoicePartiallyPaid, InvoiceReopened
from apps.invoices.models import SettlementKind
from apps.invoices.selectors import InvoiceView
from apps.ledger import accounts
from apps.ledger import services as ledger
from apps.ledger.services import Leg
from apps.tenancy.selectors import TenantView
from tests.factories.invoices import make_open
from tests.fixtures.tenants import actor_of, in_tenant
from tests.fixtures.threads import at_once
from tests.invoices.test_lifecycle import balances, heard

NewTenant = Callable[[str], TenantView]
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
MOVES = {SettlementKind.PAYMENT: 1, SettlementKind.REFUND: -1, SettlementKind.REFUND_FAILED: 1}


@pytest.fixture
def actor(acme: TenantView) -> Actor:
    return actor_of(acme)


def move(
    invoice: InvoiceView,
    amount: int,
    kind: SettlementKind = SettlementKind.PAYMENT,
    *,
    payment_id: UUID | None = None,
    refund_id: UUID | None = None,
    currency: str = "EUR",
) -> InvoiceView:
    """What the payments app does when money moves: post, then tell."""
    payment_id = payment_id or uuid4()
    if kind is not SettlementKind.PAYMENT:
        refund_id = refund_id or uuid4()
    signed = MOVES[kind] * amount
    ledger.post(
        actor=system(),
        key=f"{kind}:{refund_id or payment_id}",
        kind="test",
        occurred_on=NOW.date(),
        description="",
        source_type="payment",
        source_id=payment_id,
        legs=[Leg(accounts.GATEWAY_CLEARING, signed, currency), Leg(accounts.RECEIVABLE, -signed, currency)],
    )
    services.settle(
        actor=system(),
        invoice_id=invoice.id,
        kind=kind,
        payment_id=payment_id,
        refund_id=refund_id,
        amount_minor=amount,
        currency=currency,
        settled_at=NOW,
    )
    return selectors.invoice_view(invoice_id=invoice.id)


def test_paid_in_full_is_paid(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme), heard(InvoicePaid, InvoicePartiallyPaid) as told:
        paid = move(make_open(actor), 11_900)
        assert balances(actor)[accounts.GATEWAY_CLEARING] == 11_900
        assert accounts.RECEIVABLE not in balances(actor)
    assert (paid.status, paid.paid_at, paid.amount_due_minor, paid.surplus_minor) == ("PAID", NOW, 0, 0)
    assert paid.allowed_actions == ("send", "duplicate")
    assert [type(event) for event in told] == [InvoicePaid]
    assert told[0].to_email == "ap@ionian.test"


def test_paid_in_part_stays_open_and_cannot_be_voided(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme), heard(InvoicePaid, InvoicePartiallyPaid) as told:
        invoice = move(make_open(actor), 5_000)
        assert (invoice.status, invoice.is_partially_paid, invoice.amount_due_minor) == ("OPEN", True, 6_900)
        assert invoice.shown_status == "partially_paid"
        assert "void" not in invoice.allowed_actions
        assert move(invoice, 6_900).status == "PAID"
    assert [type(event) for event in told] == [InvoicePartiallyPaid, InvoicePaid]
    assert (told[0].paid_minor, told[0].amount_due_minor) == (5_000, 6_900)


def test_the_same_payment_counts_once(acme: TenantView, actor: Actor) -> None:
    payment_id = uuid4()
    with in_tenant(acme), heard(InvoicePaid) as told:
        invoice = make_open(actor)
        first = move(invoice, 11_900, payment_id=payment_id)
        assert move(invoice, 11_900, payment_id=payment_id) == first
    assert len(told) == 1


def test_a_refund_makes_it_due_again(acme: TenantView, actor: Actor) -> None:
    payment_id, refund_id = uuid4(), uuid4()
    with in_tenant(acme), heard(InvoiceReopened) as told:
        invoice = move(make_open(actor), 11_900, payment_id=payment_id)
        for _ in range(2):
            invoice = move(invoice, 900, SettlementKind.REFUND, payment_id=payment_id, refund_id=refund_id)
        assert (invoice.status, invoice.paid_at, invoice.amount_due_minor) == ("OPEN", None, 900)
        assert balances(actor)[accounts.RECEIVABLE] == 900
    assert [event.amount_due_minor for event in told] == [900]


def test_a_refund_that_comes_back_pays_it_again(acme: TenantView, actor: Actor) -> None:
    payment_id, refund_id = uuid4(), uuid4()
    with in_tenant(acme):
        invoice = move(make_open(actor), 11_900, payment_id=payment_id)
        move(invoice, 11_900, SettlementKind.REFUND, payment_id=payment_id, refund_id=refund_id)
        again = move(invoice, 11_900, SettlementKind.REFUND_FAILED, payment_id=payment_id, refund_id=refund_id)
    assert (again.status, again.amount_paid_minor) == ("PAID", 11_900)


def test_too_much_is_paid_and_the_surplus_shown(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        invoice = move(move(make_open(actor), 10_000), 11_900)
    assert (invoice.status, invoice.amount_due_minor, invoice.surplus_minor) == ("PAID", 0, 10_000)


def test_money_for_a_void_invoice_is_kept_as_a_surplus_and_noted_loudly(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme), heard(InvoicePaid) as told:
        void = services.void_invoice(actor=actor, invoice_id=make_open(actor).id)
        late = move(void, 11_900)
    assert (late.status, late.amount_due_minor, late.surplus_minor) == ("VOID", 0, 11_900)
    assert told == []
    assert AuditEntry.objects.filter(action="invoices.invoice.receive_payment").latest("id").severity == "HIGH"


def test_money_for_a_written_off_invoice_undoes_the_loss(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        lost = services.mark_uncollectible(actor=actor, invoice_id=make_open(actor).id)
        part = move(lost, 1_900)
        assert (part.status, balances(actor)[accounts.BAD_DEBT]) == ("UNCOLLECTIBLE", 10_000)
        assert "void" not in part.allowed_actions
        paid = move(part, 10_000)
        assert paid.status == "PAID"
        assert accounts.BAD_DEBT not in balances(actor)
        assert accounts.RECEIVABLE not in balances(actor)


def test_another_currency_is_never_counted(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        invoice = make_open(actor)
        with pytest.raises(ValueError, match="USD"):
            move(invoice, 100, currency="USD")
        assert selectors.invoice_view(invoice_id=invoice.id).amount_paid_minor == 0


def test_one_payment_told_four_times_at_once_counts_once(committed: NewTenant) -> None:
    tenant, payment_id = committed("Told at once"), uuid4()
    with tenant_transaction(tenant.scope):
        invoice = make_open(system(tenant.id))

    def pay() -> InvoiceView:
        with tenant_transaction(tenant.scope):
            return move(invoice, 11_900, payment_id=payment_id)

    outcomes = at_once([pay] * 4)
    assert all(isinstance(outcome, InvoiceView) for outcome in outcomes), outcomes
    with tenant_transaction(tenant.scope):
        assert selectors.invoice_view(invoice_id=invoice.id).amount_paid_minor == 11_900


def test_two_payments_at_once_both_count(committed: NewTenant) -> None:
    tenant = committed("Both at once")
    with tenant_transaction(tenant.scope):
        invoice = make_open(system(tenant.id))

    def pay() -> InvoiceView:
        with tenant_transaction(tenant.scope):
            return move(invoice, 5_950)

    outcomes = at_once([pay] * 2)
    assert all(isinstance(outcome, InvoiceView) for outcome in outcomes), outcomes
    with tenant_transaction(tenant.scope):
        assert selectors.invoice_view(invoice_id=invoice.id).status == "PAID"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(1, 12_000)),
        st.tuples(st.just("refund"), st.integers(1, 12_000)),
        st.tuples(st.sampled_from(["void", "uncollectible", "send"]), st.just(0)),
    ),
    max_size=10,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_books_and_invoice_agree_after_any_story(acme: TenantView, actor: Actor, steps: list[tuple[str, int]]) -> None:
    verbs = {
        "void": services.void_invoice,
        "uncollectible": services.mark_uncollectible,
        "send": services.send_invoice,
    }
    with in_tenant(acme):
        before = balances(actor)
        invoice = make_open(actor)
        paid = 0
        for step, amount in steps:
            if step in verbs:
                if step in invoice.allowed_actions:
                    invoice = verbs[step](actor=actor, invoice_id=invoice.id)
            elif step == "pay":
                invoice, paid = move(invoice, amount), paid + amount
            elif amount <= paid:
                invoice, paid = move(invoice, amount, SettlementKind.REFUND), paid - amount
            after = balances(actor)
            owed = after.get(accounts.RECEIVABLE, 0) - before.get(accounts.RECEIVABLE, 0)
            lost = after.get(accounts.BAD_DEBT, 0) - before.get(accounts.BAD_DEBT, 0)
            assert invoice.amount_paid_minor == paid
            assert owed + lost == invoice.amount_due_minor - invoice.surplus_minor
            assert lost == (invoice.amount_due_minor if invoice.status == "UNCOLLECTIBLE" else 0)
            if invoice.status != "VOID":
                assert (invoice.status == "PAID") == (paid >= invoice.total_minor)
