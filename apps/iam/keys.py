"""The keys that sign and verify access tokens, named by their RFC 7638 thumbprints.

Until the first rotation it is the key of the settings. From then on the table says which keys there are, and the clock
which one signs: the newest whose `signs_from` has come. Its predecessor verifies for as long as the last token that it
signed may live. So every process changes over at the same moment, and none needs a restart.
"""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error

from apps.core.clock import utcnow
from apps.core.sealing import purpose_of, unseal
from apps.core.tenants import public_scope
from apps.iam.signing_models import SigningKey

logger = structlog.get_logger(__name__)

ALGORITHM = "RS256"
MIN_BITS = 2048
# Clocks of servers, and a request that was signed just before and arrives just after.
SKEW = timedelta(minutes=1)
# A token that names a key unknown here has the table read again, but not once for every forgery.
_UNKNOWN_AGAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class KeyRing:
    """One private key that signs, and every public key that still verifies, by `kid`."""

    kid: str
    private: RSAPrivateKey
    public: dict[str, RSAPublicKey]

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys as a JWK set (RFC 7517)."""
        return {
            "keys": [
                {**_required_members(key), "kid": kid, "use": "sig", "alg": ALGORITHM}
                for kid, key in self.public.items()
            ]
        }


class Keys:
    """What one process knows of the table, read again after ``SIGNING_KEYS_RELOAD_SECONDS``."""

    def __init__(self) -> None:
        self._rows: Sequence[SigningKey] = ()
        self._read_at = float("-inf")
        self._reading = threading.Lock()

    def ring(self, now: datetime | None = None, *, unknown: str = "") -> KeyRing:
        """The keys at this moment. `unknown`: a token names this key, which may have been made elsewhere just now.

        Raises:
            ImproperlyConfigured: a key is no RSA key of at least 2048 bits, or opens with none of the sealing keys.
        """
        asked_at = time.monotonic()
        age = asked_at - self._read_at
        is_needed = bool(unknown) or self._read_at == float("-inf")
        is_due = age > settings.SIGNING_KEYS_RELOAD_SECONDS or (bool(unknown) and age > _UNKNOWN_AGAIN_SECONDS)
        # Whoever can go on with what is known does not wait for the thread that reads.
        if is_due and self._reading.acquire(blocking=is_needed):
            try:
                if self._read_at < asked_at:
                    self._read()
            finally:
                self._reading.release()
        return _ring_of(self._rows, now or utcnow())

    def forget(self) -> None:
        """Read the table at the next question."""
        with self._reading:
            self._read_at = float("-inf")

    def _read(self) -> None:
        began_at = time.monotonic()
        try:
            with public_scope():
                self._rows = tuple(SigningKey.objects.order_by("signs_from"))
        except Error:
            if self._read_at == float("-inf"):
                raise
            # The clock goes on without the table: keys still change over and retire when they are due.
            logger.warning("iam.signing_keys_unread", exc_info=True)
        self._read_at = began_at


keys = Keys()


def key_ring(*, unknown: str = "") -> KeyRing:
    """The keys of this process at this moment. Raises as `Keys.ring`."""
    ring = keys.ring()
    return ring if not unknown or unknown in ring.public else keys.ring(unknown=unknown)


def verifies_until(rows: Sequence[SigningKey], row: SigningKey) -> datetime | None:
    """When a key stops to verify; None while no newer one is to follow. `rows` are all, the oldest first."""
    newer = next((other for other in rows if other.signs_from > row.signs_from and not other.withdrawn_at), None)
    lifetime = timedelta(seconds=settings.ACCESS_TOKEN_SECONDS + settings.SIGNING_KEYS_RELOAD_SECONDS)
    return newer.signs_from + lifetime + SKEW if newer else None


def settings_key() -> tuple[str, RSAPrivateKey]:
    """The key of ``JWT_PRIVATE_KEY`` and its `kid`.

    Raises:
        ImproperlyConfigured: see `Keys.ring`.
    """
    return _private(settings.JWT_PRIVATE_KEY_PEM)


def _ring_of(rows: Sequence[SigningKey], now: datetime) -> KeyRing:
    extra = dict(map(_public, getattr(settings, "JWT_EXTRA_PUBLIC_KEYS", ())))
    if not rows:
        kid, private = settings_key()
        return KeyRing(kid, private, {kid: _public_half(private), **extra})
    withdrawn = {row.kid for row in rows if row.withdrawn_at}
    # The settings may still name one that leaked since.
    extra = {kid: key for kid, key in extra.items() if kid not in withdrawn}
    alive = [row for row in rows if row.withdrawn_at is None]
    signing = [row for row in alive if row.signs_from <= now]
    if not signing:
        raise ImproperlyConfigured("No signing key is in force: publish one with manage.py rotate_signing_key.")
    living = [row for row in alive if (until := verifies_until(rows, row)) is None or until > now]
    public = dict(_public(row.public_pem) for row in reversed(living))
    return KeyRing(signing[-1].kid, _private_of(signing[-1]), {**public, **extra})


def _private_of(row: SigningKey) -> RSAPrivateKey:
    if row.private_sealed:
        return _unsealed(row.private_sealed, purpose_of(row, "private_sealed"))
    kid, private = settings_key()
    if kid != row.kid:
        raise ImproperlyConfigured("JWT_PRIVATE_KEY is another key than the one that signs.")
    return private


@lru_cache(maxsize=8)
def _unsealed(sealed: str, purpose: str) -> RSAPrivateKey:
    return _private(unseal(sealed, purpose=purpose))[1]


@lru_cache(maxsize=8)
def _private(pem: str) -> tuple[str, RSAPrivateKey]:
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey) or key.key_size < MIN_BITS:
        raise ImproperlyConfigured(f"JWT_PRIVATE_KEY is not an RSA key of at least {MIN_BITS} bits.")
    return thumbprint(key.public_key()), key


@lru_cache(maxsize=8)
def _public_half(private: RSAPrivateKey) -> RSAPublicKey:
    return private.public_key()


@lru_cache(maxsize=32)
def _public(pem: str) -> tuple[str, RSAPublicKey]:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, RSAPublicKey) or key.key_size < MIN_BITS:
        raise ImproperlyConfigured(f"A JWT key is not an RSA key of at least {MIN_BITS} bits.")
    return thumbprint(key), key


def thumbprint(key: RSAPublicKey) -> str:
    """The key's name: SHA-256 over its required members in canonical form (RFC 7638)."""
    canonical = json.dumps(_required_members(key), sort_keys=True, separators=(",", ":"))
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _required_members(key: RSAPublicKey) -> dict[str, str]:
    numbers = key.public_numbers()
    return {"kty": "RSA", "n": _base64url(_bytes(numbers.n)), "e": _base64url(_bytes(numbers.e))}


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
