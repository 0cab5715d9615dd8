"""Test cards: numbers, the identifiers that stand for them and what happens when they are charged.

Source: https://docs.stripe.com/testing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


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
    ALWAYS = "always"


@dataclass(frozen=True)
class Card:
    """A test card; `aliases` follow `pm_card_` or `tok_`."""

    number: str
    brand: str
    aliases: tuple[str, ...] = ()
    funding: str = "credit"
    country: str = "US"
    decline: Decline | None = None
    authentication: Authentication = Authentication.NEVER
    attachable: bool = True

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
    Card("4000000000003220", "visa", ("threeDSecure2Required", "threeDSecureRequired"), authentication=_ALWAYS),
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
