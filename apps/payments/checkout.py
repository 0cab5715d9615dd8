"""The checkout saga: the payment is noted, a session is opened at the gateway, the session is noted.

A crash after any step leaves a row from which `reconciling` goes on; the payment's id is the idempotency key, so
going on never opens a second checkout.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.core import events
from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import IllegalState
from apps.core.tenants import assert_no_transaction, current_tenant_id
from apps.payments import schedule
from apps.payments.choices import PaymentStatus
from apps.payments.errors import GatewayRefused, GatewayRetryable, PaymentInProgress, PaymentNotFound
from apps.payments.events import CheckoutGivenUp
from apps.payments.gateways.base import Session, SessionRequest
from apps.payments.gateways.registry import CHECKOUT
from apps.payments.locking import lock_payment
from apps.payments.models import Payment
from apps.payments.settling import learn_refs

# A customer needs some time on the gateway's page.
SHORTEST_REST = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class CheckoutView:
    """Where the customer goes to pay. `url` is empty once nothing is to be paid there any more."""

    payment_id: UUID
    url: str
    status: str


def create_pending(
    *,
    actor: Actor,
    purpose: str,
    purpose_id: UUID,
    label: str,
    amount_minor: int,
    currency: str,
    payer_name: str,
    payer_email: str,
    success_url: str,
    cancel_url: str,
    now: datetime | None = None,
) -> UUID:
    """Note, in the caller's transaction, that a checkout is wanted; returns the payment's id.

    The unfinished checkout for the same purpose is used again when amount and currency are the same; otherwise it
    is given up and its session closed at the gateway soon after. The caller has locked what the purpose names.

    Raises:
        PaymentInProgress: money for it is on its way.
    """
    now = now or utcnow()
    with transaction.atomic():
        earlier = _unfinished(purpose, purpose_id)
        if earlier is not None:
            if _serves(earlier, amount_minor, currency, now):
                return _take_up(actor, earlier)
            _give_up(actor, _lock_or_refuse(earlier), now)
        try:
            with transaction.atomic():
                payment = Payment.objects.create(
                    purpose=purpose,
                    purpose_id=purpose_id,
                    purpose_label=label[:200],
                    amount_minor=amount_minor,
                    currency=currency,
                    payer_name=payer_name[:200],
                    payer_email=payer_email[:254],
                    success_url=success_url,
                    cancel_url=cancel_url,
                    gateway=CHECKOUT.name,
                    next_check_at=schedule.next_check(now, 0),
                )
        except IntegrityError as error:
            if "payment_one_pending" in str(error):
                raise PaymentInProgress from error
            raise
        _audit(actor, payment, "payments.payment.create", after={"purpose": purpose, "purpose_id": purpose_id})
        return payment.id


def cancel_pending(*, actor: Actor, purpose: str, purpose_id: UUID, now: datetime | None = None) -> None:
    """Give up the unfinished checkout for a purpose that needs no payment any more; without one, do nothing.

    Raises:
        PaymentInProgress: money for it is on its way.
    """
    with transaction.atomic():
        earlier = _unfinished(purpose, purpose_id)
        if earlier is not None:
            _give_up(actor, _lock_or_refuse(earlier), now or utcnow())


def cancel_unopened(*, actor: Actor, payment_id: UUID, now: datetime) -> None:
    """Give up a checkout that the gateway never opened; one that it has opened since stays."""
    with transaction.atomic():
        payment = lock_payment(payment_id)
        if payment.status == PaymentStatus.PENDING and not payment.session_ref:
            _give_up(actor, payment, now)


def open_checkout(*, actor: Actor, payment_id: UUID, now: datetime | None = None) -> CheckoutView:
    """Open the checkout of a pending payment at the gateway, or return the one that is open. No transaction may
    be open. After a `GatewayFailed` other than `GatewayRefused` the payment stays pending and the call may be
    repeated; the reconciler repeats it, too.

    Raises:
        PaymentNotFound: unknown, or another tenant's.
        IllegalState: the payment is not pending.
        PaymentInProgress: the customer has paid and the gateway is still at work on it.
        GatewayFailed: the gateway did not answer, or refused; refused payments are failed.
        GatewayNotConfigured: there is no gateway.
    """
    assert_no_transaction("Opening a checkout")
    with transaction.atomic():
        payment = Payment.objects.filter(pk=payment_id).first()
        if payment is None:
            raise PaymentNotFound
        if payment.status != PaymentStatus.PENDING:
            raise IllegalState(_("This payment is closed."), allowed_actions=())
        if payment.session_ref and not payment.session_url:
            raise PaymentInProgress
        if payment.session_ref:
            return _view(payment)
        request = _request(payment)
    try:
        session = CHECKOUT.open_session(request)
    except GatewayRetryable as error:
        _note_failure(payment_id, request.attempt, key_is_spent=error.key_is_spent)
        raise
    except GatewayRefused as error:
        _refuse(actor, payment_id, error.detail)
        raise
    return _link(actor, payment_id, session, now or utcnow())


def _unfinished(purpose: str, purpose_id: UUID) -> Payment | None:
    unfinished = Q(status=PaymentStatus.PENDING) | Q(status=PaymentStatus.FAILED, checkout_open=True, close_owed=False)
    return Payment.objects.filter(unfinished, purpose=purpose, purpose_id=purpose_id).order_by("-pk").first()


def _serves(payment: Payment, amount_minor: int, currency: str, now: datetime) -> bool:
    if payment.session_ref and not payment.session_url:
        raise PaymentInProgress
    lasts = payment.session_expires_at is None or payment.session_expires_at > now + SHORTEST_REST
    return lasts and (payment.amount_minor, payment.currency) == (amount_minor, currency)


def _take_up(actor: Actor, payment: Payment) -> UUID:
    if payment.status == PaymentStatus.FAILED:
        payment = _lock_or_refuse(payment)
        payment.status = PaymentStatus.PENDING
        payment.save()
        _audit(actor, payment, "payments.payment.retry", before={"status": PaymentStatus.FAILED})
    return payment.id


def _lock_or_refuse(payment: Payment) -> Payment:
    # Whoever settles this payment holds its row and waits for what our caller has locked: waiting for him would
    # be a deadlock.
    locked = Payment.objects.select_for_update(skip_locked=True).filter(pk=payment.pk, status=payment.status).first()
    if locked is None:
        raise PaymentInProgress
    return locked


def _give_up(actor: Actor, payment: Payment, now: datetime) -> None:
    before = payment.status
    if before == PaymentStatus.PENDING:
        payment.status = PaymentStatus.CANCELED
    payment.close_owed = bool(payment.session_ref)
    payment.next_check_at = now if payment.close_owed else None
    payment.save()
    _audit(actor, payment, "payments.payment.cancel", before={"status": before})
    if payment.close_owed:
        events.publish(CheckoutGivenUp(tenant_id=current_tenant_id(), payment_id=payment.id))


def _request(payment: Payment) -> SessionRequest:
    return SessionRequest(
        tenant_id=current_tenant_id(),
        payment_id=payment.id,
        attempt=payment.session_attempt,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        label=payment.purpose_label,
        payer_email=payment.payer_email,
        success_url=payment.success_url,
        cancel_url=payment.cancel_url,
    )


def _link(actor: Actor, payment_id: UUID, session: Session, now: datetime) -> CheckoutView:
    with transaction.atomic():
        payment = lock_payment(payment_id)
        is_first = not payment.session_url
        learn_refs(payment, session_ref=session.ref, payment_ref=session.payment_ref)
        if payment.session_ref == session.ref and payment.succeeded_at is None:
            payment.session_url, payment.session_expires_at = session.url, session.expires_at
            payment.checkout_open = True
            payment.close_owed = payment.status == PaymentStatus.CANCELED
            payment.next_check_at = schedule.next_check(now, 0)
        payment.save()
        if is_first:
            _audit(actor, payment, "payments.payment.open", after={"status": payment.status})
        return _view(payment)


def _note_failure(payment_id: UUID, attempt: int, *, key_is_spent: bool) -> None:
    if key_is_spent:
        # Two callers may see the same failure; the condition lets the count rise once.
        with transaction.atomic():
            Payment.objects.filter(pk=payment_id, session_attempt=attempt).update(session_attempt=attempt + 1)


def _refuse(actor: Actor, payment_id: UUID, reason: str) -> None:
    with transaction.atomic():
        payment = lock_payment(payment_id)
        if payment.status == PaymentStatus.PENDING and not payment.session_ref:
            payment.status, payment.failure_reason, payment.next_check_at = PaymentStatus.FAILED, reason[:300], None
            payment.save()
            _audit(actor, payment, "payments.payment.fail", after={"status": payment.status, "reason": reason})


def _view(payment: Payment) -> CheckoutView:
    return CheckoutView(payment.id, payment.session_url, payment.status)


def _audit(
    actor: Actor,
    payment: Payment,
    action: str,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    facts = {"status": payment.status, "amount_minor": payment.amount_minor, "currency": payment.currency}
    audit.record(
        actor=actor,
        action=action,
        entity_type="payment",
        entity_id=payment.id,
        entity_label=payment.purpose_label,
        before=before,
        after=facts | (after or {}),
    )
