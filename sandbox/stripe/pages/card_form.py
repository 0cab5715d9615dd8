"""The card fields of the hosted pages: read, checked, never sent back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from werkzeug.wrappers import Request

from sandbox.stripe import payment_methods
from sandbox.stripe.calls import Work
from sandbox.stripe.cards import Card

_EXPIRY = re.compile(r"\s*(\d{1,2})\s*[/ -]?\s*(\d{4}|\d{2})\s*")

FIELD_OF_CODE = {
    "incorrect_number": "card_number",
    "invalid_expiry_year": "expiry",
    "invalid_expiry_month": "expiry",
    "invalid_cvc": "cvc",
    "incorrect_cvc": "cvc",
    "expired_card": "expiry",
    "invalid_bank_account_iban": "iban",
    "account_number_invalid": "iban",
}
"""The field to point at for an error's code."""

SHOWN_CARDS = (
    ("4242 4242 4242 4242", "Pays"),
    ("4000 0025 0000 3155", "Asks for 3-D Secure"),
    ("4000 0000 0000 0002", "Is declined"),
    ("4000 0000 0000 9995", "Has insufficient funds"),
    ("4000 0000 0000 0069", "Has expired"),
    ("4000 0000 0000 0127", "Has another CVC"),
    ("4000 0000 0000 0341", "Is kept, then declined"),
    ("4000 0000 0000 0259", "Pays, then is disputed"),
)
"""The test cards which the pages offer, with what they do."""

SHOWN_ACCOUNTS = (
    ("DE89 3704 0044 0532 0130 00", "Is debited soon"),
    ("DE62 3704 0044 0532 0130 01", "Fails soon"),
    ("DE35 3704 0044 0532 0130 02", "Is debited, then disputed"),
)
"""The test bank accounts which the payment page offers, with what they do."""


@dataclass
class CardForm:
    """What the customer typed and what is wrong with it."""

    email: str = ""
    name: str = ""
    code: str = ""
    problem: str | None = None
    wrong: str | None = None
    number: str = field(default="", repr=False)
    expiry: str = field(default="", repr=False)
    cvc: str = field(default="", repr=False)
    iban: str = field(default="", repr=False)

    @property
    def month(self) -> int:
        """The month of expiry; 0 when the date is none."""
        expiry = _EXPIRY.fullmatch(self.expiry)
        return int(expiry[1]) if expiry else 0

    @property
    def year(self) -> int:
        """The year of expiry in four digits; 0 when the date is none."""
        expiry = _EXPIRY.fullmatch(self.expiry)
        return payment_methods.full_year(int(expiry[2])) if expiry else 0

    def checked(self, work: Work) -> Card | None:
        """Return the test card that was typed, or None with `problem` and `wrong` saying what is missing.

        Raises: CardError for a wrong number, date or security code.
        """
        if not 1 <= self.month <= 12:
            self.problem, self.wrong = "Enter the card's expiry date as month / year.", "expiry"
            return None
        if not self.cvc:
            self.problem, self.wrong = "Enter the card's security code.", "cvc"
            return None
        return payment_methods.checked_card(work, self.number, self.month, self.year, self.cvc)


def read_card(request: Request) -> CardForm:
    """Return what was typed, blanks around it apart."""

    def given(name: str) -> str:
        return request.form.get(name, "").strip()[:200]

    return CardForm(
        email=given("email"),
        name=given("name"),
        code=given("promotion_code"),
        number=given("card_number"),
        expiry=given("expiry"),
        cvc=given("cvc"),
        iban=given("iban"),
    )
