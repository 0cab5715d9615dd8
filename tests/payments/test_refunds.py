"""Refunds: never more than was paid, never twice, whoever asks at once and whatever the gateway does."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from apps.core.actor import system
from apps.core.clock import utcnow
from apps.core.errors import IllegalState, PermissionRefused, ValidationFailed
from apps.core.tenants import tenant_scope
from apps.ledger import selectors as ledger
from apps.payments import services
from apps.payments.choices import PaymentStatus, RefundStatus
from apps.payments.errors import GatewayRefused, GatewayUnreachable, PaymentNotFound
from apps.payments.gateways.base import Outcome, PaymentFacts, RefundFacts
from apps.payments.models import Refund
from apps.payments.selectors import RefundView
from apps.payments.settling import apply_facts
from apps.tenancy.selectors import TenantView
from tests.factories.payments import (
    check,
    clear_faults,
    make_manual,
    make_paid,
    make_pending,
    stored,
    stripe_api,
)
from tests.fixtures.processes import Sandbox, free_port
from tests.fixtures.tenants import actor_of, in_tenant
from tests.fixtures.threads import at_once

NewTenant = Callable[[str], TenantView]
Make = Callable[[TenantView, Sandbox], UUID]


def refund(tenant: TenantView, payment_id: UUID, amount: int | None = None, role: str = "OWNER") -> RefundView:
    with tenant_scope(tenant.scope):
        with in_tenant(tenant):
            actor = actor_of(tenant, role)
        return services.refund(actor=actor, payment_id=payment_id, amount_minor=amount)


def reconcile(tenant: TenantView, after: timedelta = timedelta(minutes=1)) -> None:
    with tenant_scope(tenant.scope):
        services.reconcile(tenant_id=tenant.id, now=utcnow() + after)


def balances(tenant: TenantView) -> dict[str, int]:
    with in_tenant(tenant):
        rows = ledger.list_accounts(actor=system(tenant.id))
    return {row.code: row.balance_minor for row in rows if row.balance_minor}


def refunds_at_the_gateway(sandbox: Sandbox) -> list[int]:
    return [refund["amount"] for refund in stripe_api(sandbox, "GET", "refunds")["data"]]


def by_card(tenant: TenantView, sandbox: Sandbox) -> UUID:
    return make_paid(tenant, sandbox)


def by_hand(tenant: TenantView, sandbox: Sandbox) -> UUID:
    return make_manual(tenant, paid_at=utcnow())


every_gateway = pytest.mark.parametrize("make", [by_card, by_hand])


@every_gateway
def test_a_full_refund_sends_everything_back(acme: TenantView, sandbox: Sandbox, make: Make) -> None:
    payment_id = make(acme, sandbox)
    made = refund(acme, payment_id)
    assert (made.amount_minor, made.status) == (11900, RefundStatus.SUCCEEDED)
    payment = stored(acme, payment_id)
    assert (payment.status, payment.refunded_minor) == (PaymentStatus.REFUNDED, 11900)
    assert "1100" not in balances(acme)


@every_gateway
def test_partial_refunds_add_up_to_the_whole(acme: TenantView, sandbox: Sandbox, make: Make) -> None:
    payment_id = make(acme, sandbox)
    refund(acme, payment_id, 1900)
    assert stored(acme, payment_id).status == PaymentStatus.PARTIALLY_REFUNDED
    assert balances(acme)["1100"] == -10000
    refund(acme, payment_id)
    assert stored(acme, payment_id).status == PaymentStatus.REFUNDED
    assert "1100" not in balances(acme)


@every_gateway
@pytest.mark.parametrize("amount", [11901, 0, -1, 10**15])
def test_more_than_was_paid_and_less_than_nothing_are_refused(
    acme: TenantView, sandbox: Sandbox, make: Make, amount: int
) -> None:
    payment_id = make(acme, sandbox)
    with pytest.raises(ValidationFailed):
        refund(acme, payment_id, amount)
    assert stored(acme, payment_id).refunded_minor == 0


@every_gateway
def test_more_than_is_left_is_refused(acme: TenantView, sandbox: Sandbox, make: Make) -> None:
    payment_id = make(acme, sandbox)
    refund(acme, payment_id, 11000)
    with pytest.raises(ValidationFailed):
        refund(acme, payment_id, 901)
    refund(acme, payment_id, 900)
    with pytest.raises(IllegalState) as refused:
        refund(acme, payment_id)
    assert refused.value.extra["allowed_actions"] == []


@every_gateway
def test_refunds_at_once_never_exceed_the_payment(committed: NewTenant, sandbox: Sandbox, make: Make) -> None:
    tenant = committed(f"Refund race {make.__name__}")
    payment_id = make(tenant, sandbox)
    outcomes = at_once([partial(refund, tenant, payment_id, 5000) for _ in range(4)])
    assert sum(isinstance(outcome, RefundView) for outcome in outcomes) == 2
    assert sum(isinstance(outcome, ValidationFailed) for outcome in outcomes) == 2
    payment = stored(tenant, payment_id)
    assert (payment.refunded_minor, payment.status) == (10000, PaymentStatus.PARTIALLY_REFUNDED)
    if make is by_card:
        assert refunds_at_the_gateway(sandbox) == [5000, 5000]


def test_two_full_refunds_at_once_refund_once(committed: NewTenant, sandbox: Sandbox) -> None:
    tenant = committed("Two full refunds")
    payment_id = make_paid(tenant, sandbox)
    outcomes = at_once([partial(refund, tenant, payment_id) for _ in range(2)])
    assert sum(isinstance(outcome, RefundView) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, IllegalState) for outcome in outcomes) == 1
    assert refunds_at_the_gateway(sandbox) == [11900]


def test_what_was_not_paid_cannot_be_refunded(acme: TenantView, sandbox: Sandbox) -> None:
    with pytest.raises(IllegalState):
        refund(acme, make_pending(acme))


def test_refunds_need_the_permission(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = make_manual(acme, paid_at=utcnow())
    with pytest.raises(PermissionRefused):
        refund(acme, payment_id, role="MEMBER")
    assert refund(acme, payment_id, role="ACCOUNTANT").status == RefundStatus.SUCCEEDED


def test_another_tenants_payment_does_not_exist(acme: TenantView, globex: TenantView, sandbox: Sandbox) -> None:
    payment_id = make_manual(acme, paid_at=utcnow())
    with pytest.raises(PaymentNotFound):
        refund(globex, payment_id)


def test_an_unreachable_gateway_fails_the_refund_and_it_may_be_asked_again(
    acme: TenantView, sandbox: Sandbox, settings: Any
) -> None:
    payment_id = make_paid(acme, sandbox)
    settings.STRIPE_API_HOST = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(GatewayUnreachable):
        refund(acme, payment_id)
    with in_tenant(acme):
        assert Refund.objects.get(payment_id=payment_id).status == RefundStatus.FAILED
    settings.STRIPE_API_HOST = sandbox.url
    assert refund(acme, payment_id).status == RefundStatus.SUCCEEDED
    assert refunds_at_the_gateway(sandbox) == [11900]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_refund_whose_answer_is_lost_stays_pending_and_is_finished_once(
    acme: TenantView, sandbox: Sandbox, when: str
) -> None:
    payment_id = make_paid(acme, sandbox)
    sandbox.control("faults", status=500, path="/v1/refunds", method="POST", when=when)
    made = refund(acme, payment_id, 1900)
    assert made.status == RefundStatus.PENDING
    with pytest.raises(ValidationFailed):
        refund(acme, payment_id, 11000)
    reconcile(acme)
    payment = stored(acme, payment_id)
    assert (payment.refunded_minor, payment.status) == (1900, PaymentStatus.PARTIALLY_REFUNDED)
    assert refunds_at_the_gateway(sandbox) == [1900]
    reconcile(acme, timedelta(hours=3))
    assert refunds_at_the_gateway(sandbox) == [1900]


def test_what_was_refunded_in_the_dashboard_is_learned_from_the_refusal(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = make_paid(acme, sandbox)
    stripe_api(sandbox, "POST", "refunds", payment_intent=stored(acme, payment_id).payment_ref)
    with pytest.raises(GatewayRefused, match="already been refunded"):
        refund(acme, payment_id)
    reconcile(acme)
    payment = stored(acme, payment_id)
    assert (payment.status, payment.refunded_minor) == (PaymentStatus.REFUNDED, 11900)


def test_a_refund_that_the_bank_sends_back_is_taken_back(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = make_paid(acme, sandbox)
    made = refund(acme, payment_id, 1900)
    payment = stored(acme, payment_id)
    with in_tenant(acme):
        ref = Refund.objects.get(pk=made.id).refund_ref
    told = RefundFacts(
        ref=ref,
        own_id=made.id,
        status=RefundStatus.FAILED,
        amount_minor=1900,
        currency="EUR",
        reason="OTHER",
        failure_reason="lost_or_stolen_card",
    )
    facts = PaymentFacts(
        outcome=Outcome.PAID,
        session_ref=payment.session_ref,
        payment_ref=payment.payment_ref,
        amount_minor=11900,
        currency="EUR",
        refunds=(told,),
    )
    for _ in range(2):
        with in_tenant(acme):
            apply_facts(actor=system(acme.id), payment_id=payment_id, facts=facts)
    after = stored(acme, payment_id)
    assert (after.status, after.refunded_minor) == (PaymentStatus.SUCCEEDED, 0)
    assert balances(acme)["1100"] == -11900
    with in_tenant(acme):
        assert Refund.objects.get(pk=made.id).status == RefundStatus.FAILED


def test_a_reason_must_be_known(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = make_manual(acme, paid_at=utcnow())
    with tenant_scope(acme.scope), pytest.raises(ValidationFailed):
        services.refund(actor=system(acme.id), payment_id=payment_id, reason="WHIM")


def test_an_unknown_payment_is_not_found(acme: TenantView, sandbox: Sandbox) -> None:
    with pytest.raises(PaymentNotFound):
        refund(acme, uuid4())


def test_a_spent_key_is_replaced_by_a_new_one(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = make_paid(acme, sandbox)
    sandbox.control("faults", status=500, path="/v1/refunds", method="POST")
    refund(acme, payment_id, 1900)
    sandbox.control("faults", status=500, path="/v1/refunds", method="POST")
    reconcile(acme)
    clear_faults(sandbox)
    reconcile(acme, timedelta(hours=2))
    assert stored(acme, payment_id).refunded_minor == 1900
    check(acme, payment_id)
    assert refunds_at_the_gateway(sandbox) == [1900]
