"""Shapes of what the payments API reads and answers."""

from typing import Any

from rest_framework import serializers

from apps.core.money import MAX_MINOR
from apps.payments.choices import PaymentStatus, RefundReason, RefundStatus


def _lower(values: list[str]) -> list[str]:
    return [value.lower() for value in values]


PAYMENT_STATES, REFUND_STATES = _lower(PaymentStatus.values), _lower(RefundStatus.values)


class RefundBody(serializers.Serializer[Any]):
    """How much goes back and why; without an amount, all that is left."""

    amount_minor = serializers.IntegerField(min_value=1, max_value=MAX_MINOR, required=False, allow_null=True)
    reason = serializers.ChoiceField(
        _lower(RefundReason.values), required=False, default=RefundReason.REQUESTED_BY_CUSTOMER.lower()
    )


class RefundAnswer(serializers.Serializer[Any]):
    """A refund."""

    id = serializers.UUIDField()
    payment_id = serializers.UUIDField()
    status = serializers.ChoiceField(REFUND_STATES)
    amount_minor = serializers.IntegerField()
    currency = serializers.CharField()
    reason = serializers.ChoiceField(_lower(RefundReason.values))
    failure_reason = serializers.CharField()
    requested_by = serializers.CharField()
    succeeded_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class PaymentAnswer(serializers.Serializer[Any]):
    """A payment with its refunds."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(PAYMENT_STATES)
    purpose = serializers.CharField(help_text="What the payment is for: invoice")
    purpose_id = serializers.UUIDField()
    # Any: DRF's own classes have an attribute of this name, which its metaclass clears away.
    label: Any = serializers.CharField(help_text="For people: the invoice's number")
    amount_minor = serializers.IntegerField()
    currency = serializers.CharField()
    refunded_minor = serializers.IntegerField()
    refundable_minor = serializers.IntegerField(help_text="Neither refunded nor reserved by a pending refund")
    fee_minor = serializers.IntegerField(allow_null=True, help_text="null until the payment provider tells it")
    fee_currency = serializers.CharField(allow_null=True)
    method = serializers.CharField(help_text="Empty until the customer chose one")
    is_manual = serializers.BooleanField()
    reference = serializers.CharField()
    payer_name = serializers.CharField()
    payer_email = serializers.CharField()
    failure_reason = serializers.CharField()
    refunds = RefundAnswer(many=True)
    allowed_actions = serializers.ListField(child=serializers.CharField())
    succeeded_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
