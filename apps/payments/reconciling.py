"""What a crash, a lost webhook or a silent gateway left behind, found by the rows that say what is owed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import QuerySet

from apps.core.actor import Actor, system
from apps.core.clock import utcnow
from apps.core.errors import DomainError
from apps.payments import schedule
from apps.payments.checkout import cancel_unopened, open_checkout
from apps.payments.choices import PaymentStatus
from apps.payments.errors import GatewayNotConfigured, GatewayUnreachable
from apps.payments.gateways.registry import CHECKOUT
from apps.payments.models import Payment, Refund
from apps.payments.refunding import carry_out
from apps.payments.settling import apply_facts

logger = structlog.get_logger(__name__)

BATCH = 50
# Nobody waits any more for a checkout that could not be opened in this time.
LONGEST_WITHOUT_SESSION = timedelta(hours=24)


def reconcile(*, tenant_id: UUID, now: datetime | None = None) -> int:
    """Look after the current tenant's payments and refunds that are due; returns how many were looked at.

    Raises:
        GatewayUnreachable: the gateway does not answer, so the others need not be asked either.
        GatewayNotConfigured: there is no gateway.
    """
    now = now or utcnow()
    actor = system(tenant_id)
    payments, refunds = _claim(Payment.objects.all(), now), _claim(Refund.objects.all(), now)
    for payment_id in payments:
        _tolerating(payment_id, lambda row_id: check_payment(actor=actor, payment_id=row_id, now=now))
    for refund_id in refunds:
        _tolerating(refund_id, lambda row_id: carry_out(actor=actor, refund_id=row_id, is_repeat=True, now=now))
    return len(payments) + len(refunds)


def check_payment(*, actor: Actor, payment_id: UUID, now: datetime | None = None) -> None:
    """Go on with one payment from wherever it stands. No transaction may be open.

    Raises:
        PaymentNotFound: unknown, or another tenant's.
        GatewayFailed: the gateway refused or did not answer.
        FactsDisagree: the gateway tells another story.
    """
    now = now or utcnow()
    with transaction.atomic():
        payment = Payment.objects.filter(pk=payment_id, gateway=CHECKOUT.name).first()
    if payment is None:
        return
    if payment.session_ref or payment.payment_ref:
        if payment.close_owed:
            CHECKOUT.close_session(payment.session_ref)
        facts = CHECKOUT.inspect(session_ref=payment.session_ref, payment_ref=payment.payment_ref)
        apply_facts(actor=actor, payment_id=payment_id, facts=facts, now=now)
    elif payment.status == PaymentStatus.PENDING:
        if payment.created_at < now - LONGEST_WITHOUT_SESSION:
            cancel_unopened(actor=actor, payment_id=payment_id, now=now)
        else:
            open_checkout(actor=actor, payment_id=payment_id, now=now)


def _claim(owing: QuerySet[Any], now: datetime) -> list[UUID]:
    """Take what is due; whoever takes a row moves its next turn, so nobody else takes it meanwhile."""
    with transaction.atomic():
        rows = list(
            owing.select_for_update(skip_locked=True).filter(next_check_at__lte=now).order_by("next_check_at")[:BATCH]
        )
        for row in rows:
            row.checks += 1
            row.next_check_at = schedule.next_check(now, row.checks)
            row.save(update_fields=["checks", "next_check_at"])
        return [row.pk for row in rows]


def _tolerating(row_id: UUID, check: Callable[[UUID], object]) -> None:
    try:
        check(row_id)
    except (GatewayUnreachable, GatewayNotConfigured):
        raise
    except DomainError as error:
        logger.warning("payments.reconcile_failed", row_id=str(row_id), code=error.code, error=error.detail)
    except Exception:
        # One row that nobody foresaw must not keep the sweep from the others.
        logger.exception("payments.reconcile_failed", row_id=str(row_id))
