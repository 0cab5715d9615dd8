"""Test bank accounts for SEPA Direct Debit: IBANs and how a debit of them ends.

Source: https://docs.stripe.com/payments/sepa-debit/accept-a-payment#test-integration.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SOON = 2.0
LATER = 180.0
"""After how many seconds a debit is known to have succeeded or failed."""


@dataclass(frozen=True)
class BankAccount:
    """A test account; `succeeds` says how a debit ends, `after` when, in seconds."""

    iban: str
    succeeds: bool = True
    after: float = SOON
    disputed: bool = False

    @property
    def country(self) -> str:
        """The country in which the account is held."""
        return self.iban[:2]

    @property
    def last4(self) -> str:
        """The last four digits."""
        return self.iban[-4:]

    @property
    def bank_code(self) -> str:
        """The part that names the bank."""
        return self.iban[4:12] if self.country == "DE" else self.iban[4:9]


ACCOUNTS = (
    BankAccount("DE89370400440532013000"),
    BankAccount("DE08370400440532013003", after=LATER),
    BankAccount("DE62370400440532013001", succeeds=False),
    BankAccount("DE78370400440532013004", succeeds=False, after=LATER),
    BankAccount("DE35370400440532013002", disputed=True),
    BankAccount("AT611904300234573201"),
    BankAccount("AT321904300235473204", after=LATER),
    BankAccount("AT861904300235473202", succeeds=False),
    BankAccount("AT051904300235473205", succeeds=False, after=LATER),
)

_BY_IBAN = {account.iban: account for account in ACCOUNTS}

_BY_ALIAS = {
    "pm_sepaDebit_success": ACCOUNTS[0],
    "pm_sepaDebit_successDelayed": ACCOUNTS[1],
    "pm_sepaDebit_failure": ACCOUNTS[2],
    "pm_sepaDebit_failureDelayed": ACCOUNTS[3],
    "pm_sepaDebit_dispute": ACCOUNTS[4],
}
"""Names of our own; Stripe has none for these accounts."""


def by_iban(text: str) -> BankAccount | None:
    """Return the test account with that IBAN, spaces apart; None when it is not a test account."""
    return _BY_IBAN.get(re.sub(r"\s", "", text).upper())


def by_alias(identifier: str) -> BankAccount | None:
    """Return the account that a name such as `pm_sepaDebit_success` stands for."""
    return _BY_ALIAS.get(identifier)


def is_iban(text: str) -> bool:
    """Return whether form and check digits are those of an IBAN (ISO 13616)."""
    iban = re.sub(r"\s", "", text).upper()
    if re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", iban) is None:
        return False
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 == 1
