"""Invoices.

Source: https://docs.stripe.com/api/invoices.
"""

from __future__ import annotations

from sandbox.stripe import payment_methods
from sandbox.stripe.billing import collection, discounts, invoices, lines
from sandbox.stripe.billing.calendar import HOUR
from sandbox.stripe.billing.clocks import at_time_of
from sandbox.stripe.calls import Call, Work
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.objects import Filter, equals, owned_by
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import (
    TIME_RANGE,
    Choice,
    CurrencyCode,
    Flag,
    Hash,
    Integer,
    ListOf,
    Metadata,
    Text,
    declare,
    declare_list,
    merge_metadata,
)
from sandbox.stripe.resources import tax_rates
from sandbox.stripe.resources.subscription_parameters import COLLECTION_METHOD, DISCOUNTS, TAX_RATES
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject

KIND = invoices.KIND
_PLAIN = ("custom_fields", "description", "due_date", "footer", "number", "statement_descriptor")


def _create(call: Call) -> JsonObject:
    params = call.params
    if "customer" not in params:
        raise InvalidRequest("Missing required param: customer.", code="parameter_missing", param="customer")
    customer = call.require("customer", params["customer"], param="customer")
    work = at_time_of(call, customer)
    subscription = None
    if "subscription" in params:
        subscription = call.require("subscription", params["subscription"], param="subscription")
        if subscription["customer"] != customer["id"]:
            raise InvalidRequest("The subscription belongs to another customer.", param="subscription")
    currency = params.get("currency") or (subscription or customer)["currency"] or "eur"
    invoice = invoices.new_invoice(
        work,
        customer,
        currency=currency,
        reason="subscription_update" if subscription else "manual",
        given=_checked(work, customer["id"], params) | {"metadata": merge_metadata({}, params.get("metadata") or {})},
        subscription=subscription,
        auto_advance=params.get("auto_advance", False),
    )
    if "number" in params:
        invoice["number"] = params["number"]
    call.objects.insert(invoice, {"days_until_due": params.get("days_until_due", 30)})
    _set_discounts(work, invoice, customer, params)
    taken = params.get("pending_invoice_items_behavior", "exclude") == "include" or subscription is not None
    if taken:
        items = invoices.pending_items(work, customer["id"], currency, subscription["id"] if subscription else None)
        if subscription is not None and not items:
            raise InvalidRequest(
                "Nothing to invoice for subscription", code="invoice_no_subscription_line_items", param="subscription"
            )
        invoices.insert_lines(work, invoice, [], items)
    invoices.refresh(work, invoice)
    if subscription is not None:
        subscription["latest_invoice"] = invoice["id"]
        call.objects.replace(subscription)
    emit(work, "invoice.created", invoice)
    return invoice


def _checked(work: Work, customer: str, params: JsonObject) -> JsonObject:
    given = {name: params[name] for name in (*_PLAIN, "collection_method", "default_payment_method") if name in params}
    if params.get("default_payment_method") is not None:
        payment_methods.require_attached(
            work, params["default_payment_method"], customer, param="default_payment_method"
        )
    if "default_tax_rates" in params:
        given["default_tax_rates"] = tax_rates.chosen(work, params["default_tax_rates"], param="default_tax_rates")
    sent = params.get("collection_method") == "send_invoice"
    if sent and ("days_until_due" in params) == ("due_date" in params):
        raise InvalidRequest(
            "Exactly one of days_until_due and due_date must be given when collection_method is send_invoice.",
            param="days_until_due",
        )
    if "due_date" in params and params["due_date"] <= work.now:
        raise InvalidRequest("due_date must be in the future.", param="due_date")
    return given


def _set_discounts(work: Work, invoice: JsonObject, customer: JsonObject, params: JsonObject) -> None:
    if "discounts" not in params:
        if customer["discount"] is not None and not invoice["discounts"]:
            applied = discounts.running(work, [customer["discount"]["id"]], at=work.now)
            invoice["discounts"] = [discount["id"] for discount in applied]
        return
    invoice["discounts"] = [
        discounts.redeem(work, wanted, customer=customer["id"], param=f"discounts[{index}]", invoice=invoice["id"])[
            "id"
        ]
        for index, wanted in enumerate(params["discounts"] or [])
    ]


def _retrieve(call: Call) -> JsonObject:
    return call.target(KIND, "invoice")


def _update(call: Call) -> JsonObject:
    invoice, before = (call.target(KIND, "invoice") for _ in range(2))
    params = call.params
    work = at_time_of(call, invoice)
    always = {"auto_advance", "default_payment_method", "expand", "metadata"}
    if invoice["status"] != "draft" and params.keys() - always:
        raise InvalidRequest(
            "Finalized invoices can't be updated in this way.",
            code="invoice_not_editable",
            param=sorted(params.keys() - always)[0],
        )
    invoice |= _checked(work, invoice["customer"], params)
    if "days_until_due" in params:
        call.objects.hide(invoice["id"], days_until_due=params["days_until_due"])
    if "metadata" in params:
        invoice["metadata"] = merge_metadata(invoice["metadata"], params["metadata"])
    if "auto_advance" in params:
        invoice["auto_advance"] = params["auto_advance"]
        if invoice["status"] == "draft":
            invoice["automatically_finalizes_at"] = work.now + HOUR if params["auto_advance"] else None
    if "discounts" in params:
        customer = call.require("customer", invoice["customer"], param="customer")
        _set_discounts(work, invoice, customer, params)
    if invoice["status"] == "draft":
        invoices.refresh(work, invoice)
    else:
        invoices.store(work, invoice)
    if invoice != before:
        emit(work, "invoice.updated", invoice, before=before)
    return invoice


def _delete(call: Call) -> JsonObject:
    invoice = call.target(KIND, "invoice")
    invoices.discard(call, invoice)
    return {"id": invoice["id"], "object": KIND, "deleted": True}


def _finalize(call: Call) -> JsonObject:
    invoice = call.target(KIND, "invoice")
    work = at_time_of(call, invoice)
    if "auto_advance" in call.params:
        invoice["auto_advance"] = call.params["auto_advance"]
    collection.finalize(work, invoice)
    advances = invoice["status"] == "open" and invoice["auto_advance"]
    if advances and invoice["collection_method"] == "charge_automatically":
        invoice["next_payment_attempt"] = work.now + HOUR
        invoices.store(work, invoice)
    return invoice


def _pay(call: Call) -> JsonObject:
    invoice = call.target(KIND, "invoice")
    work = at_time_of(call, invoice)
    params = call.params
    if invoice["status"] == "paid":
        raise InvalidRequest("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] == "draft":
        collection.finalize(work, invoice)
    invoices.require_status(invoice, ("open", "paid", "uncollectible"), "pay")
    if invoice["status"] == "paid":
        return invoice
    if params.get("paid_out_of_band"):
        collection.mark_paid_elsewhere(work, invoice)
        return invoice
    if "payment_method" in params:
        method: JsonObject | None = payment_methods.usable(work, params["payment_method"], param="payment_method")
    else:
        method = collection.method_for(work, invoice)
    if method is None:
        raise InvalidRequest(
            "There is no `default_payment_method` set on this Customer or Invoice. Please set either an attached"
            " PaymentMethod or a source as a default.",
            code="resource_missing",
        )
    collection.pay(work, invoice, method, off_session=params.get("off_session", True))
    return call.target(KIND, "invoice")


def _void(call: Call) -> JsonObject:
    invoice = call.target(KIND, "invoice")
    collection.void(at_time_of(call, invoice), invoice)
    return invoice


def _mark_uncollectible(call: Call) -> JsonObject:
    invoice = call.target(KIND, "invoice")
    invoices.mark_uncollectible(at_time_of(call, invoice), invoice)
    return invoice


def _send(call: Call) -> JsonObject:
    invoice = call.target(KIND, "invoice")
    work = at_time_of(call, invoice)
    if invoice["collection_method"] != "send_invoice":
        raise InvalidRequest("Only invoices with collection_method send_invoice can be sent.")
    if invoice["status"] == "draft":
        collection.finalize(work, invoice)
    invoices.require_status(invoice, ("open", "paid"), "send")
    emit(work, "invoice.sent", invoice)
    return invoice


def _list(call: Call) -> JsonObject:
    filters: list[Filter] = [
        equals(name, call.params[name]) for name in ("collection_method", "customer", "status") if name in call.params
    ]
    if "subscription" in call.params:
        filters.append(equals("parent.subscription_details.subscription", call.params["subscription"]))
    return list_page(call, KIND, filters, url="/v1/invoices")


def _list_lines(call: Call) -> JsonObject:
    invoice = call.target(KIND, "invoice")
    url = f"/v1/invoices/{invoice['id']}/lines"
    return list_page(call, lines.LINE, [owned_by(invoice["id"])], url=url, oldest_first=True)


_ITEM = "/v1/invoices/<invoice>"
_CUSTOM_FIELDS = ListOf(
    Hash({"name": Text(longest=40), "value": Text(longest=140)}, required=frozenset({"name", "value"})),
    most=4,
    clearable=True,
)
_SHARED = {
    "auto_advance": Flag(),
    "collection_method": COLLECTION_METHOD,
    "custom_fields": _CUSTOM_FIELDS,
    "days_until_due": Integer(least=0, most=9999),
    "default_payment_method": Text(),
    "default_tax_rates": TAX_RATES,
    "description": Text(longest=1500),
    "discounts": DISCOUNTS,
    "due_date": Integer(),
    "footer": Text(),
    "metadata": Metadata(),
    "number": Text(longest=26),
    "statement_descriptor": Text(longest=22),
}

ROUTES = (
    Route(
        "POST",
        "/v1/invoices",
        _create,
        declare(
            **_SHARED,
            currency=CurrencyCode(),
            customer=Text(),
            pending_invoice_items_behavior=Choice(("exclude", "include")),
            subscription=Text(),
        ),
    ),
    Route(
        "GET",
        "/v1/invoices",
        _list,
        declare_list(
            collection_method=COLLECTION_METHOD,
            created=TIME_RANGE,
            customer=Text(),
            status=Choice(("draft", "open", "paid", "uncollectible", "void")),
            subscription=Text(),
        ),
    ),
    Route("GET", _ITEM, _retrieve, declare()),
    Route("POST", _ITEM, _update, declare(**_SHARED)),
    Route("DELETE", _ITEM, _delete, declare()),
    Route("POST", f"{_ITEM}/finalize", _finalize, declare(auto_advance=Flag())),
    Route(
        "POST",
        f"{_ITEM}/pay",
        _pay,
        declare(off_session=Flag(), paid_out_of_band=Flag(), payment_method=Text()),
    ),
    Route("POST", f"{_ITEM}/void", _void, declare()),
    Route("POST", f"{_ITEM}/mark_uncollectible", _mark_uncollectible, declare()),
    Route("POST", f"{_ITEM}/send", _send, declare()),
    Route("GET", f"{_ITEM}/lines", _list_lines, declare_list()),
)
