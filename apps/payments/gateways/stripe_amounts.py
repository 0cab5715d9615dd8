"""Amounts in Stripe's own minor units, which differ from ISO 4217's for a few currencies.

Source: https://docs.stripe.com/currencies (zero-decimal, three-decimal and special cases).
"""

from apps.core.money import exponent
from apps.payments.errors import GatewayRefused

# ISO gives the króna and the shilling no decimals and the ariary two; Stripe keeps the opposite for old callers.
_DIGITS = {"ISK": 2, "UGX": 2, "MGA": 0}


def to_stripe(amount_minor: int, currency: str) -> int:
    """Our minor units as Stripe's.

    Raises:
        GatewayRefused: Stripe cannot charge exactly this amount.
    """
    shift = _shift(currency)
    if shift >= 0:
        amount = amount_minor * 10**shift
    else:
        amount, rest = divmod(amount_minor, 10**-shift)
        if rest:
            raise GatewayRefused(f"Online payments in {currency} take whole units only.")
    if exponent(currency) == 3 and amount % 10:
        raise GatewayRefused(f"Online payments in {currency} take two decimals only.")
    return amount


def from_stripe(amount: int, currency: str) -> int:
    """Stripe's minor units as ours."""
    shift = _shift(currency)
    return amount // 10**shift if shift >= 0 else amount * 10**-shift


def _shift(currency: str) -> int:
    digits = exponent(currency)
    return _DIGITS.get(currency, digits) - digits
