"""Codes of authenticator apps: RFC 6238 with SHA-1, six digits and 30 seconds, which every app understands."""

import base64
import hmac
import re
import secrets
from datetime import datetime
from hashlib import sha1
from urllib.parse import quote, urlencode

PERIOD, DIGITS = 30, 6
# Steps that a clock may be off, to either side.
TOLERANCE = 1
_SHAPE = re.compile(r"[0-9]{6}")


def new_seed() -> str:
    """160 random bits in base32, as long as the hash (RFC 4226, 4)."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def step_at(now: datetime) -> int:
    """The number of the 30 seconds that `now` lies in."""
    return int(now.timestamp()) // PERIOD


def code_at(seed: str, step: int, *, digits: int = DIGITS) -> str:
    """The code of one step (RFC 4226, 5.3)."""
    mac = hmac.new(base64.b32decode(seed), step.to_bytes(8, "big"), sha1).digest()
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def plain(code: str) -> str:
    """A code as apps write it in groups, without the spaces."""
    return "".join(code.split())


def is_code(text: str) -> bool:
    """Whether `text` looks like a code of an app rather than like anything else."""
    return _SHAPE.fullmatch(plain(text)) is not None


def matching_step(seed: str, code: str, *, now: datetime, after: int) -> int | None:
    """The step later than `after`, at most one away from now, that has this code; none for a wrong or an old one."""
    wanted, here, found = plain(code), step_at(now), None
    if not is_code(wanted):
        return None
    for step in range(here - TOLERANCE, here + TOLERANCE + 1):
        # All are compared, so that time tells nothing.
        if hmac.compare_digest(code_at(seed, step), wanted) and step > after:
            found = step
    return found


def address(seed: str, *, account: str, issuer: str) -> str:
    """What the QR code says: the ``otpauth://`` address that apps know."""
    label = quote(f"{issuer}:{account}", safe="@")
    return f"otpauth://totp/{label}?{urlencode({'secret': seed, 'issuer': issuer})}"
