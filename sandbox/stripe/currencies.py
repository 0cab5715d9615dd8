"""Currencies: minor-unit digits, smallest charges and how an amount is written.

Source: https://docs.stripe.com/currencies (zero- and three-decimal currencies, minimum and maximum charges).
"""

from __future__ import annotations

from sandbox.stripe.errors import InvalidRequest

ZERO_DECIMAL = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
)
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})

WHOLE_UNITS_ONLY = frozenset({"isk", "ugx"})
"""Currencies without a minor unit that Stripe nevertheless writes with two digits."""

_TWO_DECIMAL = """
aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc cve
czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes kgs khr kyd kzt
lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln
qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah ugx usd uyu uzs wst xcd
yer zar zmw
"""
CURRENCIES = frozenset(_TWO_DECIMAL.split()) | ZERO_DECIMAL | THREE_DECIMAL

MINIMUM_CHARGE = {
    "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50,
    "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50,
    "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50,
}  # fmt: skip
"""Smallest charge in minor units; other currencies take any positive amount here."""

MAXIMUM_CHARGE = 99_999_999

_SYMBOLS = {
    "usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "inr": "₹", "krw": "₩", "brl": "R$", "cad": "CA$", "aud": "A$",
    "mxn": "MX$", "nzd": "NZ$", "hkd": "HK$", "ils": "₪", "vnd": "₫",
}  # fmt: skip


def digits(currency: str) -> int:
    """Return how many decimal places the minor unit of `currency` stands for."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def written(amount: int, currency: str) -> str:
    """Return `amount` minor units for people, such as `€1,234.50` or `CHF 12.00`."""
    places = digits(currency)
    units, rest = divmod(abs(amount), 10**places)
    number = f"{units:,}" + (f".{rest:0{places}d}" if places else "")
    symbol = _SYMBOLS.get(currency, currency.upper() + "\N{NO-BREAK SPACE}")
    return f"{'−' if amount < 0 else ''}{symbol}{number}"


def check_charge_amount(amount: int, currency: str, *, param: str | None) -> None:
    """Refuse amounts which Stripe would not charge.

    Raises: InvalidRequest `amount_too_small`, `amount_too_large`, or for a fraction the currency does not have.
    """
    least = MINIMUM_CHARGE.get(currency, 1)
    if amount < least:
        raise InvalidRequest(
            f"Amount must be at least {written(least, currency)}", code="amount_too_small", param=param
        )
    if amount > MAXIMUM_CHARGE:
        raise InvalidRequest(
            f"Amount must be no more than {written(MAXIMUM_CHARGE, currency)}", code="amount_too_large", param=param
        )
    step = 10 if currency in THREE_DECIMAL else 100 if currency in WHOLE_UNITS_ONLY else 1
    if amount % step:
        raise InvalidRequest(
            f"Amounts in {currency.upper()} must be a multiple of {step}, not {amount}.",
            code="parameter_invalid_integer",
            param=param,
        )


def processing_fee(amount: int, currency: str) -> int:
    """Return the fee on a charge: 2.9 % rounded half up, plus 30 (0.300 in three-decimal currencies)."""
    fixed = 300 if currency in THREE_DECIMAL else 30
    return min(amount, (amount * 29 + 500) // 1000 + fixed)
