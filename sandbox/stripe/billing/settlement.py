"""How a total meets the customer's balance, and what is left to be paid.

Source: https://docs.stripe.com/billing/customer/balance.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.stripe.currencies import MINIMUM_CHARGE


@dataclass(frozen=True)
class Settlement:
    """What an invoice asks for and leaves on the balance; negative balances are credit, in minor units."""

    amount_due: int
    ending_balance: int


def settle(total: int, balance: int, currency: str) -> Settlement:
    """Return what is due of `total` with `balance` applied to it; due and balance always add up to both.

    Credit above the total stays on the balance. What is too little to be charged is put on it instead.
    """
    together = total + balance
    if together <= 0:
        return Settlement(0, together)
    if together < MINIMUM_CHARGE.get(currency, 1):
        return Settlement(0, together)
    return Settlement(together, 0)
