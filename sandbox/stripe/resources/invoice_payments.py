"""Invoice payments: which payment intent pays which invoice.

Source: https://docs.stripe.com/api/invoice-payment.
"""

from __future__ import annotations

from sandbox.stripe.billing.collection import PAYMENT
from sandbox.stripe.calls import Call
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.objects import Filter, equals
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import TIME_RANGE, Choice, Hash, Text, declare, declare_list
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject


def _retrieve(call: Call) -> JsonObject:
    return call.target(PAYMENT, "invoice_payment")


def _list(call: Call) -> JsonObject:
    filters: list[Filter] = [equals(name, call.params[name]) for name in ("invoice", "status") if name in call.params]
    if "payment" in call.params:
        if "payment_intent" not in call.params["payment"]:
            raise InvalidRequest(
                "Missing required param: payment[payment_intent].",
                code="parameter_missing",
                param="payment[payment_intent]",
            )
        filters.append(equals("payment.payment_intent", call.params["payment"]["payment_intent"]))
    return list_page(call, PAYMENT, filters, url="/v1/invoice_payments")


ROUTES = (
    Route(
        "GET",
        "/v1/invoice_payments",
        _list,
        declare_list(
            created=TIME_RANGE,
            invoice=Text(),
            payment=Hash({"payment_intent": Text(), "type": Choice(("payment_intent",))}, required=frozenset({"type"})),
            status=Choice(("canceled", "open", "paid")),
        ),
    ),
    Route("GET", "/v1/invoice_payments/<invoice_payment>", _retrieve, declare()),
)
