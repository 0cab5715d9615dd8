"""Invoice lines and the pending items they come from, in Stripe's shapes.

Source: https://docs.stripe.com/api/invoice-line-item and https://docs.stripe.com/api/invoiceitems.
"""

from __future__ import annotations

from sandbox.stripe.billing.proration import Period
from sandbox.stripe.calls import Work
from sandbox.stripe.events import emit
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.shapes import JsonObject

ITEM = "invoiceitem"
LINE = "line_item"


def pricing_of(price: JsonObject | None, unit_amount: str | None = None) -> JsonObject | None:
    """Return how a line is priced; null for a line without a price and a unit amount."""
    if price is None:
        return None
    return {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": unit_amount if unit_amount is not None else price["unit_amount_decimal"],
    }


def new_item(
    work: Work,
    customer: JsonObject,
    *,
    amount: int,
    currency: str,
    description: str | None,
    period: Period,
    price: JsonObject | None = None,
    quantity: int = 1,
    discountable: bool = True,
    invoice: str | None = None,
    subscription: str | None = None,
    subscription_item: str | None = None,
    proration: bool = False,
    tax_rates: list[JsonObject] | None = None,
    metadata: JsonObject | None = None,
    discounts: list[str] | None = None,
) -> JsonObject:
    """Store and tell an item that waits for an invoice (or belongs to the draft `invoice`); return it."""
    parent = None
    if subscription is not None:
        details = {"subscription": subscription}
        if subscription_item is not None:
            details["subscription_item"] = subscription_item
        parent = {"subscription_details": details, "type": "subscription_details"}
    item: JsonObject = {
        "id": new_id("ii_"),
        "object": ITEM,
        "amount": amount,
        "currency": currency,
        "customer": customer["id"],
        "customer_account": None,
        "date": work.now,
        "description": description,
        "discountable": discountable,
        "discounts": discounts or [],
        "frozen_fields": [],
        "invoice": invoice,
        "livemode": False,
        "metadata": metadata or {},
        "net_amount": amount,
        "parent": parent,
        "period": period.body(),
        "pricing": pricing_of(price),
        "proration": proration,
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "tax_rates": tax_rates or [],
        "test_clock": customer["test_clock"],
    }
    if proration:
        item["proration_details"] = {"discount_amounts": []}
    work.objects.insert_part(item, owner=invoice or "", created=work.now)
    emit(work, f"{ITEM}.created", item)
    return item


def line_of_item(item: JsonObject) -> JsonObject:
    """Return the line, without invoice and taxes yet, that an invoice has for the item."""
    parent = item["parent"]
    details = parent["subscription_details"] if parent else {}
    proration_details = {"credited_items": None} if item["proration"] else None
    if "subscription_item" in details:
        shown: JsonObject = {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": item["id"],
                "proration": item["proration"],
                "proration_details": proration_details,
                "subscription": details["subscription"],
                "subscription_item": details["subscription_item"],
            },
            "type": "subscription_item_details",
        }
    else:
        shown = {
            "invoice_item_details": {
                "invoice_item": item["id"],
                "proration": item["proration"],
                "proration_details": proration_details,
                "subscription": details.get("subscription"),
            },
            "subscription_item_details": None,
            "type": "invoice_item_details",
        }
    return _line(
        amount=item["amount"],
        currency=item["currency"],
        description=item["description"],
        discountable=item["discountable"],
        discounts=item["discounts"],
        metadata=item["metadata"],
        parent=shown,
        period=item["period"],
        pricing=item["pricing"],
        quantity=item["quantity"],
        subscription=details.get("subscription"),
    )


def line_of_subscription_item(
    subscription: JsonObject,
    item: JsonObject,
    *,
    amount: int,
    description: str,
    period: Period,
    unit: str | None = None,
) -> JsonObject:
    """Return the line that an invoice has for one period of a subscription's item."""
    parent = {
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": None,
            "proration": False,
            "proration_details": {"credited_items": None},
            "subscription": subscription["id"],
            "subscription_item": item["id"],
        },
        "type": "subscription_item_details",
    }
    return _line(
        amount=amount,
        currency=subscription["currency"],
        description=description,
        discountable=True,
        discounts=[],
        metadata=subscription["metadata"],
        parent=parent,
        period=period.body(),
        pricing=pricing_of(item["price"], unit),
        quantity=item["quantity"],
        subscription=subscription["id"],
    )


def _line(
    *,
    amount: int,
    currency: str,
    description: str | None,
    discountable: bool,
    discounts: list[str],
    metadata: JsonObject,
    parent: JsonObject,
    period: JsonObject,
    pricing: JsonObject | None,
    quantity: int,
    subscription: str | None,
) -> JsonObject:
    return {
        "id": new_id("il_"),
        "object": LINE,
        "amount": amount,
        "currency": currency,
        "description": description,
        "discount_amounts": [],
        "discountable": discountable,
        "discounts": discounts,
        "invoice": None,
        "livemode": False,
        "metadata": metadata,
        "parent": parent,
        "period": period,
        "pretax_credit_amounts": [],
        "pricing": pricing,
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "subscription": subscription,
        "subtotal": amount,
        "taxes": [],
    }
