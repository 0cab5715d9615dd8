"""What the API answers, for the OpenAPI document."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from apps.invoices.filtering import STATUSES

INVOICE_STATES = ["draft", "open", "paid", "void", "uncollectible"]


class BalanceAnswer(serializers.Serializer[Any]):
    """Where a client stands in one currency."""

    currency = serializers.CharField()
    invoiced_minor = serializers.IntegerField()
    paid_minor = serializers.IntegerField()
    due_minor = serializers.IntegerField()
    overdue_minor = serializers.IntegerField()


class ClientAnswer(serializers.Serializer[Any]):
    """A client."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    email = serializers.CharField()
    phone = serializers.CharField()
    address = serializers.CharField()
    tax_id = serializers.CharField()
    notes = serializers.CharField()
    locale = serializers.CharField()
    currency = serializers.CharField()
    deleted_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    invoice_count = serializers.IntegerField()
    last_invoiced_at = serializers.DateTimeField(allow_null=True)
    balances = BalanceAnswer(many=True)


class InvoiceClient(serializers.Serializer[Any]):
    """The client of an invoice."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class PartyAnswer(serializers.Serializer[Any]):
    """Seller or buyer as printed."""

    name = serializers.CharField()
    address = serializers.CharField()
    tax_id = serializers.CharField()
    email = serializers.CharField()


class LineAnswer(serializers.Serializer[Any]):
    """One line."""

    id = serializers.UUIDField()
    position = serializers.IntegerField()
    description = serializers.CharField()
    item_type = serializers.CharField()
    quantity = serializers.CharField()
    unit_price_minor = serializers.IntegerField()
    tax_rate = serializers.CharField()
    discount_minor = serializers.IntegerField()
    net_minor = serializers.IntegerField()


class TaxAnswer(serializers.Serializer[Any]):
    """Base and tax of one rate."""

    rate = serializers.CharField()
    base_minor = serializers.IntegerField()
    tax_minor = serializers.IntegerField()


class InvoiceListed(serializers.Serializer[Any]):
    """An invoice in a list."""

    id = serializers.UUIDField()
    number = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=INVOICE_STATES)
    version = serializers.IntegerField()
    is_overdue = serializers.BooleanField()
    is_partially_paid = serializers.BooleanField()
    sent_at = serializers.DateTimeField(allow_null=True)
    viewed_at = serializers.DateTimeField(allow_null=True)
    finalized_at = serializers.DateTimeField(allow_null=True)
    paid_at = serializers.DateTimeField(allow_null=True)
    voided_at = serializers.DateTimeField(allow_null=True)
    uncollectible_at = serializers.DateTimeField(allow_null=True)
    client = InvoiceClient()
    brand_id = serializers.UUIDField(allow_null=True)
    currency = serializers.CharField()
    issue_date = serializers.DateField(allow_null=True)
    due_date = serializers.DateField()
    subtotal_minor = serializers.IntegerField()
    discount_minor = serializers.IntegerField()
    tax_minor = serializers.IntegerField()
    total_minor = serializers.IntegerField()
    amount_paid_minor = serializers.IntegerField()
    amount_due_minor = serializers.IntegerField()
    surplus_minor = serializers.IntegerField(help_text="Paid beyond what is owed; to be refunded.")
    hosted_url = serializers.CharField(allow_null=True)
    pdf_url = serializers.CharField(allow_null=True)
    allowed_actions = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class InvoiceAnswer(InvoiceListed):
    """The whole invoice."""

    tax_breakdown = TaxAnswer(many=True)
    lines = LineAnswer(many=True)
    notes = serializers.CharField()
    metadata = serializers.DictField()
    seller = PartyAnswer()
    buyer = PartyAnswer()


class InvoiceRefundAnswer(serializers.Serializer[Any]):
    """A refund of a payment."""

    id = serializers.UUIDField()
    payment_id = serializers.UUIDField()
    status = serializers.CharField()
    amount_minor = serializers.IntegerField()
    currency = serializers.CharField()
    reason = serializers.CharField()
    failure_reason = serializers.CharField()
    requested_by = serializers.CharField()
    succeeded_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class InvoicePaymentAnswer(serializers.Serializer[Any]):
    """A payment of an invoice."""

    id = serializers.UUIDField()
    invoice_id = serializers.UUIDField()
    purpose = serializers.CharField()
    purpose_id = serializers.UUIDField()
    # Any: DRF's own classes have an attribute of this name, which its metaclass clears away.
    label: Any = serializers.CharField()
    amount_minor = serializers.IntegerField()
    currency = serializers.CharField()
    refunded_minor = serializers.IntegerField()
    refundable_minor = serializers.IntegerField()
    fee_minor = serializers.IntegerField(allow_null=True)
    fee_currency = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    method = serializers.CharField()
    is_manual = serializers.BooleanField()
    reference = serializers.CharField()
    payer_name = serializers.CharField()
    payer_email = serializers.CharField()
    failure_reason = serializers.CharField()
    refunds = InvoiceRefundAnswer(many=True)
    succeeded_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    allowed_actions = serializers.ListField(child=serializers.CharField())


class CheckoutAnswer(serializers.Serializer[Any]):
    """A pending payment and where the customer pays it."""

    payment = InvoicePaymentAnswer()
    payment_url = serializers.URLField()


UNKNOWN_CLIENT = OpenApiResponse(description="There is no such client.")
GATEWAY_FAILED = OpenApiResponse(description="The payment provider did not answer as expected; call again.")
CLIENT_FILTERS = [
    OpenApiParameter("q", str, description="part of the name or e-mail"),
    OpenApiParameter("include_deleted", bool),
]
INVOICE_FILTERS = [
    OpenApiParameter("status", str, enum=list(STATUSES)),
    OpenApiParameter("client_id", str),
    OpenApiParameter("from", str, description="issue date, included"),
    OpenApiParameter("to", str, description="issue date, included"),
    OpenApiParameter("q", str, description="part of the number or the client's name, with `clients:read` also e-mail"),
    OpenApiParameter("currency", str),
]
INVOICE_EXAMPLE = OpenApiExample(
    "A consulting invoice",
    request_only=True,
    value={
        "client_id": "0193f3c2-7a54-7c0e-9d0b-6a4f0f6a1c11",
        "currency": "EUR",
        "due_date": "2026-12-31",
        "lines": [
            {"description": "Consulting, hours", "quantity": "12.5", "unit_price_minor": 9500, "tax_rate": "19.00"},
            {
                "description": "Travel",
                "item_type": "fee",
                "quantity": "1",
                "unit_price_minor": 8400,
                "tax_rate": "7.00",
                "discount_minor": 400,
            },
        ],
        "discount_minor": 2000,
        "notes": "Thank you.",
    },
)
CLIENT_EXAMPLE = OpenApiExample(
    "A company",
    request_only=True,
    value={
        "name": "Nordlys Outdoor AS",
        "email": "faktura@nordlys.example",
        "tax_id": "NO 987 654 321",
        "locale": "en",
    },
)
PAYMENT_EXAMPLE = OpenApiExample(
    "A bank transfer",
    request_only=True,
    value={
        "amount_minor": 118750,
        "method": "bank_transfer",
        "reference": "RF18 5390 0754 7034",
        "paid_at": "2026-12-03T09:30:00Z",
    },
)
