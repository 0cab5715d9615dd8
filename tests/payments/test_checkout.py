"""The checkout from the wish to pay until the money is here."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction

from apps.audit.models import AuditEntry
from apps.core.actor import system
from apps.core.clock import utcnow
from apps.core.errors import IllegalState
from apps.core.tenants import tenant_scope
from apps.ledger import selectors as ledger
from apps.payments import services
from apps.payments.choices import PaymentStatus
from apps.payments.errors import GatewayRefused, PaymentNotFound
from apps.payments.models import Payment
from apps.tenancy import selectors as tenancy
from apps.tenancy.selectors import TenantView
from tests.factories.payments import check, make_paid, make_pending, open_checkout, pay_at, stored, stripe_api
from tests.fixtures.processes import Sandbox
from tests.fixtures.tenants import in_tenant


def balances(tenant: TenantView) -> dict[tuple[str, str], int]:
    with in_tenant(tenant):
        rows = ledger.list_accounts(actor=system(tenant.id))
    return {(row.code, row.currency): row.balance_minor for row in rows if row.balance_minor}


def test_a_checkout_leads_to_the_gateways_page(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = make_pending(acme)
    view = open_checkout(acme, payment_id)
    payment = stored(acme, payment_id)
    assert view.url.startswith(sandbox.url)
    assert view.status == PaymentStatus.PENDING
    assert payment.checkout_open
    session = stripe_api(sandbox, "GET", f"checkout/sessions/{payment.session_ref}")
    assert session["metadata"] == {"tenant_id": str(acme.id), "payment_id": str(payment_id)}
    assert (session["amount_total"], session["currency"]) == (11900, "eur")
    assert tenancy.resolve_ref("stripe.checkout_session", payment.session_ref) == (acme.id, payment_id)


def test_opening_again_leads_to_the_same_page(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = make_pending(acme)
    assert open_checkout(acme, payment_id) == open_checkout(acme, payment_id)
    assert len(stripe_api(sandbox, "GET", "checkout/sessions")["data"]) == 1


def test_paying_moves_money_from_receivable_to_the_gateway_less_its_fee(acme: TenantView, sandbox: Sandbox) -> None:
    payment = stored(acme, make_paid(acme, sandbox))
    assert payment.status == PaymentStatus.SUCCEEDED
    assert payment.method == "CARD"
    assert payment.succeeded_at is not None
    assert payment.fee_minor == 375
    assert payment.next_check_at is None
    assert not payment.checkout_open
    assert balances(acme) == {("1100", "EUR"): -11900, ("1200", "EUR"): 11525, ("5100", "EUR"): 375}


def test_looking_again_changes_nothing(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = make_paid(acme, sandbox)
    before = balances(acme)
    check(acme, payment_id)
    check(acme, payment_id)
    assert balances(acme) == before


@pytest.mark.parametrize(("currency", "amount"), [("JPY", 5000), ("KWD", 12340), ("ISK", 7000), ("USD", 50)])
def test_currencies_without_and_with_three_decimals_arrive_unchanged(
    acme: TenantView, sandbox: Sandbox, currency: str, amount: int
) -> None:
    payment = stored(acme, make_paid(acme, sandbox, currency=currency, amount_minor=amount))
    assert (payment.status, payment.amount_minor, payment.currency) == (PaymentStatus.SUCCEEDED, amount, currency)


@pytest.mark.parametrize(("currency", "amount"), [("EUR", 49), ("KWD", 1001), ("EUR", 10**11), ("MGA", 1001)])
def test_amounts_that_the_gateway_cannot_charge_fail_the_payment(
    acme: TenantView, sandbox: Sandbox, currency: str, amount: int
) -> None:
    payment_id = make_pending(acme, currency=currency, amount_minor=amount)
    with pytest.raises(GatewayRefused):
        open_checkout(acme, payment_id)
    payment = stored(acme, payment_id)
    assert payment.status == PaymentStatus.FAILED
    assert payment.failure_reason
    assert payment.next_check_at is None


def test_an_unfinished_checkout_is_used_again(acme: TenantView, sandbox: Sandbox) -> None:
    purpose_id = uuid4()
    first = make_pending(acme, purpose_id=purpose_id)
    url = open_checkout(acme, first).url
    second = make_pending(acme, purpose_id=purpose_id)
    assert second == first
    assert open_checkout(acme, second).url == url


def test_another_amount_replaces_the_checkout_and_closes_its_session(acme: TenantView, sandbox: Sandbox) -> None:
    purpose_id = uuid4()
    first = make_pending(acme, purpose_id=purpose_id)
    open_checkout(acme, first)
    second = make_pending(acme, purpose_id=purpose_id, amount_minor=5000)
    open_checkout(acme, second)
    assert second != first
    assert stored(acme, first).status == PaymentStatus.CANCELED
    with tenant_scope(acme.scope):
        services.reconcile(tenant_id=acme.id)
    closed = stored(acme, first)
    assert not closed.checkout_open
    assert not closed.close_owed
    assert stripe_api(sandbox, "GET", f"checkout/sessions/{closed.session_ref}")["status"] == "expired"


def test_a_checkout_about_to_expire_is_not_used_again(acme: TenantView, sandbox: Sandbox) -> None:
    purpose_id = uuid4()
    first = make_pending(acme, purpose_id=purpose_id)
    open_checkout(acme, first)
    later = utcnow() + timedelta(hours=24)
    assert make_pending(acme, purpose_id=purpose_id, now=later) != first


def test_money_that_comes_through_a_given_up_checkout_still_counts(acme: TenantView, sandbox: Sandbox) -> None:
    purpose_id = uuid4()
    first = make_pending(acme, purpose_id=purpose_id)
    url = open_checkout(acme, first).url
    make_pending(acme, purpose_id=purpose_id, amount_minor=5000)
    pay_at(sandbox, url)
    check(acme, first)
    assert stored(acme, first).status == PaymentStatus.SUCCEEDED


def test_a_purpose_that_needs_no_payment_any_more_closes_its_checkout(acme: TenantView, sandbox: Sandbox) -> None:
    purpose_id = uuid4()
    payment_id = make_pending(acme, purpose_id=purpose_id)
    open_checkout(acme, payment_id)
    with in_tenant(acme):
        services.cancel_pending(actor=system(acme.id), purpose="test", purpose_id=purpose_id)
        services.cancel_pending(actor=system(acme.id), purpose="test", purpose_id=purpose_id)
    check(acme, payment_id)
    payment = stored(acme, payment_id)
    assert payment.status == PaymentStatus.CANCELED
    assert stripe_api(sandbox, "GET", f"checkout/sessions/{payment.session_ref}")["status"] == "expired"


def test_a_declined_card_fails_the_payment_and_another_card_pays_it(acme: TenantView, sandbox: Sandbox) -> None:
    purpose_id = uuid4()
    payment_id = make_pending(acme, purpose_id=purpose_id)
    url = open_checkout(acme, payment_id).url
    assert pay_at(sandbox, url, "pm_card_chargeDeclined").status_code == 402
    check(acme, payment_id)
    declined = stored(acme, payment_id)
    assert declined.status == PaymentStatus.FAILED
    assert "declined" in declined.failure_reason
    assert make_pending(acme, purpose_id=purpose_id) == payment_id
    assert open_checkout(acme, payment_id).url == url
    pay_at(sandbox, url)
    check(acme, payment_id)
    paid = stored(acme, payment_id)
    assert (paid.status, paid.failure_reason) == (PaymentStatus.SUCCEEDED, "")


def test_an_expired_session_cancels_the_payment(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = make_pending(acme)
    open_checkout(acme, payment_id)
    stripe_api(sandbox, "POST", f"checkout/sessions/{stored(acme, payment_id).session_ref}/expire")
    check(acme, payment_id)
    payment = stored(acme, payment_id)
    assert payment.status == PaymentStatus.CANCELED
    assert payment.next_check_at is None


def test_a_paid_payment_opens_no_checkout(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = make_paid(acme, sandbox)
    with pytest.raises(IllegalState):
        open_checkout(acme, payment_id)


def test_another_tenants_payment_does_not_exist(acme: TenantView, globex: TenantView, sandbox: Sandbox) -> None:
    payment_id = make_pending(acme)
    with pytest.raises(PaymentNotFound):
        open_checkout(globex, payment_id)


def test_the_gateway_is_never_called_within_a_transaction(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = make_pending(acme)
    with in_tenant(acme), transaction.atomic(), pytest.raises(RuntimeError, match="transaction"):
        services.open_checkout(actor=system(acme.id), payment_id=payment_id)


def test_the_database_keeps_one_pending_payment_a_purpose(acme: TenantView) -> None:
    payment_id = make_pending(acme)
    with in_tenant(acme):
        twin = Payment.objects.get(pk=payment_id)
        twin.pk = uuid4()
        with pytest.raises(Exception, match="payment_one_pending"), transaction.atomic():
            twin.save(force_insert=True)


def test_every_step_is_audited(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = make_paid(acme, sandbox)
    actions = AuditEntry.objects.filter(tenant_id=acme.id, entity_id=str(payment_id)).order_by("pk")
    assert list(actions.values_list("action", flat=True)) == [
        "payments.payment.create",
        "payments.payment.open",
        "payments.payment.succeed",
    ]
