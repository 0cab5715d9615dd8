"""The text of an API key, and the keyed digests by which it is found; the text itself is nowhere.

``ins_``, 43 characters of randomness (256 bits) and six of checksum, all base 62. The checksum is the CRC-32 of what
stands before it: it proves nothing, but tells a typing error, a cut-off copy or a guess from a key without asking the
database, and lets scanners of leaked secrets recognise keys.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib
from functools import lru_cache

from django.conf import settings

PREFIX = "ins_"
RANDOM_CHARACTERS, CHECKSUM_CHARACTERS = 43, 6
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_FORM = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM_CHARACTERS + CHECKSUM_CHARACTERS}}}")


def new_secret() -> str:
    """A key nobody has."""
    body = PREFIX + _base62(secrets.randbits(256), RANDOM_CHARACTERS)
    return body + _checksum(body)


def is_meant_as_key(text: str) -> bool:
    """Whether a bearer token claims to be an API key."""
    return text.startswith(PREFIX)


def is_well_formed(text: str) -> bool:
    """Whether the length, the alphabet and the checksum are those of a key."""
    return _FORM.fullmatch(text) is not None and text.endswith(_checksum(text[:-CHECKSUM_CHARACTERS]))


def hint_of(secret: str) -> str:
    """What lists show of a key, so that people can tell theirs apart."""
    return f"{secret[: len(PREFIX) + 4]}…{secret[-4:]}"


def digests_of(secret: str) -> dict[str, str]:
    """The name of each pepper and the digest under it, the newest first (HMAC-SHA256, `settings.API_KEY_PEPPERS`)."""
    return {
        name: hmac.digest(key, secret.encode(), "sha256").hex()
        for name, key in _peppers(tuple(settings.API_KEY_PEPPERS))
    }


def pepper_names() -> list[str]:
    """The names of the peppers, the newest first; they tell nothing of them."""
    return [name for name, _key in _peppers(tuple(settings.API_KEY_PEPPERS))]


def newest_digest(secret: str) -> tuple[str, str]:
    """The name of the newest pepper and the digest under it."""
    return next(iter(digests_of(secret).items()))


@lru_cache(maxsize=4)
def _peppers(peppers: tuple[str, ...]) -> tuple[tuple[str, bytes], ...]:
    # Derived, because a pepper may be the installation's SECRET_KEY, which has other uses.
    keys = [hmac.digest(pepper.encode(), b"insula api key digest", "sha256") for pepper in peppers]
    return tuple((hashlib.sha256(b"name of" + key).hexdigest()[:8], key) for key in keys)


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), CHECKSUM_CHARACTERS)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
