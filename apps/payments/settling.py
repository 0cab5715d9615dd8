"""Bringing a payment to what the gateway tells of it. Applying the same facts again changes nothing."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.audit import services as audit
from apps.core import events
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.tenants import current_tenant_id
from apps.payments import bookkeeping, schedule, states
from apps.payments.choices import PaymentStatus, RefundStatus
from apps.payments.errors import FactsDisagree
from apps.payments.events import PaymentFailed, PaymentRefunded, PaymentSucceeded, RefundFailed
from apps.payments.gateways.base import Decline, Fee, Outcome, PaymentFacts, RefundFacts
from apps.payments.locking import lock_payment
from apps.payments.models import Payment, Refund
from apps.tenancy import services as tenancy


def apply_facts(*, actor: Actor, payment_id: UUID, facts: PaymentFacts, now: datetime | None = None) -> None:
    """Make the payment, its fee and its refunds what `facts` say, with ledger, audit and events.

    Raises:
        PaymentNotFound: there is no such payment.
        FactsDisagree: another amount or currency, or a second payment for the same thing.
    """
    now = now or utcnow()
    with transaction.atomic():
        payment = lock_payment(payment_id)
        if _tells_of_another_session(payment, facts):
            return
        learn_refs(payment, session_ref=facts.session_ref, payment_ref=facts.payment_ref)
        if facts.outcome is Outcome.PAID:
            _succeed(actor, payment, facts, now)
        elif payment.status not in states.PAID:
            _stay_unpaid(actor, payment, facts)
        payment.next_check_at = _next_check(payment, now)
        payment.save()
        for told in facts.refunds:
            apply_refund(actor, payment, told, now=now)


def apply_refund(actor: Actor, payment: Payment, told: RefundFacts, *, now: datetime) -> Refund:
    """Make one refund of the locked `payment` what the gateway says; one made at the gateway itself is taken over.

    Raises:
        FactsDisagree: another amount than was asked for, or more than was paid.
    """
    refund = _own_refund(payment, told) or _take_over(actor, payment, told)
    if refund.amount_minor != told.amount_minor:
        raise FactsDisagree(f"Refund {refund.id} is of another amount at the payment provider.")
    before = refund.status
    refund.refund_ref, refund.status = told.ref, told.status
    refund.next_check_at = None
    if told.status == RefundStatus.PENDING:
        refund.next_check_at = schedule.next_check(now, refund.checks)
    if told.status == RefundStatus.FAILED:
        refund.failure_reason = refund.failure_reason or told.failure_reason[:300] or "The refund did not go through."
    if told.status == RefundStatus.SUCCEEDED and refund.succeeded_at is None:
        refund.succeeded_at = now
    refund.save()
    if before != RefundStatus.SUCCEEDED and told.status == RefundStatus.SUCCEEDED:
        _money_went(actor, payment, refund, now)
    elif before == RefundStatus.SUCCEEDED and told.status == RefundStatus.FAILED:
        _money_came_back(actor, payment, refund, now)
    return refund


def learn_refs(payment: Payment, *, session_ref: str, payment_ref: str) -> None:
    """Note the gateway's names for the payment and make them lead back here; what is known already stays."""
    payment.session_ref = payment.session_ref or session_ref
    payment.payment_ref = payment.payment_ref or payment_ref
    names = {"checkout_session": payment.session_ref, "payment_intent": payment.payment_ref}
    for kind, ref in names.items():
        if ref:
            tenancy.link(kind=f"{payment.gateway}.{kind}", ref=ref, tenant_id=current_tenant_id(), object_id=payment.id)


def record_success(actor: Actor, payment: Payment, *, succeeded_at: datetime, now: datetime) -> None:
    """The locked payment has brought its money: status, books, audit, event."""
    before = payment.status
    if before != PaymentStatus.SUCCEEDED:
        states.check(before, PaymentStatus.SUCCEEDED)
    payment.status, payment.succeeded_at = PaymentStatus.SUCCEEDED, succeeded_at
    payment.failure_code = payment.failure_reason = ""
    payment.checkout_open = payment.close_owed = False
    payment.session_url = ""
    payment.save()
    bookkeeping.post_success(actor, payment, succeeded_at=succeeded_at)
    bookkeeping.post_fee(actor, payment, now=now)
    _audit(actor, payment, "payments.payment.succeed", before=before)
    events.publish(
        PaymentSucceeded(
            tenant_id=current_tenant_id(),
            payment_id=payment.id,
            purpose=payment.purpose,
            purpose_id=payment.purpose_id,
            label=payment.purpose_label,
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            method=payment.method,
            fee_minor=payment.fee_minor,
            succeeded_at=succeeded_at,
        )
    )


def _tells_of_another_session(payment: Payment, facts: PaymentFacts) -> bool:
    """A session that was opened and lost before it could be noted, beside the one that is noted."""
    known = payment.session_ref or facts.session_ref
    is_other = bool(facts.session_ref) and facts.session_ref != known
    return is_other and facts.outcome is not Outcome.PAID


def _succeed(actor: Actor, payment: Payment, facts: PaymentFacts, now: datetime) -> None:
    if payment.status in states.PAID:
        if facts.payment_ref != payment.payment_ref:
            raise FactsDisagree(f"Payment {payment.id} was paid twice at the payment provider.")
        if _learn_fee(payment, facts.fee):
            bookkeeping.post_fee(actor, payment, now=now)
        return
    if (facts.amount_minor, facts.currency) != (payment.amount_minor, payment.currency):
        raise FactsDisagree(f"Payment {payment.id} is of another amount at the payment provider.")
    payment.payment_ref = facts.payment_ref
    payment.method = facts.method
    _learn_fee(payment, facts.fee)
    # Gateways tell whole seconds, which may lie before the moment when the payment was noted.
    record_success(actor, payment, succeeded_at=max(facts.paid_at or now, payment.created_at), now=now)


def _learn_fee(payment: Payment, fee: Fee | None) -> bool:
    if fee is None or payment.fee_minor is not None:
        return False
    payment.fee_minor, payment.fee_currency = fee.amount_minor, fee.currency
    return True


def _stay_unpaid(actor: Actor, payment: Payment, facts: PaymentFacts) -> None:
    declined = _learn_decline(payment, facts.decline)
    if facts.outcome is Outcome.PROCESSING:
        payment.session_url = ""
        return
    if facts.outcome in (Outcome.EXPIRED, Outcome.FAILED):
        payment.checkout_open = payment.close_owed = False
        payment.session_url = ""
    if payment.status == PaymentStatus.PENDING:
        if declined or facts.outcome is Outcome.FAILED:
            _fail(actor, payment)
        elif facts.outcome is Outcome.EXPIRED:
            payment.status = PaymentStatus.CANCELED
            _audit(actor, payment, "payments.payment.cancel", before=PaymentStatus.PENDING)
    elif payment.status == PaymentStatus.FAILED and declined:
        _fail(actor, payment)


def _fail(actor: Actor, payment: Payment) -> None:
    before, payment.status = payment.status, PaymentStatus.FAILED
    payment.failure_reason = payment.failure_reason or "The payment did not go through."
    payment.save()
    _audit(actor, payment, "payments.payment.fail", before=before)
    events.publish(
        PaymentFailed(
            tenant_id=current_tenant_id(),
            payment_id=payment.id,
            purpose=payment.purpose,
            purpose_id=payment.purpose_id,
            reason=payment.failure_reason,
        )
    )


def _learn_decline(payment: Payment, decline: Decline | None) -> bool:
    if decline is None or decline.ref == payment.failed_ref:
        return False
    payment.failed_ref, payment.failure_code, payment.failure_reason = decline.ref, decline.code, decline.reason
    return True


def _next_check(payment: Payment, now: datetime) -> datetime | None:
    awaits_fee = (
        payment.status in states.PAID and payment.fee_minor is None and payment.checks < schedule.MOST_CHECKS_FOR_FEE
    )
    if payment.checkout_open or payment.close_owed or awaits_fee:
        return schedule.next_check(now, payment.checks)
    return None


def _own_refund(payment: Payment, told: RefundFacts) -> Refund | None:
    refunds = Refund.objects.select_for_update().filter(payment=payment)
    if told.own_id is not None and (own := refunds.filter(pk=told.own_id).first()):
        return own
    return refunds.filter(refund_ref=told.ref).first()


def _take_over(actor: Actor, payment: Payment, told: RefundFacts) -> Refund:
    refund = Refund.objects.create(
        payment=payment,
        amount_minor=told.amount_minor,
        currency=payment.currency,
        reason=told.reason,
        refund_ref=told.ref,
        requested_by=actor.name,
    )
    audit.record(
        actor=actor,
        action="payments.refund.take_over",
        entity_type="refund",
        entity_id=refund.id,
        entity_label=payment.purpose_label,
        after={"payment_id": payment.id, "amount_minor": refund.amount_minor, "currency": refund.currency},
    )
    return refund


def _money_went(actor: Actor, payment: Payment, refund: Refund, now: datetime) -> None:
    if payment.refunded_minor + refund.amount_minor > payment.amount_minor:
        raise FactsDisagree(f"More of payment {payment.id} was refunded than was paid.")
    _count_refunded(actor, payment, refund.amount_minor, "payments.payment.refund")
    bookkeeping.post_refund(actor, payment, refund, refunded_at=refund.succeeded_at or now)
    events.publish(
        PaymentRefunded(
            tenant_id=current_tenant_id(),
            payment_id=payment.id,
            refund_id=refund.id,
            purpose=payment.purpose,
            purpose_id=payment.purpose_id,
            label=payment.purpose_label,
            amount_minor=refund.amount_minor,
            currency=payment.currency,
        )
    )


def _money_came_back(actor: Actor, payment: Payment, refund: Refund, now: datetime) -> None:
    _count_refunded(actor, payment, -refund.amount_minor, "payments.payment.return_refund")
    bookkeeping.post_refund_failed(actor, payment, refund, now=now)
    events.publish(
        RefundFailed(
            tenant_id=current_tenant_id(),
            payment_id=payment.id,
            refund_id=refund.id,
            purpose=payment.purpose,
            purpose_id=payment.purpose_id,
            label=payment.purpose_label,
            amount_minor=refund.amount_minor,
            currency=payment.currency,
        )
    )


def _count_refunded(actor: Actor, payment: Payment, change_minor: int, action: str) -> None:
    before = payment.status
    payment.refunded_minor += change_minor
    payment.status = states.after_refunds(payment.amount_minor, payment.refunded_minor)
    payment.save()
    _audit(actor, payment, action, before=before)


def _audit(actor: Actor, payment: Payment, action: str, *, before: str) -> None:
    audit.record(
        actor=actor,
        action=action,
        entity_type="payment",
        entity_id=payment.id,
        entity_label=payment.purpose_label,
        before={"status": before},
        after={
            "status": payment.status,
            "amount_minor": payment.amount_minor,
            "currency": payment.currency,
            "refunded_minor": payment.refunded_minor,
            "purpose": payment.purpose,
            "purpose_id": payment.purpose_id,
        },
    )
