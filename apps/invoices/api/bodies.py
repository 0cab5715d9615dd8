"""What callers send: shapes and types. The limits of the values are the services' own (``draft_rules.py``)."""

from decimal import Decimal
from typing import Any, cast

from rest_framework import serializers

from apps.invoices.draft_rules import MAX_LINES, QUANTITY_DECIMALS, RATE_DECIMALS
from apps.invoices.models import ItemType
from apps.invoices.services import ClientChanges, DraftChanges, DraftInput, LineInput

ITEM_TYPES = [(value.lower(), label) for value, label in ItemType.choices]


class ClientBody(serializers.Serializer[Any]):
    """A client to add."""

    name = serializers.CharField(max_length=200)
    email = serializers.EmailField(required=False, allow_blank=True, allow_null=True)
    phone = serializers.CharField(max_length=30, required=False, allow_blank=True, allow_null=True)
    address = serializers.CharField(max_length=500, required=False, allow_blank=True, allow_null=True)
    tax_id = serializers.CharField(max_length=50, required=False, allow_blank=True, allow_null=True)
    notes = serializers.CharField(max_length=2000, required=False, allow_blank=True, allow_null=True)
    locale = serializers.CharField(max_length=10, required=False, help_text="The tenant's unless given.")
    currency = serializers.CharField(max_length=3, required=False, help_text="The tenant's unless given.")


class ClientChangesBody(ClientBody):
    """What to change of a client."""

    name = serializers.CharField(max_length=200, required=False)


class LineBody(serializers.Serializer[Any]):
    """One line of an invoice."""

    description = serializers.CharField(max_length=500)
    item_type = serializers.ChoiceField(choices=ITEM_TYPES, default=ItemType.PRODUCT.lower())
    quantity = serializers.DecimalField(max_digits=18, decimal_places=QUANTITY_DECIMALS)
    unit_price_minor = serializers.IntegerField()
    tax_rate = serializers.DecimalField(max_digits=7, decimal_places=RATE_DECIMALS, default=Decimal(0))
    discount_minor = serializers.IntegerField(default=0)


class InvoiceBody(serializers.Serializer[Any]):
    """A draft to write."""

    client_id = serializers.UUIDField()
    currency = serializers.CharField(max_length=3)
    issue_date = serializers.DateField(required=False, allow_null=True)
    due_date = serializers.DateField()
    lines: serializers.ListSerializer[Any] = serializers.ListSerializer(child=LineBody(), max_length=MAX_LINES)
    discount_minor = serializers.IntegerField(required=False)
    notes = serializers.CharField(max_length=2000, required=False, allow_blank=True, allow_null=True)
    brand_id = serializers.UUIDField(required=False, allow_null=True, help_text="The default brand unless given.")
    metadata = serializers.DictField(required=False)


class InvoiceChangesBody(InvoiceBody):
    """What to change of a draft; `version` makes the call fail if somebody else changed it since."""

    client_id = serializers.UUIDField(required=False)
    currency = serializers.CharField(max_length=3, required=False)
    due_date = serializers.DateField(required=False)
    lines = serializers.ListSerializer(child=LineBody(required=False), max_length=MAX_LINES, required=False)
    version = serializers.IntegerField(required=False, min_value=1)


class ManualPaymentBody(serializers.Serializer[Any]):
    """Money that came outside the gateway."""

    amount_minor = serializers.IntegerField()
    method = serializers.CharField(max_length=40, help_text="bank_transfer, cash, cheque, card or other")
    reference = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    paid_at = serializers.DateTimeField(required=False)


def client_changes(body: dict[str, Any]) -> ClientChanges:
    """What to set on a client; null empties a field."""
    changes = cast(ClientChanges, {name: value or "" for name, value in body.items()})
    if "currency" in changes:
        changes["currency"] = changes["currency"].upper()
    return changes


def draft_input(body: dict[str, Any]) -> DraftInput:
    """The draft that a body describes."""
    return DraftInput(**draft_changes(body))


def draft_changes(body: dict[str, Any]) -> DraftChanges:
    """What a body changes of a draft."""
    changes: dict[str, Any] = {name: value for name, value in body.items() if name != "version"}
    if "lines" in changes:
        changes["lines"] = tuple(_line(line) for line in changes["lines"])
    if "currency" in changes:
        changes["currency"] = changes["currency"].upper()
    if "notes" in changes:
        changes["notes"] = changes["notes"] or ""
    return cast(DraftChanges, changes)


def _line(line: dict[str, Any]) -> LineInput:
    return LineInput(**{**line, "item_type": line["item_type"].upper()})
