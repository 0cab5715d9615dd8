"""The one account behind every key, and the accounts connected to it.

Source: https://docs.stripe.com/api/accounts and https://docs.stripe.com/connect/authentication.
"""

from __future__ import annotations

from sandbox.stripe.calls import Call
from sandbox.stripe.configuration import ACCOUNT_ID, ACCOUNT_NAME
from sandbox.stripe.errors import Forbidden, InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.objects import Objects
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import (
    TIME_RANGE,
    Choice,
    CurrencyCode,
    Email,
    Flag,
    Hash,
    Metadata,
    Text,
    Url,
    declare,
    declare_list,
    merge_metadata,
)
from sandbox.stripe.resources.charges import STATEMENT_DESCRIPTOR
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject

_OPENED = 1_767_225_600


def the_account() -> JsonObject:
    """Return the account; it never changes."""
    return {
        "id": ACCOUNT_ID,
        "object": "account",
        "business_profile": {
            "annual_revenue": None,
            "estimated_worker_count": None,
            "mcc": "5734",
            "minority_owned_business_designation": None,
            "name": ACCOUNT_NAME,
            "product_description": None,
            "support_address": None,
            "support_email": None,
            "support_phone": None,
            "support_url": None,
            "url": None,
        },
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": "DE",
        "created": _OPENED,
        "default_currency": "eur",
        "details_submitted": True,
        "email": "sandbox@insula.localhost",
        "metadata": {},
        "payouts_enabled": True,
        "settings": {
            "bacs_debit_payments": {"display_name": None, "service_user_number": None},
            "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
            "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
            "card_payments": {
                "decline_on": {"avs_failure": False, "cvc_failure": False},
                "statement_descriptor_prefix": None,
                "statement_descriptor_prefix_kana": None,
                "statement_descriptor_prefix_kanji": None,
            },
            "dashboard": {"display_name": ACCOUNT_NAME, "timezone": "Etc/UTC"},
            "invoices": {"default_account_tax_ids": None, "hosted_payment_method_save": "offer"},
            "payments": {
                "statement_descriptor": STATEMENT_DESCRIPTOR,
                "statement_descriptor_kana": None,
                "statement_descriptor_kanji": None,
            },
            "payouts": {
                "debit_negative_balances": True,
                "schedule": {"delay_days": 2, "interval": "daily"},
                "statement_descriptor": None,
            },
            "sepa_debit_payments": {},
        },
        "type": "standard",
    }


def accessible(objects: Objects, account: str) -> Objects:
    """Return the objects of the account for which a call is made, the platform's own or a connected one's.

    Raises: Forbidden `account_invalid` for an account that is not connected.
    """
    if account != objects.account and objects.get("account", account) is None:
        raise _foreign(account)
    return objects.of(account)


def _foreign(account: str) -> Forbidden:
    return Forbidden(
        f"The provided key does not have access to account '{account}' (or that account does not exist).",
        code="account_invalid",
    )


def find_account(call: Call, account: str) -> JsonObject:
    """Return an account, the platform's own or a connected one.

    Raises: Forbidden `account_invalid`.
    """
    if account == ACCOUNT_ID:
        return the_account()
    found = call.objects.of(ACCOUNT_ID).get("account", account)
    if found is None:
        raise _foreign(account)
    return found


def _own(call: Call) -> JsonObject:
    return find_account(call, call.account)


def _retrieve(call: Call) -> JsonObject:
    return find_account(call, call.path["account"])


def _connected(call: Call) -> JsonObject:
    identifier = call.path["account"]
    if identifier == ACCOUNT_ID:
        raise InvalidRequest("You may only change accounts connected to your platform this way.", param="account")
    return find_account(call, identifier)


def _create(call: Call) -> JsonObject:
    if call.account != ACCOUNT_ID:
        raise InvalidRequest("Connected accounts cannot create accounts.")
    params = call.params
    if "type" in params and "controller" in params:
        raise InvalidRequest("You may only specify one of these parameters: type, controller.", param="controller")
    country = params.get("country", "DE")
    account = the_account() | {
        "id": new_id("acct_"),
        "business_type": params.get("business_type"),
        # No one is asked for documents here: a new account may take payments at once.
        "capabilities": dict.fromkeys(params.get("capabilities", {"card_payments": {}, "transfers": {}}), "active"),
        "controller": {
            "fees": {"payer": "account"},
            "is_controller": True,
            "losses": {"payments": "stripe"},
            "requirement_collection": "stripe",
            "stripe_dashboard": {"type": "full"},
            "type": "application",
        },
        "country": country,
        "created": call.now,
        "default_currency": params.get("default_currency", _CURRENCY_OF.get(country, "eur")),
        "email": params.get("email"),
        "type": params.get("type", "standard"),
    }
    account["business_profile"]["name"] = None
    _apply(account, params)
    call.objects.insert(account)
    return account


def _apply(account: JsonObject, params: JsonObject) -> None:
    account["business_profile"] |= params.get("business_profile", {})
    for name in ("business_type", "default_currency", "email"):
        if name in params:
            account[name] = params[name]
    account["capabilities"] |= {
        name: "active" if asked.get("requested", True) else "inactive"
        for name, asked in params.get("capabilities", {}).items()
    }
    if "metadata" in params:
        account["metadata"] = merge_metadata(account["metadata"], params["metadata"])


def _update(call: Call) -> JsonObject:
    account, before = (_connected(call) for _ in range(2))
    _apply(account, call.params)
    call.objects.of(ACCOUNT_ID).replace(account)
    if account != before:
        emit(call.of(account["id"]), "account.updated", account, before=before)
    return account


def _delete(call: Call) -> JsonObject:
    account = _connected(call)
    call.objects.of(ACCOUNT_ID).delete(account["id"])
    return {"id": account["id"], "object": "account", "deleted": True}


def _list(call: Call) -> JsonObject:
    return list_page(call, "account", url="/v1/accounts")


_CURRENCY_OF = {"CH": "chf", "DK": "dkk", "GB": "gbp", "JP": "jpy", "NO": "nok", "PL": "pln", "SE": "sek", "US": "usd"}

_ASKED = Hash({"requested": Flag()})
_SHARED = {
    "business_profile": Hash(
        {
            "mcc": Text(pattern="[0-9]{4}"),
            "name": Text(),
            "product_description": Text(),
            "support_email": Email(),
            "support_phone": Text(),
            "support_url": Url(clearable=True),
            "url": Url(),
        }
    ),
    "business_type": Choice(("company", "government_entity", "individual", "non_profit")),
    "capabilities": Hash(dict.fromkeys(("card_payments", "sepa_debit_payments", "transfers"), _ASKED)),
    "default_currency": CurrencyCode(),
    "email": Email(),
    "metadata": Metadata(),
}

_ITEM = "/v1/accounts/<account>"

ROUTES = (
    Route("GET", "/v1/account", _own, declare()),
    Route(
        "POST",
        "/v1/accounts",
        _create,
        declare(
            **_SHARED,
            controller=Hash(
                {
                    "fees": Hash({"payer": Choice(("account",))}),
                    "losses": Hash({"payments": Choice(("stripe",))}),
                    "requirement_collection": Choice(("stripe",)),
                    "stripe_dashboard": Hash({"type": Choice(("full",))}),
                }
            ),
            country=Text(pattern="[A-Z]{2}"),
            type=Choice(("standard",)),
        ),
    ),
    Route("GET", "/v1/accounts", _list, declare_list(created=TIME_RANGE)),
    Route("GET", _ITEM, _retrieve, declare()),
    Route("POST", _ITEM, _update, declare(**_SHARED)),
    Route("DELETE", _ITEM, _delete, declare()),
)
