"""Webhook signatures, scheme v1, and the secrets they are made with.

Source: https://docs.stripe.com/webhooks#verify-manually and #roll-endpoint-secrets.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from sandbox.stripe.shapes import JsonObject


def signature_header(payload: str, secrets: Sequence[str], timestamp: int) -> str:
    """Return the value of `Stripe-Signature` for a payload sent at `timestamp`, in seconds: one v1 for each secret."""
    signed = f"{timestamp}.{payload}".encode()
    digests = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={timestamp}", *(f"v1={digest}" for digest in digests)])


def valid_secrets(hidden: JsonObject, now: float) -> tuple[str, ...]:
    """Return the secrets of an endpoint's hidden part that are valid at `now`, the newest first."""
    rolled = [item["secret"] for item in hidden.get("rolled", []) if item["until"] > now]
    return (hidden["secret"], *rolled)


def rolled(hidden: JsonObject, secret: str, *, until: float) -> JsonObject:
    """Return the hidden part with a new secret; the one before stays valid until `until`, in seconds."""
    before = [*hidden.get("rolled", []), {"secret": hidden["secret"], "until": until}]
    return hidden | {"secret": secret, "rolled": before}
