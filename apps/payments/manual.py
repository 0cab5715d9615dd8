"""Money noted by hand: it came by bank transfer, in cash, by cheque."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.core.actor import Actor
from apps.core.clock import utcnow
from apps.core.errors import ValidationFailed
from apps.core.money import MAX_MINOR, is_currency
from apps.payments.choices import PaymentMethod
from apps.payments.gateways.registry import MANUAL
from apps.payments.models import Payment
from apps.payments.settling import record_success


def record_manual(
    *,
    actor: Actor,
    purpose: str,
    purpose_id: UUID,
    label: str,
    amount_minor: int,
    currency: str,
    method: str,
    reference: str,
    paid_at: datetime,
    payer_name: str,
    payer_email: str,
    now: datetime | None = None,
) -> UUID:
    """Note money that came outside the gateway, in the caller's transaction; returns the payment's id.

    Raises:
        PermissionRefused: the actor lacks ``payments:write``.
        ValidationFailed: no such method or currency, or an amount that nobody pays.
    """
    actor.require("payments:write")
    method = method.upper()
    if method not in PaymentMethod.values:
        raise ValidationFailed.one("method", "unknown", f"One of {', '.join(PaymentMethod.values).lower()}.")
    if not is_currency(currency):
        raise ValidationFailed.one("currency", "unknown_currency", "This is not a currency we know.")
    if not 1 <= amount_minor <= MAX_MINOR:
        raise ValidationFailed.one("amount_minor", "out_of_range", "A payment is more than nothing.")
    with transaction.atomic():
        payment = Payment(
            purpose=purpose,
            purpose_id=purpose_id,
            purpose_label=label[:200],
            amount_minor=amount_minor,
            currency=currency,
            payer_name=payer_name[:200],
            payer_email=payer_email[:254],
            gateway=MANUAL.name,
            method=method,
            reference=reference[:200],
            fee_minor=0,
            fee_currency=currency,
        )
        record_success(actor, payment, succeeded_at=paid_at, now=now or utcnow())
        return payment.id
