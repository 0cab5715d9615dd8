"""Invoice items: what waits for a customer's next invoice, or stands on a draft.

Source: https://docs.stripe.com/api/invoiceitems.
"""

from __future__ import annotations

from fractions import Fraction

from sandbox.stripe.billing import clocks, invoices, lines, periods
from sandbox.stripe.billing.pricing import amount_of
from sandbox.stripe.billing.proration import Period
from sandbox.stripe.billing.rounding import half_up
from sandbox.stripe.calls import Call, Work
from sandbox.stripe.catalogue import new_price
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.objects import Filter, equals
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import (
    TIME_RANGE,
    CurrencyCode,
    DecimalText,
    Flag,
    Hash,
    Integer,
    Metadata,
    Text,
    declare,
    declare_list,
    merge_metadata,
)
from sandbox.stripe.resources import tax_rates
from sandbox.stripe.resources.subscription_parameters import ONE_OFF_PRICE_DATA, QUANTITY, TAX_RATES
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject

KIND = lines.ITEM


def _priced(call: Call) -> tuple[int, str, JsonObject | None]:
    """Return amount, currency and price of what is asked for.

    Raises: InvalidRequest unless there is exactly one of amount, price, inline price and unit amount.
    """
    params = call.params
    ways = [name for name in ("amount", "price_data", "pricing", "unit_amount_decimal") if name in params]
    if len(ways) != 1:
        raise InvalidRequest(
            "Exactly one of amount, pricing, price_data and unit_amount_decimal must be given.",
            code="parameter_missing",
            param="amount",
        )
    quantity = params.get("quantity", 1)
    if ways[0] in ("amount", "unit_amount_decimal"):
        if "currency" not in params:
            raise InvalidRequest("Missing required param: currency.", code="parameter_missing", param="currency")
        if ways[0] == "amount" and "quantity" in params:
            raise InvalidRequest("quantity cannot be given with amount.", param="quantity")
        unit = params.get("unit_amount_decimal")
        amount = params["amount"] if unit is None else half_up(Fraction(unit) * quantity)
        return amount, params["currency"], None
    if ways[0] == "pricing":
        price = call.require("price", params["pricing"].get("price", ""), param="pricing[price]")
        if not price["active"]:
            raise InvalidRequest("The price specified is inactive.", param="pricing[price]")
        if price["type"] != "one_time":
            raise InvalidRequest(
                "The price specified is set to `type=recurring` but this field only accepts prices with"
                " `type=one_time`.",
                param="pricing[price]",
            )
    else:
        data = params["price_data"]
        call.require("product", data["product"], param="price_data[product]")
        price = new_price(call, data, data["product"], active=False, param="price_data")
    if params.get("currency", price["currency"]) != price["currency"]:
        raise InvalidRequest("The currency differs from that of the price.", param="currency")
    return amount_of(call, price, quantity), price["currency"], price


def _create(call: Call) -> JsonObject:
    params = call.params
    if "customer" not in params:
        raise InvalidRequest("Missing required param: customer.", code="parameter_missing", param="customer")
    customer = call.require("customer", params["customer"], param="customer")
    work = clocks.at_time_of(call, customer)
    amount, currency, price = _priced(call)
    invoice = _draft(call, params["invoice"], customer, currency) if "invoice" in params else None
    subscription = params.get("subscription")
    if subscription is not None:
        known = call.require("subscription", subscription, param="subscription")
        if known["customer"] != customer["id"]:
            raise InvalidRequest("The subscription belongs to another customer.", param="subscription")
    given = params.get("period")
    if given is not None and given["end"] < given["start"]:
        raise InvalidRequest("The period must not end before it starts.", param="period[end]")
    item = lines.new_item(
        work,
        customer,
        amount=amount,
        currency=currency,
        description=params.get("description", periods.name_of(call, price) if price else None),
        period=Period(given["start"], given["end"]) if given else Period(work.now, work.now),
        price=price,
        quantity=params.get("quantity", 1),
        discountable=params.get("discountable", amount >= 0),
        invoice=invoice["id"] if invoice else None,
        subscription=subscription,
        tax_rates=tax_rates.chosen(call, params.get("tax_rates"), param="tax_rates"),
        metadata=merge_metadata({}, params.get("metadata") or {}),
    )
    if invoice is not None:
        invoices.insert_lines(work, invoice, [], [item])
        _recompute(work, invoice)
    return item


def _draft(call: Call, identifier: str, customer: JsonObject, currency: str) -> JsonObject:
    invoice = call.require(invoices.KIND, identifier, param="invoice")
    if invoice["status"] != "draft":
        raise InvalidRequest(
            "Items can only be added to a draft invoice.", code="invoice_not_editable", param="invoice"
        )
    if invoice["customer"] != customer["id"]:
        raise InvalidRequest("The invoice belongs to another customer.", param="invoice")
    if invoice["currency"] != currency:
        raise InvalidRequest(f"The invoice's currency is {invoice['currency']}.", param="currency")
    return invoice


def _recompute(work: Work, invoice: JsonObject) -> None:
    before = dict(invoice)
    invoices.refresh(work, invoice)
    emit(work, "invoice.updated", invoice, before=before)


def _editable(call: Call) -> tuple[JsonObject, JsonObject | None]:
    item = call.target(KIND, "invoiceitem")
    invoice = call.objects.get(invoices.KIND, item["invoice"]) if item["invoice"] else None
    if invoice is not None and invoice["status"] != "draft":
        raise InvalidRequest(
            "This item is on an invoice that is finalized and cannot be changed any more.",
            code="invoice_not_editable",
        )
    return item, invoice


def _retrieve(call: Call) -> JsonObject:
    return call.target(KIND, "invoiceitem")


def _update(call: Call) -> JsonObject:
    item, invoice = _editable(call)
    before, params = dict(item), call.params
    for name in ("description", "discountable", "period"):
        if name in params:
            item[name] = params[name]
    if "metadata" in params:
        item["metadata"] = merge_metadata(item["metadata"], params["metadata"])
    if "tax_rates" in params:
        item["tax_rates"] = tax_rates.chosen(call, params["tax_rates"], param="tax_rates")
    if "amount" in params:
        item |= {"amount": params["amount"], "net_amount": params["amount"], "pricing": None}
    if "quantity" in params:
        if item["pricing"] is None or item["proration"]:
            raise InvalidRequest("Only items with a price have a quantity to change.", param="quantity")
        price = call.require("price", item["pricing"]["price_details"]["price"], param="quantity")
        amount = amount_of(call, price, params["quantity"])
        item |= {
            "amount": amount,
            "net_amount": amount,
            "quantity": params["quantity"],
            "quantity_decimal": str(params["quantity"]),
        }
    call.objects.replace(item)
    if item != before:
        emit(call, "invoiceitem.updated", item, before=before)
    if invoice is not None:
        for line in invoices.lines_of(call, invoice):
            details = line["parent"][line["parent"]["type"]]
            if details.get("invoice_item") == item["id"]:
                fresh = lines.line_of_item(item) | {"id": line["id"], "invoice": invoice["id"]}
                call.objects.replace(fresh)
        _recompute(clocks.at_time_of(call, invoice), invoice)
    return item


def _delete(call: Call) -> JsonObject:
    item, invoice = _editable(call)
    if invoice is not None:
        for line in invoices.lines_of(call, invoice):
            if line["parent"][line["parent"]["type"]].get("invoice_item") == item["id"]:
                call.objects.delete(line["id"])
    call.objects.delete(item["id"])
    emit(call, "invoiceitem.deleted", item)
    if invoice is not None:
        _recompute(clocks.at_time_of(call, invoice), invoice)
    return {"id": item["id"], "object": KIND, "deleted": True}


def _list(call: Call) -> JsonObject:
    filters: list[Filter] = [equals(name, call.params[name]) for name in ("customer", "invoice") if name in call.params]
    if "pending" in call.params:
        absent = "IS NULL" if call.params["pending"] else "IS NOT NULL"
        filters.append((f"json_extract(body, '$.invoice') {absent}", ()))
    return list_page(call, KIND, filters, url="/v1/invoiceitems")


_ITEM = "/v1/invoiceitems/<invoiceitem>"
_SHARED = {
    "amount": Integer(least=-99_999_999, most=99_999_999),
    "description": Text(),
    "discountable": Flag(),
    "metadata": Metadata(),
    "period": Hash({"end": Integer(), "start": Integer()}, required=frozenset({"end", "start"})),
    "quantity": QUANTITY,
    "tax_rates": TAX_RATES,
}

ROUTES = (
    Route(
        "POST",
        "/v1/invoiceitems",
        _create,
        declare(
            **_SHARED,
            currency=CurrencyCode(),
            customer=Text(),
            invoice=Text(),
            price_data=ONE_OFF_PRICE_DATA,
            pricing=Hash({"price": Text()}),
            subscription=Text(),
            unit_amount_decimal=DecimalText(),
        ),
    ),
    Route(
        "GET",
        "/v1/invoiceitems",
        _list,
        declare_list(created=TIME_RANGE, customer=Text(), invoice=Text(), pending=Flag()),
    ),
    Route("GET", _ITEM, _retrieve, declare()),
    Route("POST", _ITEM, _update, declare(**_SHARED)),
    Route("DELETE", _ITEM, _delete, declare()),
)
