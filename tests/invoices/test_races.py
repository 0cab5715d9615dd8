"""Two people, one invoice, the same moment: one wins, the other hears why not, the books stay right."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from apps.core.actor import Actor, system
from apps.core.errors import IllegalState, ValidationFailed
from apps.core.tenants import tenant_transaction
from apps.core.versions import VersionConflict
from apps.invoices import selectors, services
from apps.invoices.errors import InvoiceNotFound
from apps.tenancy.selectors import TenantView
from tests.factories.invoices import make_draft, make_open
from tests.fixtures.threads import at_once
from tests.invoices.test_lifecycle import balances

NewTenant = Callable[[str], TenantView]


@pytest.fixture
def tenant(committed: NewTenant) -> TenantView:
    return committed("Races")


@pytest.fixture
def actor(tenant: TenantView) -> Actor:
    return system(tenant.id)


def race(tenant: TenantView, works: list[Callable[[], Any]]) -> tuple[list[Any], list[Exception]]:
    """What came of the works that went through, and what the others raised."""

    def run(work: Callable[[], Any]) -> Any:
        with tenant_transaction(tenant.scope):
            return work()

    outcomes = at_once([partial(run, work) for work in works])
    refused = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    return [outcome for outcome in outcomes if not isinstance(outcome, Exception)], refused


def test_two_payments_by_hand_never_exceed_what_is_due(tenant: TenantView, actor: Actor) -> None:
    with tenant_transaction(tenant.scope):
        invoice = make_open(actor)

    def pay() -> UUID:
        return services.record_manual_payment(actor=actor, invoice_id=invoice.id, amount_minor=7_000, method="cash")

    done, refused = race(tenant, [pay] * 4)
    assert len(done) == 1
    assert all(isinstance(error, ValidationFailed) for error in refused), refused
    with tenant_transaction(tenant.scope):
        assert selectors.invoice_view(invoice_id=invoice.id).amount_paid_minor == 7_000
        assert balances(actor)["1100"] == 4_900


def test_paying_and_voiding_exclude_each_other(tenant: TenantView, actor: Actor) -> None:
    with tenant_transaction(tenant.scope):
        invoice = make_open(actor)
    works: list[Callable[[], Any]] = [
        partial(
            services.record_manual_payment,
            actor=actor,
            invoice_id=invoice.id,
            amount_minor=11_900,
            method="cash",
        ),
        partial(services.void_invoice, actor=actor, invoice_id=invoice.id),
    ]
    done, refused = race(tenant, works)
    assert len(done) == len(refused) == 1
    assert isinstance(refused[0], IllegalState)
    with tenant_transaction(tenant.scope):
        assert "1100" not in balances(actor)


def test_voiding_twice_reverses_once(tenant: TenantView, actor: Actor) -> None:
    with tenant_transaction(tenant.scope):
        invoice = make_open(actor)
    done, refused = race(tenant, [partial(services.void_invoice, actor=actor, invoice_id=invoice.id)] * 3)
    assert len(done) == 1
    assert all(isinstance(error, IllegalState) for error in refused)
    with tenant_transaction(tenant.scope):
        assert balances(actor) == {}


def test_of_two_edits_of_one_version_one_is_stale(tenant: TenantView, actor: Actor) -> None:
    with tenant_transaction(tenant.scope):
        draft = make_draft(actor)
    edits: list[Callable[[], Any]] = [
        partial(
            services.update_invoice,
            actor=actor,
            invoice_id=draft.id,
            changes={"notes": notes},
            expected={str(draft.version)},
        )
        for notes in ("one", "two")
    ]
    done, refused = race(tenant, edits)
    assert [type(error) for error in refused] == [VersionConflict]
    with tenant_transaction(tenant.scope):
        assert selectors.invoice_view(invoice_id=draft.id).notes == done[0].notes


def test_finalizing_and_deleting_exclude_each_other(tenant: TenantView, actor: Actor) -> None:
    with tenant_transaction(tenant.scope):
        draft = make_draft(actor)
    works: list[Callable[[], Any]] = [
        partial(services.finalize_invoice, actor=actor, invoice_id=draft.id),
        partial(services.delete_invoice, actor=actor, invoice_id=draft.id),
    ]
    done, refused = race(tenant, works)
    assert len(done) == len(refused) == 1
    assert isinstance(refused[0], IllegalState | InvoiceNotFound)
