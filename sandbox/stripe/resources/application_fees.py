"""Application fees: what the platform earns on payments of the accounts connected to it.

Source: https://docs.stripe.com/api/application_fees and https://docs.stripe.com/connect/direct-charges.
"""

from __future__ import annotations

from sandbox.stripe.calls import Call, Work
from sandbox.stripe.configuration import ACCOUNT_ID, APPLICATION_ID
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.objects import equals
from sandbox.stripe.pagination import list_page, listing
from sandbox.stripe.parameters import TIME_RANGE, Integer, Metadata, Text, declare, declare_list, merge_metadata
from sandbox.stripe.resources import balance_transactions
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject


def collect(work: Work, charge: JsonObject) -> JsonObject:
    """Store the fee on a connected account's charge and the platform's income from it; return the fee."""
    platform = work.of(ACCOUNT_ID)
    identifier = new_id("fee_")
    fee: JsonObject = {
        "id": identifier,
        "object": "application_fee",
        "account": work.account,
        "amount": charge["application_fee_amount"],
        "amount_refunded": 0,
        "application": APPLICATION_ID,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": work.now,
        "currency": charge["currency"],
        "fee_source": {"charge": charge["id"], "type": "charge"},
        "livemode": False,
        "originating_transaction": None,
        "refunded": False,
        "refunds": listing([], url=f"/v1/application_fees/{identifier}/refunds"),
    }
    booked = balance_transactions.book(platform, fee, fee["amount"], "application_fee")
    fee["balance_transaction"] = booked["id"]
    platform.objects.insert(fee)
    emit(platform, "application_fee.created", fee)
    return fee


def give_back(work: Work, fee_id: str, amount: int | None, metadata: JsonObject | None = None) -> JsonObject:
    """Return the fee in part or, with None, whatever is left of it; return the refund of the fee.

    Raises: InvalidRequest when less is left, or nothing.
    """
    platform = work.of(ACCOUNT_ID)
    fee = platform.require("application_fee", fee_id, param="id", in_path=True)
    left: int = fee["amount"] - fee["amount_refunded"]
    if left == 0:
        raise InvalidRequest(f"Application fee {fee_id} has already been refunded.", code="charge_already_refunded")
    taken = left if amount is None else amount
    if taken > left:
        raise InvalidRequest(
            f"Refund amount is greater than what is left of the application fee ({left}).", param="amount"
        )
    refund: JsonObject = {
        "id": new_id("fr_"),
        "object": "fee_refund",
        "amount": taken,
        "balance_transaction": None,
        "created": work.now,
        "currency": fee["currency"],
        "fee": fee["id"],
        "metadata": merge_metadata({}, metadata or {}),
    }
    booked = balance_transactions.book(platform, refund, -taken, "application_fee_refund")
    refund["balance_transaction"] = booked["id"]
    platform.objects.insert(refund)
    before = dict(fee)
    fee["amount_refunded"] += taken
    fee["refunded"] = fee["amount_refunded"] == fee["amount"]
    fee["refunds"] = fee["refunds"] | {"data": [refund, *fee["refunds"]["data"]][:10]}
    platform.objects.replace(fee)
    emit(platform, "application_fee.refunded", fee, before=before)
    return refund


def _retrieve(call: Call) -> JsonObject:
    return call.target("application_fee", "id")


def _list(call: Call) -> JsonObject:
    filters = [equals("charge", call.params["charge"])] if "charge" in call.params else []
    return list_page(call, "application_fee", filters, url="/v1/application_fees")


def _refund(call: Call) -> JsonObject:
    return give_back(call, call.path["id"], call.params.get("amount"), call.params.get("metadata"))


def _list_refunds(call: Call) -> JsonObject:
    fee = call.target("application_fee", "id")
    return list_page(call, "fee_refund", [equals("fee", fee["id"])], url=f"/v1/application_fees/{fee['id']}/refunds")


_ITEM = "/v1/application_fees/<id>"

ROUTES = (
    Route("GET", "/v1/application_fees", _list, declare_list(charge=Text(), created=TIME_RANGE)),
    Route("GET", _ITEM, _retrieve, declare()),
    Route("POST", f"{_ITEM}/refunds", _refund, declare(amount=Integer(least=1), metadata=Metadata())),
    Route("GET", f"{_ITEM}/refunds", _list_refunds, declare_list()),
)
