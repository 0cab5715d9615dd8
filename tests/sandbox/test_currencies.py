"""Amounts as people read them, and what may be charged."""

from __future__ import annotations

import pytest

from sandbox.stripe.currencies import (
    CURRENCIES,
    THREE_DECIMAL,
    ZERO_DECIMAL,
    check_charge_amount,
    processing_fee,
    written,
)
from sandbox.stripe.errors import InvalidRequest


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (123456, "eur", "€1,234.56"),
        (5, "usd", "$0.05"),
        (1200, "jpy", "¥1,200"),
        (1230, "kwd", "KWD\N{NO-BREAK SPACE}1.230"),
        (-700, "eur", "−€7.00"),
    ],
)
def test_amounts_are_written_with_their_digits(amount: int, currency: str, text: str) -> None:
    assert written(amount, currency) == text


@pytest.mark.parametrize(("amount", "currency"), [(50, "eur"), (50, "jpy"), (1230, "kwd"), (200, "isk"), (1, "clp")])
def test_these_can_be_charged(amount: int, currency: str) -> None:
    check_charge_amount(amount, currency, param="amount")


@pytest.mark.parametrize(
    ("amount", "currency"), [(49, "eur"), (49, "jpy"), (1231, "kwd"), (150, "isk"), (0, "clp"), (100_000_000, "usd")]
)
def test_these_cannot(amount: int, currency: str) -> None:
    with pytest.raises(InvalidRequest):
        check_charge_amount(amount, currency, param="amount")


def test_the_fee_is_rounded_half_up() -> None:
    assert [processing_fee(amount, "eur") for amount in (1000, 1017, 1018, 10_000)] == [59, 59, 60, 320]
    assert processing_fee(1000, "jpy") == 59
    assert processing_fee(10_000, "kwd") == 590


def test_the_lists_do_not_overlap() -> None:
    assert not ZERO_DECIMAL & THREE_DECIMAL
    assert {"eur", "usd", "gbp", "chf", "jpy", "kwd"} <= CURRENCIES and len(CURRENCIES) > 130
