"""Balance transactions: what charges and refunds did to the balance, fees apart; and the balance itself.

Source: https://docs.stripe.com/api/balance_transactions and https://docs.stripe.com/api/balance.
"""

from __future__ import annotations

from collections import defaultdict

from sandbox.stripe.calls import Call, Work
from sandbox.stripe.currencies import processing_fee
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.objects import Filter, equals
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import TIME_RANGE, CurrencyCode, Text, declare, declare_list
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject

_DAY = 86_400
SETTLEMENT_DAYS = 2


def book_charge(work: Work, charge: JsonObject, amount: int) -> JsonObject:
    """Store the income of a captured charge, `amount` minor units before the fee; return it."""
    fee = processing_fee(amount, charge["currency"])
    details = {
        "amount": fee,
        "application": None,
        "currency": charge["currency"],
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
    booked = {"amount": amount, "fee": fee, "fee_details": [details], "net": amount - fee}
    return _book(work, charge, booked, description=charge["description"])


def book_refund(work: Work, refund: JsonObject, charge: JsonObject) -> JsonObject:
    """Store what a refund takes from the balance (the charge's fee is not returned); return it."""
    booked = {"amount": -refund["amount"], "fee": 0, "fee_details": [], "net": -refund["amount"]}
    return _book(work, refund, booked, description=f"REFUND FOR CHARGE ({charge['description'] or charge['id']})")


def _book(work: Work, source: JsonObject, booked: JsonObject, *, description: str | None) -> JsonObject:
    transaction: JsonObject = {
        "id": new_id("txn_"),
        "object": "balance_transaction",
        "available_on": (work.now // _DAY + SETTLEMENT_DAYS) * _DAY,
        "balance_type": "payments",
        "created": work.now,
        "currency": source["currency"],
        "description": description,
        "exchange_rate": None,
        "reporting_category": source["object"],
        "source": source["id"],
        "status": "pending",
        "type": source["object"],
        **booked,
    }
    work.objects.insert(transaction)
    return transaction


def with_status(transaction: JsonObject, now: int) -> JsonObject:
    """Return the transaction as it stands at `now`: pending until its money is available."""
    return transaction | {"status": "available" if transaction["available_on"] <= now else "pending"}


def _retrieve(call: Call) -> JsonObject:
    return call.target("balance_transaction", "id")


def _list(call: Call) -> JsonObject:
    filters: list[Filter] = [
        equals(name, call.params[name]) for name in ("currency", "source", "type") if name in call.params
    ]
    return list_page(call, "balance_transaction", filters, url="/v1/balance_transactions")


def _balance(call: Call) -> JsonObject:
    sums: dict[str, dict[str, int]] = {"available": defaultdict(int), "pending": defaultdict(int)}
    for transaction in call.objects.select("balance_transaction"):
        currency = transaction["currency"]
        sums[with_status(transaction, call.now)["status"]][currency] += transaction["net"]
        sums["available"][currency] += 0
        sums["pending"][currency] += 0
    return {
        "object": "balance",
        **{
            name: [
                {"amount": amount, "currency": currency, "source_types": {"card": amount}}
                for currency, amount in (sorted(amounts.items()) or [("usd", 0)])
            ]
            for name, amounts in sums.items()
        },
        "livemode": False,
    }


ROUTES = (
    Route("GET", "/v1/balance", _balance, declare()),
    Route(
        "GET",
        "/v1/balance_transactions",
        _list,
        declare_list(created=TIME_RANGE, currency=CurrencyCode(), source=Text(), type=Text()),
    ),
    Route("GET", "/v1/balance_transactions/<id>", _retrieve, declare()),
)
