"""Money noted by hand, and the sums over all payments."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from apps.core.actor import system
from apps.core.clock import utcnow
from apps.core.errors import PermissionRefused, ValidationFailed
from apps.core.tenants import tenant_scope
from apps.ledger import selectors as ledger
from apps.payments import selectors, services
from apps.payments.choices import PaymentStatus
from apps.tenancy.selectors import TenantView
from tests.factories.payments import make_manual, make_paid, make_pending, stored
from tests.fixtures.processes import Sandbox
from tests.fixtures.tenants import actor_of, in_tenant

PAID_AT = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)


def test_a_bank_transfer_counts_at_once_and_lands_in_the_bank(acme: TenantView) -> None:
    payment = stored(acme, make_manual(acme, paid_at=PAID_AT))
    assert (payment.status, payment.method, payment.succeeded_at) == (
        PaymentStatus.SUCCEEDED,
        "BANK_TRANSFER",
        PAID_AT,
    )
    with in_tenant(acme):
        rows = ledger.list_accounts(actor=system(acme.id), as_of=date(2026, 3, 31))
    assert {row.code: row.balance_minor for row in rows if row.balance_minor} == {"1000": 11900, "1100": -11900}


def test_several_transfers_may_pay_for_one_thing(acme: TenantView) -> None:
    purpose_id = uuid4()
    made = {make_manual(acme, paid_at=PAID_AT, purpose_id=purpose_id) for _ in range(2)}
    with in_tenant(acme):
        found = selectors.payments_for(purpose="test", purpose_id=purpose_id)
    assert {payment.id for payment in found} == made


@pytest.mark.parametrize(
    ("field", "value"),
    [("method", "shells"), ("currency", "EURO"), ("currency", "XXX"), ("amount_minor", 0), ("amount_minor", 10**13)],
)
def test_what_nobody_pays_is_refused(acme: TenantView, field: str, value: Any) -> None:
    with pytest.raises(ValidationFailed) as refused:
        make_manual(acme, paid_at=PAID_AT, **{field: value})
    assert refused.value.errors[0].field == field


def test_noting_money_needs_the_permission(acme: TenantView) -> None:
    with in_tenant(acme), pytest.raises(PermissionRefused):
        services.record_manual(
            actor=actor_of(acme, "MEMBER"),
            purpose="test",
            purpose_id=uuid4(),
            label="",
            amount_minor=1,
            currency="EUR",
            method="cash",
            reference="",
            paid_at=PAID_AT,
            payer_name="",
            payer_email="",
        )


def test_statistics_add_up_by_currency(acme: TenantView, sandbox: Sandbox) -> None:
    card = make_paid(acme, sandbox)
    make_manual(acme, paid_at=utcnow(), currency="JPY", amount_minor=500)
    make_pending(acme)
    with tenant_scope(acme.scope):
        services.refund(actor=system(acme.id), payment_id=card, amount_minor=1900)
    with in_tenant(acme):
        euro, yen = selectors.statistics(actor=system(acme.id))
    assert (euro.currency, euro.succeeded_minor, euro.succeeded_count) == ("EUR", 11900, 1)
    assert (euro.refunded_minor, euro.refund_count, euro.net_minor, euro.fee_minor) == (1900, 1, 10000, 375)
    assert (euro.pending_count, euro.failed_count) == (1, 0)
    assert (yen.currency, yen.succeeded_minor, yen.refunded_minor, yen.fee_minor) == ("JPY", 500, 0, 0)


def test_statistics_of_a_span_count_only_its_days(acme: TenantView) -> None:
    make_manual(acme, paid_at=PAID_AT)
    with in_tenant(acme):
        (within,) = selectors.statistics(actor=system(acme.id), since=date(2026, 3, 31), until=date(2026, 3, 31))
        (before,) = selectors.statistics(actor=system(acme.id), until=date(2026, 3, 30))
    assert (within.succeeded_count, before.succeeded_count) == (1, 0)


def test_counts_by_status_serve_the_tabs(acme: TenantView) -> None:
    make_manual(acme, paid_at=PAID_AT)
    make_pending(acme)
    with in_tenant(acme):
        counts = selectors.count_by_status(actor=system(acme.id), filters={"status": "PENDING"})
    assert counts == dict.fromkeys(PaymentStatus.values, 0) | {"SUCCEEDED": 1, "PENDING": 1}
