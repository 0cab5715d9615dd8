"""Refunds: the amount is reserved, the gateway sends the money, the refund is settled.

What was reserved is never refunded twice: the refund's id is the idempotency key, and a lost answer is looked up
before anything is asked again.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core import ids
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import IllegalState, ValidationFailed
from apps.core.money import format_minor
from apps.core.tenants import assert_no_transaction, current_tenant_id
from apps.payments import schedule, states
from apps.payments.choices import RefundReason, RefundStatus
from apps.payments.errors import GatewayNotConfigured, GatewayRefused, GatewayRetryable
from apps.payments.gateways import registry
from apps.payments.gateways.base import RefundRequest
from apps.payments.locking import lock_payment
from apps.payments.models import Payment, Refund
from apps.payments.selectors import RefundView, refund_view
from apps.payments.settling import apply_refund


def refund(
    *,
    actor: Actor,
    payment_id: UUID,
    amount_minor: int | None = None,
    reason: str = RefundReason.REQUESTED_BY_CUSTOMER,
    refund_id: UUID | None = None,
    now: datetime | None = None,
) -> RefundView:
    """Send back `amount_minor` of a payment, or all that is left of it. No transaction may be open.

    If the gateway certainly did nothing, the refund is failed and the call may be repeated. If its answer was
    lost, the refund is returned as pending; the reconciler finds out and finishes it. A caller who may be killed
    names the refund by `refund_id`: when that one was begun before, it is carried on.

    Raises:
        PermissionRefused: the actor lacks ``payments:refund``.
        PaymentNotFound: unknown, or another tenant's.
        IllegalState: nothing was paid, or nothing is left.
        ValidationFailed: nothing, or more than what is left; no such reason.
        GatewayFailed: the gateway refused, or could not be reached.
    """
    assert_no_transaction("A refund")
    actor.require("payments:refund")
    now = now or utcnow()
    if refund_id is not None and _is_begun(payment_id, refund_id):
        return carry_out(actor=actor, refund_id=refund_id, is_repeat=True, now=now)
    refund_id = _reserve(
        actor=actor,
        payment_id=payment_id,
        amount_minor=amount_minor,
        reason=reason,
        refund_id=refund_id or ids.uuid7(),
        now=now,
    )
    return carry_out(actor=actor, refund_id=refund_id, now=now)


def carry_out(*, actor: Actor, refund_id: UUID, is_repeat: bool = False, now: datetime | None = None) -> RefundView:
    """Ask the gateway for a pending refund and settle it; `is_repeat` when it may have been asked before.

    Raises:
        GatewayFailed: the gateway refused, or could not be reached; see `refund`.
    """
    now = now or utcnow()
    with transaction.atomic():
        row = Refund.objects.select_related("payment").get(pk=refund_id)
        if row.status != RefundStatus.PENDING:
            return refund_view(row)
        gateway, request = registry.named(row.payment.gateway), _request(row, is_repeat=is_repeat)
    try:
        facts = gateway.refund(request)
    except (GatewayRefused, GatewayNotConfigured) as error:
        _compensate(actor, refund_id, error.detail, now)
        raise
    except GatewayRetryable as error:
        if error.nothing_happened and not is_repeat:
            _compensate(actor, refund_id, error.detail, now)
            raise
        return _leave_pending(refund_id, request.attempt, key_is_spent=error.key_is_spent)
    with transaction.atomic():
        payment = lock_payment(row.payment_id)
        return refund_view(apply_refund(actor, payment, facts, now=now))


def _is_begun(payment_id: UUID, refund_id: UUID) -> bool:
    with transaction.atomic():
        return Refund.objects.filter(pk=refund_id, payment_id=payment_id).exists()


def _reserve(
    *, actor: Actor, payment_id: UUID, amount_minor: int | None, reason: str, refund_id: UUID, now: datetime
) -> UUID:
    if reason not in RefundReason.values:
        raise ValidationFailed.one("reason", "unknown", "There is no such reason.")
    with transaction.atomic():
        payment = lock_payment(payment_id)
        left = _left(payment)
        if not states.allowed_actions(payment.status, left):
            raise IllegalState(_("Nothing of this payment can be refunded now."), allowed_actions=())
        wanted = left if amount_minor is None else amount_minor
        if wanted < 1:
            raise ValidationFailed.one("amount_minor", "out_of_range", _("A refund is more than nothing."))
        if wanted > left:
            most = format_minor(left, payment.currency, get_language() or "en")
            detail = _("No more than %(most)s of this payment is left to refund.") % {"most": most}
            raise ValidationFailed.one("amount_minor", "exceeds_refundable", detail)
        row = Refund.objects.create(
            id=refund_id,
            payment=payment,
            amount_minor=wanted,
            currency=payment.currency,
            reason=reason,
            requested_by=(actor.name or actor.email)[:254],
            next_check_at=schedule.next_check(now, 0),
        )
        audit.record(
            actor=actor,
            action="payments.refund.create",
            entity_type="refund",
            entity_id=row.id,
            entity_label=payment.purpose_label,
            after={"payment_id": payment.id, "amount_minor": wanted, "currency": payment.currency, "reason": reason},
            severity=Severity.HIGH,
        )
        return row.id


def _left(payment: Payment) -> int:
    reserved = payment.refunds.exclude(status=RefundStatus.FAILED).aggregate(total=Sum("amount_minor", default=0))
    return int(payment.amount_minor - reserved["total"])


def _request(row: Refund, *, is_repeat: bool) -> RefundRequest:
    return RefundRequest(
        tenant_id=current_tenant_id(),
        payment_id=row.payment_id,
        refund_id=row.id,
        attempt=row.attempt,
        is_repeat=is_repeat,
        payment_ref=row.payment.payment_ref,
        amount_minor=row.amount_minor,
        currency=row.currency,
        reason=row.reason,
    )


def _compensate(actor: Actor, refund_id: UUID, reason: str, now: datetime) -> None:
    with transaction.atomic():
        row = Refund.objects.select_for_update().get(pk=refund_id)
        if row.status != RefundStatus.PENDING:
            return
        row.status, row.failure_reason, row.next_check_at = RefundStatus.FAILED, reason[:300], None
        row.save()
        # The gateway may have refused because it knows of a refund that we do not.
        Payment.objects.filter(pk=row.payment_id).exclude(session_ref="", payment_ref="").update(next_check_at=now)
        audit.record(
            actor=actor,
            action="payments.refund.fail",
            entity_type="refund",
            entity_id=row.id,
            before={"status": RefundStatus.PENDING},
            after={"status": RefundStatus.FAILED, "reason": reason, "amount_minor": row.amount_minor},
        )


def _leave_pending(refund_id: UUID, attempt: int, *, key_is_spent: bool) -> RefundView:
    with transaction.atomic():
        if key_is_spent:
            Refund.objects.filter(pk=refund_id, attempt=attempt).update(attempt=attempt + 1)
        return refund_view(Refund.objects.get(pk=refund_id))
