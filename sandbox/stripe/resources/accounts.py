"""The one account behind every key.

Source: https://docs.stripe.com/api/accounts/object.
"""

from __future__ import annotations

from sandbox.stripe.calls import Call
from sandbox.stripe.configuration import ACCOUNT_ID, ACCOUNT_NAME
from sandbox.stripe.errors import Forbidden
from sandbox.stripe.parameters import declare
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


def _own(call: Call) -> JsonObject:
    return the_account()


def _retrieve(call: Call) -> JsonObject:
    if call.path["account"] != ACCOUNT_ID:
        raise Forbidden(
            f"The provided key does not have access to account '{call.path['account']}' (or that account does not"
            " exist).",
            code="account_invalid",
        )
    return the_account()


ROUTES = (
    Route("GET", "/v1/account", _own, declare()),
    Route("GET", "/v1/accounts/<account>", _retrieve, declare()),
)
