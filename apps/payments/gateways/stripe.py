"""Stripe, spoken through stripe-python; nothing outside this module knows Stripe.

Sources: https://docs.stripe.com/payments/checkout/how-checkout-works, https://docs.stripe.com/api/idempotent_requests,
https://docs.stripe.com/webhooks. API version: settings.STRIPE_API_VERSION.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

import stripe
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from prometheus_client import Histogram
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from apps.core.breaker import Breaker, BreakerOpen
from apps.core.errors import ValidationFailed
from apps.core.tenants import assert_no_transaction
from apps.payments.choices import RefundReason, RefundStatus
from apps.payments.errors import BadSignature, GatewayBusy, GatewayNotConfigured, GatewayRefused, GatewayUnreachable
from apps.payments.gateways.base import (
    Decline,
    Fee,
    Message,
    Outcome,
    PaymentFacts,
    RefundFacts,
    RefundRequest,
    Session,
    SessionRequest,
    Subject,
)
from apps.payments.gateways.stripe_amounts import from_stripe, to_stripe
from apps.payments.gateways.traced import TracedClient

TIMEOUT_SECONDS = 10
SIGNATURE_TOLERANCE_SECONDS = 300
BREAKER = Breaker("stripe", failures=5, open_seconds=30, successes=2)
HANDLED = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "payment_intent.canceled",
        "charge.updated",
        "charge.refunded",
        "charge.refund.updated",
        "refund.created",
        "refund.updated",
        "refund.failed",
    }
)
_CALLS = Histogram("insula_stripe_call_seconds", "Calls to Stripe's API", ["operation", "outcome"])
_SESSION_EXPANSION = ["payment_intent.latest_charge.balance_transaction"]
_INTENT_EXPANSION = ["latest_charge.balance_transaction"]
_PLAIN_REFUSALS = {
    "amount_too_small": "The amount is smaller than what can be paid online.",
    "amount_too_large": "The amount is larger than what can be paid online.",
    "charge_already_refunded": "The payment has already been refunded at the payment provider.",
    "charge_disputed": "The payment is disputed and cannot be refunded.",
}
_REASONS = {
    "duplicate": RefundReason.DUPLICATE,
    "fraudulent": RefundReason.FRAUDULENT,
    "requested_by_customer": RefundReason.REQUESTED_BY_CUSTOMER,
}
_REFUND_STATUSES = {
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}


class StripeGateway:
    """The checkout gateway over Stripe Checkout."""

    name = "stripe"

    def open_session(self, request: SessionRequest) -> Session:
        """See `CheckoutGateway.open_session`; the idempotency key is the payment's id."""
        metadata = {"tenant_id": str(request.tenant_id), "payment_id": str(request.payment_id)}
        params: dict[str, Any] = {
            "mode": "payment",
            "client_reference_id": str(request.payment_id),
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": request.currency.lower(),
                        "unit_amount": to_stripe(request.amount_minor, request.currency),
                        "product_data": {"name": request.label or "Payment"},
                    },
                }
            ],
            "metadata": metadata,
            "payment_intent_data": {"metadata": metadata, "description": request.label or "Payment"},
            "success_url": request.success_url,
            "cancel_url": request.cancel_url,
        }
        if _is_email(request.payer_email):
            params["customer_email"] = request.payer_email
        key = _attempt_key(request.payment_id, request.attempt)
        with _asking("open_session"):
            opened = _client().v1.checkout.sessions.create(params=cast(Any, params), options={"idempotency_key": key})
        return Session(
            ref=opened.id,
            url=opened.url or "",
            payment_ref=_id(opened.payment_intent),
            expires_at=_instant(opened.expires_at),
        )

    def close_session(self, session_ref: str) -> None:
        """See `CheckoutGateway.close_session`."""
        try:
            with _asking("close_session"):
                _client().v1.checkout.sessions.expire(session_ref)
        except GatewayRefused:
            # Complete or expired already: whoever closes it looks at what became of it anyway.
            return

    def inspect(self, *, session_ref: str, payment_ref: str) -> PaymentFacts:
        """See `CheckoutGateway.inspect`."""
        session: stripe.checkout.Session | None = None
        with _asking("inspect"):
            if session_ref:
                session = _client().v1.checkout.sessions.retrieve(session_ref, params={"expand": _SESSION_EXPANSION})
                intent = cast("stripe.PaymentIntent | None", session.payment_intent)
            else:
                intent = _client().v1.payment_intents.retrieve(payment_ref, params={"expand": _INTENT_EXPANSION})
            paid = intent is not None and intent.status == "succeeded"
            refunds = (
                _client().v1.refunds.list(params={"payment_intent": intent.id, "limit": 100}).data
                if intent is not None and paid
                else []
            )
        return _facts(session, intent, refunds)

    def refund(self, request: RefundRequest) -> RefundFacts:
        """See `Gateway.refund`; a repeat looks first for what was made, because keys are forgotten after a day."""
        if request.is_repeat and (made := _made_before(request)):
            return made
        params: dict[str, Any] = {
            "payment_intent": request.payment_ref,
            "amount": to_stripe(request.amount_minor, request.currency),
            "metadata": {
                "tenant_id": str(request.tenant_id),
                "payment_id": str(request.payment_id),
                "refund_id": str(request.refund_id),
            },
        }
        if request.reason != RefundReason.OTHER:
            params["reason"] = request.reason.lower()
        key = _attempt_key(request.refund_id, request.attempt)
        with _asking("refund"):
            # Without the library's own retry, because only then a refused connection proves that nothing happened.
            refund = _client().v1.refunds.create(
                params=cast(Any, params), options={"idempotency_key": key, "max_network_retries": 0}
            )
        return _refund_facts(refund)

    def read_message(self, payload: bytes, signature: str) -> Message:
        """See `CheckoutGateway.read_message`."""
        secret = settings.STRIPE_WEBHOOK_SECRET
        if not secret:
            # HMAC with an empty key would accept what anybody signs.
            raise GatewayNotConfigured("STRIPE_WEBHOOK_SECRET is not set.")
        try:
            text = payload.decode()
            stripe.WebhookSignature.verify_header(text, signature, secret, SIGNATURE_TOLERANCE_SECONDS)
        except (stripe.SignatureVerificationError, UnicodeDecodeError) as error:
            raise BadSignature from error
        try:
            event = json.loads(text)
            return Message(
                event_id=str(event["id"])[:255],
                type=str(event["type"])[:100],
                live=bool(event["livemode"]),
                occurred_at=_instant(event["created"]),
                payload={**event, "data": {**event["data"], "object": dict(event["data"]["object"])}},
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ValidationFailed.one("body", "malformed", "This is not a Stripe event.") from error

    def subject_of(self, message_type: str, payload: dict[str, Any]) -> Subject | None:
        """See `CheckoutGateway.subject_of`."""
        if message_type not in HANDLED:
            return None
        told = payload["data"]["object"]
        kind, metadata = told.get("object"), told.get("metadata") or {}
        return Subject(
            session_ref=told["id"] if kind == "checkout.session" else "",
            payment_ref=told["id"] if kind == "payment_intent" else _id_in(told.get("payment_intent")),
            tenant_id=_uuid(metadata.get("tenant_id")),
            payment_id=_uuid(metadata.get("payment_id")),
        )


@contextmanager
def _asking(operation: str) -> Iterator[None]:
    assert_no_transaction(f"stripe.{operation}")
    started, outcome = time.perf_counter(), "failed"
    try:
        with BREAKER.guard(GatewayUnreachable):
            try:
                yield
            except stripe.StripeError as error:
                raise _translated(error) from error
        outcome = "answered"
    except BreakerOpen as error:
        outcome = "breaker_open"
        raise GatewayUnreachable(nothing_happened=True, retry_after=round(error.retry_after)) from error
    finally:
        _CALLS.labels(operation, outcome).observe(time.perf_counter() - started)


def _translated(error: stripe.StripeError) -> Exception:
    if isinstance(error, stripe.APIConnectionError):
        return GatewayUnreachable(nothing_happened=_never_connected(error))
    if isinstance(error, stripe.IdempotencyError):
        # The request changed since this key was first used, as a new release may have it.
        return GatewayBusy(key_is_spent=True)
    if isinstance(error, stripe.RateLimitError) or error.http_status == 409:
        return GatewayBusy(nothing_happened=isinstance(error, stripe.RateLimitError))
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return GatewayNotConfigured("The payment provider does not accept this installation's key.")
    if isinstance(error, stripe.InvalidRequestError | stripe.CardError):
        return GatewayRefused(_PLAIN_REFUSALS.get(error.code or "", ""))
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    return GatewayUnreachable(key_is_spent=headers.get("idempotent-replayed") == "true")


def _never_connected(error: stripe.APIConnectionError) -> bool:
    cause = error.__cause__
    wrapped = cause.args[0] if cause is not None and cause.args else None
    return isinstance(getattr(wrapped, "reason", None), NewConnectionError | ConnectTimeoutError)


def _made_before(request: RefundRequest) -> RefundFacts | None:
    with _asking("find_refund"):
        made = _client().v1.refunds.list(params={"payment_intent": request.payment_ref, "limit": 100}).data
    facts = (_refund_facts(refund) for refund in made)
    return next((found for found in facts if found.own_id == request.refund_id), None)


def _client() -> stripe.StripeClient:
    if not settings.STRIPE_SECRET_KEY:
        raise GatewayNotConfigured
    return _made_client(
        settings.STRIPE_SECRET_KEY, getattr(settings, "STRIPE_API_HOST", ""), settings.STRIPE_API_VERSION
    )


@lru_cache(maxsize=4)
def _made_client(key: str, host: str, version: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        stripe_version=version,
        base_addresses={"api": host} if host else {},
        max_network_retries=1,
        http_client=TracedClient(timeout=TIMEOUT_SECONDS),
    )


def _facts(
    session: "stripe.checkout.Session | None", intent: "stripe.PaymentIntent | None", refunds: list[stripe.Refund]
) -> PaymentFacts:
    charge = cast("stripe.Charge | None", intent.latest_charge) if intent is not None else None
    outcome = _outcome(session, intent)
    currency = intent.currency.upper() if intent is not None else ""
    paid = outcome is Outcome.PAID and intent is not None
    return PaymentFacts(
        outcome=outcome,
        session_ref=session.id if session is not None else "",
        payment_ref=intent.id if intent is not None else "",
        amount_minor=from_stripe(intent.amount_received, currency) if paid and intent is not None else 0,
        currency=currency,
        method=_method(charge) if paid else "",
        paid_at=_instant(charge.created) if paid and charge is not None else None,
        fee=_fee(charge) if paid else None,
        decline=_decline(intent, charge) if not paid else None,
        refunds=tuple(_refund_facts(refund) for refund in refunds),
    )


def _outcome(session: "stripe.checkout.Session | None", intent: "stripe.PaymentIntent | None") -> Outcome:
    if intent is not None and intent.status == "succeeded":
        return Outcome.PAID
    if (session is not None and session.status == "expired") or (intent is not None and intent.status == "canceled"):
        return Outcome.EXPIRED
    if intent is not None and intent.status == "processing":
        return Outcome.PROCESSING
    if session is not None and session.status == "complete":
        return Outcome.FAILED
    return Outcome.OPEN


def _method(charge: stripe.Charge | None) -> str:
    details = charge.payment_method_details if charge is not None else None
    return details.type.upper()[:40] if details is not None else ""


def _fee(charge: stripe.Charge | None) -> Fee | None:
    booked = cast("stripe.BalanceTransaction | None", charge.balance_transaction) if charge is not None else None
    if booked is None:
        return None
    currency = booked.currency.upper()
    return Fee(amount_minor=from_stripe(booked.fee, currency), currency=currency)


def _decline(intent: "stripe.PaymentIntent | None", charge: stripe.Charge | None) -> Decline | None:
    error = intent.last_payment_error if intent is not None else None
    if intent is None or error is None:
        return None
    return Decline(
        ref=charge.id if charge is not None else intent.id,
        code=(error.decline_code or error.code or "")[:80],
        reason=(error.message or "The payment was declined.")[:300],
    )


def _refund_facts(refund: stripe.Refund) -> RefundFacts:
    currency = refund.currency.upper()
    return RefundFacts(
        ref=refund.id,
        own_id=_uuid(refund.metadata["refund_id"] if refund.metadata and "refund_id" in refund.metadata else None),
        status=_REFUND_STATUSES.get(refund.status or "", RefundStatus.PENDING),
        amount_minor=from_stripe(refund.amount, currency),
        currency=currency,
        reason=_REASONS.get(refund.reason or "", RefundReason.OTHER),
        failure_reason=getattr(refund, "failure_reason", None) or "",
    )


def _attempt_key(row_id: UUID, attempt: int) -> str:
    return str(row_id) if attempt == 1 else f"{row_id}:{attempt}"


def _id(value: Any) -> str:
    return value if isinstance(value, str) else getattr(value, "id", "") or ""


def _id_in(value: Any) -> str:
    return value if isinstance(value, str) else (value or {}).get("id", "")


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value)
    except (TypeError, ValueError, AttributeError):
        return None


def _is_email(value: str) -> bool:
    try:
        validate_email(value)
    except ValidationError:
        return False
    return True
