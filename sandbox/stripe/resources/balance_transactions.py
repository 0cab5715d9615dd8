"""Balance transactions: what charges and refunds did to the balance, fees apart; and the balance itself.

Source: https://docs.stripe.com/api/balance_transactions and https://docs.stripe.com/api/balance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sandbox.stripe.calls import Call, Work
from sandbox.stripe.configuration import ACCOUNT_NAME, APPLICATION_ID
from sandbox.stripe.currencies import processing_fee
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.objects import Filter, equals
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import TIME_RANGE, CurrencyCode, Text, declare, declare_list
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject

_DAY = 86_400
SETTLEMENT_DAYS = 2
_CATEGORY = {
    "payment": "charge",
    "payment_refund": "refund",
    "application_fee": "platform_earning",
    "application_fee_refund": "platform_earning_refund",
}


def fee_detail(kind: str, amount: int, currency: str) -> JsonObject:
    """Return one part of a fee, `stripe_fee` or the platform's `application_fee`, in minor units."""
    ours = kind == "application_fee"
    return {
        "amount": amount,
        "application": APPLICATION_ID if ours else None,
        "currency": currency,
        "description": f"{ACCOUNT_NAME} application fee" if ours else "Stripe processing fees",
        "type": kind,
    }


def book_charge(work: Work, charge: JsonObject, amount: int) -> JsonObject:
    """Store the income of a captured charge, `amount` minor units before the fees; return it."""
    currency = charge["currency"]
    details = [fee_detail("stripe_fee", processing_fee(amount, currency), currency)]
    if charge["application_fee_amount"]:
        details.append(fee_detail("application_fee", charge["application_fee_amount"], currency))
    return book(work, charge, amount, _type_of(charge), fees=details, description=charge["description"])


def book_refund(work: Work, refund: JsonObject, charge: JsonObject, *, returned_fee: int = 0) -> JsonObject:
    """Store what a refund takes from the balance; return it.

    The charge's own fee is not returned; `returned_fee` is what the platform gives back of its application fee.
    """
    details = [fee_detail("application_fee", -returned_fee, refund["currency"])] if returned_fee else []
    kind = "refund" if _type_of(charge) == "charge" else "payment_refund"
    told = f"REFUND FOR {_type_of(charge).upper()} ({charge['description'] or charge['id']})"
    return book(work, refund, -refund["amount"], kind, fees=details, description=told)


def book_failed_refund(work: Work, refund: JsonObject) -> JsonObject:
    """Store what comes back to the balance when a refund fails; return it."""
    told = f"REFUND FAILURE ({refund['id']})"
    return book(work, refund, refund["amount"], "refund_failure", description=told)


def _type_of(charge: JsonObject) -> str:
    return "charge" if charge["id"].startswith("ch_") else "payment"


def book(
    work: Work,
    source: JsonObject,
    amount: int,
    kind: str,
    *,
    category: str | None = None,
    fees: Sequence[JsonObject] = (),
    description: str | None = None,
) -> JsonObject:
    """Store what an object does to the balance, `amount` minor units before `fees`; return it."""
    fee = sum(detail["amount"] for detail in fees)
    transaction: JsonObject = {
        "id": new_id("txn_"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": (work.now // _DAY + SETTLEMENT_DAYS) * _DAY,
        "balance_type": "payments",
        "created": work.now,
        "currency": source["currency"],
        "description": description,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": list(fees),
        "net": amount - fee,
        "reporting_category": category or _CATEGORY.get(kind, kind),
        "source": source["id"],
        "status": "pending",
        "type": kind,
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
