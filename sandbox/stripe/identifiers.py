"""Random identifiers with Stripe's prefixes and lengths."""

from __future__ import annotations

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits


def token(length: int) -> str:
    """Return `length` random base-62 characters."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


_LENGTHS = {
    "acct_": 16,
    "bpc_": 24,
    "bps_": 24,
    "cbtxn_": 24,
    "ch_": 24,
    "clock_": 24,
    "cs_test_": 58,
    "cus_": 14,
    "di_": 24,
    "du_": 24,
    "evt_": 24,
    "fee_": 24,
    "fr_": 24,
    "ii_": 24,
    "il_": 24,
    "in_": 24,
    "inpay_": 24,
    "li_": 24,
    "mandate_": 24,
    "pi_": 24,
    "pm_": 24,
    "price_": 24,
    "prod_": 14,
    "promo_": 24,
    "py_": 24,
    "pyr_": 24,
    "re_": 24,
    "req_": 14,
    "setatt_": 24,
    "seti_": 24,
    "si_": 14,
    "sub_": 24,
    "txi_": 24,
    "txn_": 24,
    "txr_": 24,
    "we_": 24,
    "whsec_": 32,
}


def new_id(prefix: str) -> str:
    """Return a fresh identifier such as `pi_3…`.

    Raises: KeyError for a prefix that no object of the stand-in has.
    """
    return prefix + token(_LENGTHS[prefix])


def client_secret(identifier: str) -> str:
    """Return the secret by which a browser may act on the intent `identifier`."""
    return f"{identifier}_secret_{token(25)}"
