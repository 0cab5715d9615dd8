"""Signatures by which receivers know that a message is ours and fresh.

Source: Standard Webhooks, version 1 (https://www.standardwebhooks.com): HMAC-SHA256 over ``id.timestamp.body``.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> str:
    """A fresh secret: ``whsec_`` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def signature(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature, ``v1,`` and base64. `timestamp`: seconds since 1970, of the attempt."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(signed_by: Iterable[str], *, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a call; one signature for each secret, so that a receiver may know any of them."""
    signatures = [signature(secret, message_id=message_id, timestamp=timestamp, body=body) for secret in signed_by]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }
