"""What the payments app tells the others. Amounts are in minor units."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSucceeded(Event):
    """Money arrived. `fee_minor` is what the gateway keeps; None while it has not said."""

    payment_id: UUID
    purpose: str
    purpose_id: UUID
    label: str
    amount_minor: int
    currency: str
    method: str
    fee_minor: int | None
    succeeded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFailed(Event):
    """An attempt to pay was declined; the customer may try again. `reason` is text for people."""

    payment_id: UUID
    purpose: str
    purpose_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRefunded(Event):
    """`amount_minor` of the payment went back to the customer."""

    payment_id: UUID
    refund_id: UUID
    purpose: str
    purpose_id: UUID
    label: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFailed(Event):
    """A refund that had counted as done came back from the customer's bank: the money is here again."""

    payment_id: UUID
    refund_id: UUID
    purpose: str
    purpose_id: UUID
    label: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutGivenUp(Event):
    """Nobody shall pay in this checkout any more; its session is to be ended at the gateway."""

    payment_id: UUID
