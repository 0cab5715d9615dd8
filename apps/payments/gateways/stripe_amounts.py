"""Amounts in Stripe's own minor units, which differ from ISO 4217's for a few currencies.

Source: https://docs.stripe.com/currencies (zero-decimal, three-decimal and special cases).
"""

from apps.core.money import exponent
from apps.payments.errors import GatewayRefused

# ISO gives the króna and the shilling no decimals and the ariary two; Stripe keeps the opposite for old callers.
_DIGITS = {"ISK": 2, "UGX": 2, "MGA": 0}
_POWERS = (1, 10, 100, 1000)


def to_stripe(amount_minor: int, currency: str) -> int:
    """Our minor units as Stripe's.

    Raises:
        GatewayRefused: Stripe cannot charge exactly this amount.
    """
    times, per = _ratio(currency)
    amount, rest = divmod(amount_minor * times, per)
    if rest:
        raise GatewayRefused(f"Online payments in {currency} take whole units only.")
    if exponent(currency) == 3 and amount % 10:
        raise GatewayRefused(f"Online payments in {currency} take two decimals only.")
    return amount


def from_stripe(amount: int, currency: str) -> int:
    """Stripe's minor units as ours."""
    times, per = _ratio(currency)
    return amount * per // times


def _ratio(currency: str) -> tuple[int, int]:
    """How many of Stripe's units make how many of ours."""
    digits = exponent(currency)
    stripes = _DIGITS.get(currency, digits)
    return _POWERS[max(stripes - digits, 0)], _POWERS[max(digits - stripes, 0)]
