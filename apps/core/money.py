"""Money: integer minor units with an ISO 4217 currency; never a float."""

import re
from collections.abc import Sequence
from copy import copy
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from babel import Locale
from iso4217 import Currency

# A bigint holds 9.2e18; the margin lets a million such amounts be summed without overflow.
MAX_MINOR = 10**12
_LETTER_BESIDE_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


class UnknownCurrency(ValueError):
    """Not an active ISO 4217 currency with 0, 2 or 3 decimals."""


@cache
def exponent(currency: str) -> int:
    """Decimals of `currency` by ISO 4217: 2 for EUR, 0 for JPY, 3 for KWD.

    Raises:
        UnknownCurrency: no such currency, or one without minor units that people pay in (XAU, XXX).
    """
    try:
        digits = Currency(currency.upper()).exponent
    except (ValueError, AttributeError) as error:
        raise UnknownCurrency(currency) from error
    if digits not in (0, 2, 3):
        raise UnknownCurrency(currency)
    return int(digits)


def is_currency(code: str) -> bool:
    """Whether `code` is an upper-case currency code that the product accepts."""
    try:
        exponent(code)
    except UnknownCurrency:
        return False
    return code == code.upper() and len(code) == 3


def round_half_up(amount: Decimal) -> int:
    """To the nearest whole minor unit, halves away from zero, as tax law and EN 16931 expect."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def allocate(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """Split an amount over weights by largest remainder: the parts sum to the amount and no cent is lost.

    All-zero weights put everything on the first part. Ties go to the earlier part.

    Raises:
        ValueError: there are no weights, or one is negative.
    """
    if not weights:
        raise ValueError("Nothing to allocate over.")
    if any(weight < 0 for weight in weights):
        raise ValueError("Weights must not be negative.")
    total = sum(weights)
    if total == 0:
        return [amount_minor] + [0] * (len(weights) - 1)
    sign = -1 if amount_minor < 0 else 1
    shares = [divmod(abs(amount_minor) * weight, total) for weight in weights]
    parts = [share for share, _ in shares]
    left = abs(amount_minor) - sum(parts)
    for index in sorted(range(len(shares)), key=lambda i: (-shares[i][1], i))[:left]:
        parts[index] += 1
    return [sign * part for part in parts]


def to_decimal(amount_minor: int, currency: str) -> Decimal:
    """Major units: 1999 EUR → Decimal("19.99")."""
    return Decimal(amount_minor).scaleb(-exponent(currency))


def format_minor(amount_minor: int, currency: str, locale: str = "en") -> str:
    """For people, by CLDR's pattern of `locale` with ISO 4217's digits: ``€1,999.00``, ``1.999,00 €``."""
    babel_locale = Locale.parse(locale.replace("-", "_"))
    digits = exponent(currency)
    pattern = copy(babel_locale.currency_formats["standard"])
    pattern.frac_prec = (digits, digits)
    shown = pattern.apply(to_decimal(amount_minor, currency), babel_locale, currency=currency, currency_digits=False)
    # CLDR's currencySpacing, which Babel leaves out: "CHF 5.00", not "CHF5.00".
    return _LETTER_BESIDE_DIGIT.sub("\u00a0", str(shown))
