"""The port to payment providers: what the product asks and what it is told. Amounts are ISO 4217 minor units."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRequest:
    """A checkout to open. The same request again, with the same `attempt`, opens no second one."""

    tenant_id: UUID
    payment_id: UUID
    attempt: int
    amount_minor: int
    currency: str
    label: str
    payer_email: str
    success_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """An open checkout: where the customer goes to pay, and until when."""

    ref: str
    url: str
    payment_ref: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """Money to send back. The same request again, with the same `attempt`, sends nothing twice.

    `is_repeat`: an earlier request may have been carried out although its answer was lost.
    """

    tenant_id: UUID
    payment_id: UUID
    refund_id: UUID
    attempt: int
    is_repeat: bool
    payment_ref: str
    amount_minor: int
    currency: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFacts:
    """What the gateway knows of a refund. `own_id` is ours, when it came from here; `status` is a `RefundStatus`."""

    ref: str
    own_id: UUID | None
    status: str
    amount_minor: int
    currency: str
    reason: str
    failure_reason: str = ""


class Outcome(StrEnum):
    """What became of a payment at the gateway."""

    PAID = "PAID"
    OPEN = "OPEN"
    PROCESSING = "PROCESSING"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """What the gateway keeps of a payment."""

    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    """The latest attempt that was refused; `ref` tells one attempt from the next, `reason` is text for people."""

    ref: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFacts:
    """Everything the gateway knows of a payment at one moment; applying it twice changes nothing."""

    outcome: Outcome
    session_ref: str = ""
    payment_ref: str = ""
    amount_minor: int = 0
    currency: str = ""
    method: str = ""
    paid_at: datetime | None = None
    fee: Fee | None = None
    decline: Decline | None = None
    refunds: tuple[RefundFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A webhook whose signature holds."""

    event_id: str
    type: str
    live: bool
    occurred_at: datetime
    payload: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a message is about, as far as the message itself says."""

    session_ref: str
    payment_ref: str
    tenant_id: UUID | None
    payment_id: UUID | None


class Gateway(Protocol):
    """Every provider can send money back."""

    name: str

    def refund(self, request: RefundRequest) -> RefundFacts:
        """Send money back.

        Raises:
            GatewayFailed: see `apps.payments.errors` for what each kind means.
        """


class CheckoutGateway(Gateway, Protocol):
    """A provider with a hosted page where customers pay, and webhooks."""

    def open_session(self, request: SessionRequest) -> Session:
        """Open a checkout.

        Raises:
            GatewayFailed: see `apps.payments.errors` for what each kind means.
        """

    def close_session(self, session_ref: str) -> None:
        """End a checkout that nobody shall pay any more; one that is paid or over stays as it is.

        Raises:
            GatewayFailed: the provider did not answer.
        """

    def inspect(self, *, session_ref: str, payment_ref: str) -> PaymentFacts:
        """What became of a payment, by its session if there is one, else by the payment itself.

        Raises:
            GatewayFailed: the provider did not answer, or knows neither.
        """

    def read_message(self, payload: bytes, signature: str) -> Message:
        """Check a webhook's signature and read it.

        Raises:
            BadSignature: the provider did not sign this.
            ValidationFailed: signed, but not an event.
        """

    def subject_of(self, message_type: str, payload: dict[str, Any]) -> Subject | None:
        """What a stored message is about; None when it is none of the payments' business."""
