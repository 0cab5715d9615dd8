"""The keys that sign and verify access tokens, named by their RFC 7638 thumbprints."""

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

ALGORITHM = "RS256"
MIN_BITS = 2048


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


def key_ring() -> KeyRing:
    """The keys of the settings ``JWT_PRIVATE_KEY_PEM`` and ``JWT_EXTRA_PUBLIC_KEYS`` (PEMs, during a rotation).

    Raises:
        ImproperlyConfigured: a key is no RSA key of at least 2048 bits.
    """
    return _load(settings.JWT_PRIVATE_KEY_PEM, tuple(getattr(settings, "JWT_EXTRA_PUBLIC_KEYS", ())))


@lru_cache(maxsize=4)
def _load(private_pem: str, extra_pems: tuple[str, ...]) -> KeyRing:
    private = load_pem_private_key(private_pem.encode(), password=None)
    if not isinstance(private, RSAPrivateKey):
        raise ImproperlyConfigured("JWT_PRIVATE_KEY is not an RSA key.")
    keys = [private.public_key(), *(load_pem_public_key(pem.encode()) for pem in extra_pems)]
    public: dict[str, RSAPublicKey] = {}
    for key in keys:
        if not isinstance(key, RSAPublicKey) or key.key_size < MIN_BITS:
            raise ImproperlyConfigured(f"A JWT key is not an RSA key of at least {MIN_BITS} bits.")
        public[thumbprint(key)] = key
    return KeyRing(thumbprint(private.public_key()), private, public)


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
