"""Test cards: numbers, the identifiers that stand for them and what happens when they are charged.

Source: https://docs.stripe.com/testing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal


@dataclass(frozen=True)
class Decline:
    """How the issuer refuses."""

    code: str
    message: str
    decline_code: str | None = None
    blocked: bool = False


class Authentication(Enum):
    """When a card asks for 3-D Secure."""

    NEVER = "never"
    UNLESS_SET_UP = "unless_set_up"
    ON_SESSION = "on_session"
    ALWAYS = "always"


@dataclass(frozen=True)
class Card:
    """A test card; `aliases` follow `pm_card_` or `tok_`.

    `dispute` is the reason for which a payment is disputed at once, only asked about with `inquiry`; `refund` says
    whether a refund is `pending` first or `fails`; the checks are what the issuer says of CVC and address.
    """

    number: str
    brand: str
    aliases: tuple[str, ...] = ()
    funding: str = "credit"
    country: str = "US"
    decline: Decline | None = None
    authentication: Authentication = Authentication.NEVER
    attachable: bool = True
    dispute: str | None = None
    inquiry: bool = False
    refund: Literal["succeeds", "pending", "fails"] = "succeeds"
    available_at_once: bool = False
    risk: Literal["normal", "elevated", "highest"] = "normal"
    cvc_check: str = "pass"
    line1_check: str | None = None
    postal_code_check: str | None = None

    @property
    def last4(self) -> str:
        """The last four digits."""
        return self.number[-4:]


_REFUSED = "Your card was declined."


def _declined(decline_code: str, message: str = _REFUSED, *, blocked: bool = False) -> Decline:
    return Decline("card_declined", message, decline_code, blocked)


_GENERIC = _declined("generic_decline")
_FUNDS = _declined("insufficient_funds", "Your card has insufficient funds.")
_VELOCITY = _declined("card_velocity_exceeded", "Your card was declined for making repeated attempts too often.")
_EXPIRED = Decline("expired_card", "Your card has expired.")
_CVC = Decline("incorrect_cvc", "Your card's security code is incorrect.")
_PROCESSING = Decline("processing_error", "An error occurred while processing your card. Try again in a little bit.")

AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    "authentication_required",
)

LIVE_CARD = _declined(
    "test_mode_live_card", "Your card was declined. The request was in test mode, but the card is not a test card."
)

_ALWAYS = Authentication.ALWAYS

_BY_COUNTRY = {
    "AE": "4000007840000001",
    "AT": "4000000400000008",
    "AU": "4000000360000006",
    "BE": "4000000560000004",
    "BG": "4000001000000000",
    "BR": "4000000760000002",
    "CA": "4000001240000000",
    "CH": "4000007560000009",
    "CY": "4000001960000008",
    "CZ": "4000002030000002",
    "DK": "4000002080000001",
    "EE": "4000002330000009",
    "ES": "4000007240000007",
    "FI": "4000002460000001",
    "GI": "4000002920000005",
    "GR": "4000003000000030",
    "HK": "4000003440000004",
    "HR": "4000001910000009",
    "HU": "4000003480000005",
    "IE": "4000003720000005",
    "IN": "4000003560000008",
    "IT": "4000003800000008",
    "JP": "4000003920000003",
    "LI": "4000004380000004",
    "LT": "4000004400000000",
    "LU": "4000004420000006",
    "LV": "4000004280000005",
    "MT": "4000004700000007",
    "MX": "4000004840008001",
    "NL": "4000005280000002",
    "NO": "4000005780000007",
    "NZ": "4000005540000008",
    "PL": "4000006160000005",
    "PT": "4000006200000007",
    "RO": "4000006420000001",
    "SE": "4000007520000008",
    "SG": "4000007020000003",
    "SI": "4000007050000006",
    "SK": "4000007030000001",
}

CARDS: tuple[Card, ...] = (
    Card("4242424242424242", "visa", ("visa",)),
    Card("4000056655665556", "visa", ("visa_debit",), "debit"),
    Card("5555555555554444", "mastercard", ("mastercard",)),
    Card("2223003122003222", "mastercard"),
    Card("5200828282828210", "mastercard", ("mastercard_debit",), "debit"),
    Card("5105105105105100", "mastercard", ("mastercard_prepaid",), "prepaid"),
    Card("378282246310005", "amex", ("amex",)),
    Card("371449635398431", "amex"),
    Card("6011111111111117", "discover", ("discover",)),
    Card("3056930009020004", "diners", ("diners",)),
    Card("3566002020360505", "jcb", ("jcb",)),
    Card("6200000000000005", "unionpay", ("unionpay",)),
    Card("4000002760000016", "visa", ("de",), country="DE"),
    Card("4000008260000000", "visa", ("gb",), country="GB"),
    Card("4000002500000003", "visa", ("fr",), country="FR"),
    Card("4000000000000002", "visa", ("visa_chargeDeclined", "chargeDeclined"), decline=_GENERIC, attachable=False),
    Card(
        "4000000000009995",
        "visa",
        ("visa_chargeDeclinedInsufficientFunds", "chargeDeclinedInsufficientFunds"),
        decline=_FUNDS,
        attachable=False,
    ),
    Card(
        "4000000000009987",
        "visa",
        ("visa_chargeDeclinedLostCard", "chargeDeclinedLostCard"),
        decline=_declined("lost_card"),
        attachable=False,
    ),
    Card(
        "4000000000009979",
        "visa",
        ("visa_chargeDeclinedStolenCard", "chargeDeclinedStolenCard"),
        decline=_declined("stolen_card"),
        attachable=False,
    ),
    Card("4000000000000069", "visa", ("chargeDeclinedExpiredCard",), decline=_EXPIRED, attachable=False),
    Card("4000000000000127", "visa", ("chargeDeclinedIncorrectCvc",), decline=_CVC, attachable=False),
    Card("4000000000000119", "visa", ("chargeDeclinedProcessingError",), decline=_PROCESSING, attachable=False),
    Card(
        "4000000000006975",
        "visa",
        ("visa_chargeDeclinedVelocityLimitExceeded", "chargeDeclinedVelocityLimitExceeded"),
        decline=_VELOCITY,
        attachable=False,
    ),
    Card("4000000000000341", "visa", ("chargeCustomerFail",), decline=_GENERIC),
    Card("4100000000000019", "visa", ("radarBlock",), decline=_declined("fraudulent", blocked=True)),
    Card(
        "4000002500003155",
        "visa",
        ("authenticationRequiredOnSetup",),
        authentication=Authentication.UNLESS_SET_UP,
    ),
    Card("4000002760003184", "visa", ("authenticationRequired",), authentication=_ALWAYS, country="DE"),
    Card("4000000000003220", "visa", ("threeDSecure2Required",), authentication=_ALWAYS),
    Card(
        "4000008260003178",
        "visa",
        ("authenticationRequiredChargeDeclinedInsufficientFunds",),
        authentication=_ALWAYS,
        decline=_FUNDS,
        country="GB",
    ),
    Card(
        "4000008400001629",
        "visa",
        ("threeDSecureRequiredChargeDeclined",),
        authentication=_ALWAYS,
        decline=_GENERIC,
    ),
    Card("4000000000003055", "visa", ("threeDSecureOptional",)),
    Card("4000000000003063", "visa", ("threeDSecureRequired",), authentication=_ALWAYS),
    Card(
        "4000003800000446",
        "visa",
        ("authenticationRequiredSetupForOffSession",),
        authentication=Authentication.ON_SESSION,
    ),
    Card(
        "4000008400001280",
        "visa",
        ("threeDSecureRequiredProcessingError",),
        authentication=_ALWAYS,
        decline=_declined("authentication_not_handled"),
    ),
    Card("4000000000000077", "visa", ("bypassPending",), available_at_once=True),
    Card("4000003720000278", "visa", ("bypassPendingInternational",), country="IE", available_at_once=True),
    Card("4000000000000259", "visa", ("createDispute",), dispute="fraudulent"),
    Card("4000000000002685", "visa", ("createDisputeProductNotReceived",), dispute="product_not_received"),
    Card("4000000000001976", "visa", ("createDisputeInquiry",), dispute="general", inquiry=True),
    Card("4000000000007726", "visa", ("pendingRefund",), refund="pending"),
    Card("4000000000005126", "visa", ("refundFail",), refund="fails"),
    Card("4000000000000101", "visa", ("cvcCheckFail",), cvc_check="fail"),
    Card("4000000000000036", "visa", ("avsZipFail",), line1_check="pass", postal_code_check="fail"),
    Card("4000000000000028", "visa", ("avsLine1Fail",), line1_check="fail", postal_code_check="pass"),
    Card("4000000000000010", "visa", ("avsFail",), line1_check="fail", postal_code_check="fail"),
    Card("4000000000000044", "visa", ("avsUnchecked",), line1_check="unavailable", postal_code_check="unavailable"),
    Card("4000000000004954", "visa", ("riskLevelHighest",), risk="highest"),
    Card("4000000000009235", "visa", ("riskLevelElevated",), risk="elevated"),
    *(Card(number, "visa", (country.lower(),), country=country) for country, number in _BY_COUNTRY.items()),
)

_BY_NUMBER = {card.number: card for card in CARDS}
_BY_ALIAS = {alias: card for card in CARDS for alias in card.aliases}


def by_number(number: str) -> Card | None:
    """Return the test card with that number; None when it is not a test card."""
    return _BY_NUMBER.get(number)


def by_alias(identifier: str) -> Card | None:
    """Return the card that `pm_card_visa` or `tok_visa` stands for."""
    for prefix in ("pm_card_", "tok_"):
        if identifier.startswith(prefix):
            return _BY_ALIAS.get(identifier.removeprefix(prefix))
    return None


def passes_luhn(number: str) -> bool:
    """Return whether the check digit is right (ISO/IEC 7812-1)."""
    if not (number.isascii() and number.isdecimal() and 12 <= len(number) <= 19):
        return False
    total = 0
    for index, character in enumerate(reversed(number)):
        digit = int(character) * (2 if index % 2 else 1)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0
