"""Payments and refunds over REST."""

from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.rest.listing import Listing
from apps.core.rest.thin import ThinRead
from apps.core.rest.views import ApiView
from apps.edge.services import call_id
from apps.payments import selectors, services
from apps.payments.api.presenters import present_newest, present_payment, present_refund
from apps.payments.api.serializers import PaymentAnswer, RefundAnswer, RefundBody
from apps.payments.choices import PaymentStatus

_PAYMENT: dict[str, Any] = {
    "id": "0199c0de-0000-7000-8000-000000000001",
    "status": "partially_refunded",
    "purpose": "invoice",
    "purpose_id": "0199c0de-0000-7000-8000-000000000002",
    "label": "INV-2026-0001",
    "amount_minor": 11900,
    "currency": "EUR",
    "refunded_minor": 1900,
    "refundable_minor": 10000,
    "fee_minor": 375,
    "fee_currency": "EUR",
    "method": "card",
    "is_manual": False,
    "reference": "",
    "payer_name": "Ada Lovelace",
    "payer_email": "ada@example.com",
    "failure_reason": "",
    "refunds": [],
    "allowed_actions": ["refund"],
    "succeeded_at": "2026-03-31T09:30:00Z",
    "created_at": "2026-03-31T09:28:11Z",
    "updated_at": "2026-03-31T10:02:45Z",
}


class PaymentsView(ApiView):
    """The tenant's payments."""

    permissions: ClassVar = {"GET": "payments:read"}
    listing = Listing(
        PaymentAnswer,
        "A page of payments.",
        keys=selectors.KEYS,
        filters=[
            OpenApiParameter("status", str, enum=[value.lower() for value in PaymentStatus.values]),
            OpenApiParameter("q", str, description="Part of the label, the payer's name or e-mail, or the reference"),
            OpenApiParameter("purpose", str, description="For example invoice"),
            OpenApiParameter("purpose_id", UUID),
            OpenApiParameter("from", date, description="Begun on or after this UTC day"),
            OpenApiParameter("to", date, description="Begun on or before this UTC day"),
        ],
    )

    thin = ThinRead(selectors.NEWEST, present_newest)

    @extend_schema(operation_id="payments_list", summary="List payments", tags=["payments"], responses=listing.page)
    def get(self, request: Request) -> Response:
        """A page of payments, newest first unless asked otherwise."""
        page = selectors.list_payments(actor=self.actor, page=self.page_request(), filters=request.query_params.dict())
        return self.listed(page, present_payment)


class PaymentDetailView(ApiView):
    """One payment."""

    permissions: ClassVar = {"GET": "payments:read"}
    listing, is_one = PaymentsView.listing, True

    @extend_schema(
        operation_id="payments_retrieve",
        summary="Read a payment",
        tags=["payments"],
        responses=PaymentAnswer,
        examples=[OpenApiExample("Partially refunded", _PAYMENT, response_only=True)],
    )
    def get(self, request: Request, payment_id: UUID) -> Response:
        """The payment with its refunds."""
        found = selectors.get_payment(actor=self.actor, payment_id=payment_id)
        return Response(self.expanded(present_payment(found)))


class PaymentRefundsView(ApiView):
    """The refunds of one payment."""

    permissions: ClassVar = {"POST": "payments:refund"}
    own_transactions = True

    @extend_schema(
        operation_id="payments_refund",
        summary="Refund a payment",
        description=(
            "Without `amount_minor`, all that is left goes back. A `pending` refund is being carried out: the payment "
            "provider's answer was lost or is still to come, and the refund is finished without being asked again. "
            "After a 502 nothing happened and the call may be repeated."
        ),
        tags=["payments"],
        request=RefundBody,
        responses={201: RefundAnswer},
        examples=[
            OpenApiExample("Part", {"amount_minor": 1900, "reason": "requested_by_customer"}, request_only=True),
            OpenApiExample("Everything that is left", {"reason": "duplicate"}, request_only=True),
        ],
    )
    def post(self, request: Request, payment_id: UUID) -> Response:
        """Send money back."""
        body = self.read_body(RefundBody)
        made = services.refund(
            actor=self.actor,
            payment_id=payment_id,
            amount_minor=body.get("amount_minor"),
            reason=body["reason"].upper(),
            refund_id=call_id(request),
        )
        return Response(present_refund(made), status=status.HTTP_201_CREATED)
