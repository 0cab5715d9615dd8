"""Payment methods: cards and bank accounts, made from test numbers, tokens and the `pm_card_…` identifiers.

Source: https://docs.stripe.com/api/payment_methods.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

from sandbox.stripe import bank_accounts
from sandbox.stripe.bank_accounts import BankAccount
from sandbox.stripe.calls import Work
from sandbox.stripe.cards import LIVE_CARD, Card, Decline, by_alias, by_number, passes_luhn
from sandbox.stripe.errors import CardError, InvalidRequest, StripeError, no_such
from sandbox.stripe.events import emit
from sandbox.stripe.identifiers import new_id, token
from sandbox.stripe.parameters import (
    ADDRESS,
    Choice,
    Email,
    Hash,
    Integer,
    Metadata,
    Text,
    full_address,
    merge_metadata,
)
from sandbox.stripe.shapes import JsonObject

BILLING = Hash(
    {
        "address": ADDRESS,
        "email": Email(clearable=True),
        "name": Text(clearable=True),
        "phone": Text(clearable=True),
        "tax_id": Text(),
    }
)
REDISPLAY = Choice(("always", "limited", "unspecified"))
MONTH = Integer(least=1, most=12)

DATA = Hash(
    {
        "type": Choice(("card", "sepa_debit")),
        "sepa_debit": Hash({"iban": Text()}, required=frozenset({"iban"})),
        "card": Hash({"number": Text(), "exp_month": MONTH, "exp_year": Integer(), "cvc": Text(), "token": Text()}),
        "billing_details": BILLING,
        "allow_redisplay": REDISPLAY,
        "metadata": Metadata(),
    },
    required=frozenset({"type"}),
)
"""The parameters that a payment method is made of."""


class RefusedCardData(CardError):
    """The card's own data are wrong, so nothing was made of them (402)."""

    keeps_changes = False


def declined(decline: Decline, *, param: str | None = None, **extra: object) -> CardError:
    """Return the error for a card that refuses, without any attempt having been recorded."""
    if decline.decline_code is not None:
        extra["decline_code"] = decline.decline_code
    return RefusedCardData(decline.message, code=decline.code, param=param, extra=extra)


def new_payment_method(work: Work, card: Card, given: JsonObject, *, month: int, year: int) -> JsonObject:
    """Store a payment method for a test card; return it."""
    method = _new(work, given) | {
        "card": {
            "brand": card.brand,
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "unchecked"},
            "country": card.country,
            "display_brand": "american_express" if card.brand == "amex" else card.brand,
            "exp_month": month,
            "exp_year": year,
            "fingerprint": hashlib.sha256(card.number.encode()).hexdigest()[:16],
            "funding": card.funding,
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "type": "card",
    }
    work.objects.insert(method, {"number": card.number})
    return method


def new_bank_account(work: Work, account: BankAccount, given: JsonObject) -> JsonObject:
    """Store a payment method for a test bank account; return it."""
    method = _new(work, given) | {
        "sepa_debit": {
            "bank_code": account.bank_code,
            "branch_code": None,
            "country": account.country,
            "fingerprint": hashlib.sha256(account.iban.encode()).hexdigest()[:16],
            "generated_from": {"charge": None, "setup_attempt": None},
            "last4": account.last4,
        },
        "type": "sepa_debit",
    }
    work.objects.insert(method, {"iban": account.iban})
    return method


def _new(work: Work, given: JsonObject) -> JsonObject:
    billing = given.get("billing_details") or {}
    return {
        "id": new_id("pm_"),
        "object": "payment_method",
        "allow_redisplay": given.get("allow_redisplay", "unspecified"),
        "billing_details": {
            "address": full_address(billing.get("address") or {}),
            "email": billing.get("email"),
            "name": billing.get("name"),
            "phone": billing.get("phone"),
            "tax_id": billing.get("tax_id"),
        },
        "created": work.now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": merge_metadata({}, given.get("metadata") or {}),
    }


def checks_of(card: Card) -> JsonObject:
    """Return what the issuer says of the card's security code and address."""
    return {
        "address_line1_check": card.line1_check,
        "address_postal_code_check": card.postal_code_check,
        "cvc_check": card.cvc_check,
    }


def authenticated() -> JsonObject:
    """Return what is kept of a 3-D Secure challenge that was passed."""
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": token(36),
        "version": "2.2.0",
    }


def from_iban(work: Work, iban: str, given: JsonObject) -> JsonObject:
    """Store a payment method for the bank account; return it.

    Raises: InvalidRequest `invalid_bank_account_iban` for anything but a test account's number; `parameter_missing`
        without the holder's name and e-mail.
    """
    billing = given.get("billing_details") or {}
    for name in ("name", "email"):
        if not billing.get(name):
            param = f"billing_details[{name}]"
            raise InvalidRequest(f"Missing required param: {param}.", code="parameter_missing", param=param)
    if not bank_accounts.is_iban(iban):
        raise InvalidRequest(
            "The IBAN you provided is invalid.", code="invalid_bank_account_iban", param="sepa_debit[iban]"
        )
    account = bank_accounts.by_iban(iban)
    if account is None:
        raise InvalidRequest(
            "You cannot use a live bank account number when making transfers or debits in test mode.",
            code="account_number_invalid",
            param="sepa_debit[iban]",
        )
    return new_bank_account(work, account, given)


def from_data(work: Work, given: JsonObject) -> JsonObject:
    """Store a payment method for the card data which a request sent; return it.

    Raises: CardError for wrong numbers, dates and live cards; InvalidRequest for missing members.
    """
    if given.get("type") == "sepa_debit":
        if "sepa_debit" not in given:
            raise InvalidRequest("Missing required param: sepa_debit.", code="parameter_missing", param="sepa_debit")
        return from_iban(work, given["sepa_debit"]["iban"], given)
    data = given.get("card")
    if data is None:
        raise InvalidRequest("Missing required param: card.", code="parameter_missing", param="card")
    year_now = datetime.fromtimestamp(work.now, UTC).year
    if "token" in data:
        card = by_alias(data["token"])
        if card is None:
            raise no_such("token", data["token"], param="card[token]", in_path=False)
        return new_payment_method(work, card, given, month=12, year=year_now + 1)
    for name in ("number", "exp_month", "exp_year"):
        if name not in data:
            raise InvalidRequest(
                f"Missing required param: card[{name}].", code="parameter_missing", param=f"card[{name}]"
            )
    card = checked_card(work, data["number"], data["exp_month"], data["exp_year"], data.get("cvc"))
    return new_payment_method(work, card, given, month=data["exp_month"], year=full_year(data["exp_year"]))


def full_year(year: int) -> int:
    """Return the year in four digits."""
    return year + 2000 if year < 100 else year


def checked_card(work: Work, number: str, month: int, year: int, cvc: str | None) -> Card:
    """Return the test card with these data.

    Raises: CardError `incorrect_number`, `invalid_expiry_year`, `invalid_expiry_month`, `invalid_cvc`, or
        `card_declined` for a number that is not a test card's.
    """
    number = re.sub(r"[ -]", "", number)
    if not passes_luhn(number):
        raise RefusedCardData("Your card number is incorrect.", code="incorrect_number", param="number")
    today = datetime.fromtimestamp(work.now, UTC)
    year = full_year(year)
    if not today.year <= year <= today.year + 50:
        raise RefusedCardData("Your card's expiration year is invalid.", code="invalid_expiry_year", param="exp_year")
    if (year, month) < (today.year, today.month):
        raise RefusedCardData(
            "Your card's expiration month is invalid.", code="invalid_expiry_month", param="exp_month"
        )
    card = by_number(number)
    expected = "[0-9]{4}" if card is not None and card.brand == "amex" else "[0-9]{3}"
    if cvc is not None and re.fullmatch(expected, cvc) is None:
        raise RefusedCardData("Your card's security code is invalid.", code="invalid_cvc", param="cvc")
    if card is None:
        raise declined(LIVE_CARD)
    return card


def usable(work: Work, identifier: str, *, param: str) -> JsonObject:
    """Return the payment method, made afresh when `identifier` is one of the `pm_card_…` or `pm_sepaDebit_…`.

    Raises: InvalidRequest `resource_missing`.
    """
    account = bank_accounts.by_alias(identifier)
    if account is not None:
        holder = {"billing_details": {"name": "Sandbox Customer", "email": "customer@example.com"}}
        return new_bank_account(work, account, holder)
    card = by_alias(identifier) if identifier.startswith("pm_card_") else None
    if card is None:
        return work.require("payment_method", identifier, param=param)
    year = datetime.fromtimestamp(work.now, UTC).year + 1
    return new_payment_method(work, card, {}, month=12, year=year)


def card_of(work: Work, method: JsonObject) -> Card:
    """Return the test card behind a stored payment method."""
    card = by_number(work.objects.hidden(method["id"])["number"])
    if card is None:
        raise LookupError(f"payment method {method['id']} has no test card")
    return card


def bank_account_of(work: Work, method: JsonObject) -> BankAccount:
    """Return the test bank account behind a stored payment method."""
    account = bank_accounts.by_iban(work.objects.hidden(method["id"])["iban"])
    if account is None:
        raise LookupError(f"payment method {method['id']} has no test account")
    return account


def require_attached(work: Work, identifier: str, customer_id: str, *, param: str, in_path: bool = False) -> JsonObject:
    """Return the payment method if it is the customer's.

    Raises: StripeError `resource_missing`.
    """
    method = work.objects.get("payment_method", identifier)
    if method is None or method["customer"] != customer_id:
        error: StripeError = no_such("payment_method", identifier, param=param, in_path=in_path)
        raise error
    return method


def attach(work: Work, method: JsonObject, customer_id: str) -> JsonObject:
    """Attach the method to the customer and tell it; return it.

    Raises: CardError when the card refuses to be kept; InvalidRequest when it is another customer's or was used.
    """
    if method["customer"] == customer_id:
        return method
    if method["customer"] is not None:
        raise InvalidRequest("The payment method you provided has already been attached to a customer.")
    if work.objects.hidden(method["id"]).get("spent"):
        raise InvalidRequest(
            "This PaymentMethod was used without being attached to a Customer, or was detached from one, and cannot"
            " be used again."
        )
    if method["type"] == "card":
        card = card_of(work, method)
        if card.decline is not None and not card.attachable:
            raise declined(card.decline)
        method["card"]["checks"] = checks_of(card)
    method["customer"] = customer_id
    work.objects.replace(method)
    emit(work, "payment_method.attached", method)
    return method


def detach(work: Work, method: JsonObject) -> JsonObject:
    """Take the method from its customer for good and tell it; return it."""
    before = {"customer": method["customer"]}
    customer = work.objects.get("customer", method["customer"])
    method["customer"] = None
    work.objects.replace(method)
    work.objects.hide(method["id"], spent=True)
    if customer is not None and customer["invoice_settings"]["default_payment_method"] == method["id"]:
        customer["invoice_settings"]["default_payment_method"] = None
        work.objects.replace(customer)
    emit(work, "payment_method.detached", method, before=method | before)
    return method
