"""Log processors: the correlation id on every line, secrets on none."""

import re
from collections.abc import MutableMapping
from typing import Any

from apps.core import correlation

_SECRET = re.compile(r"password|secret|token|authorization|cookie|private_key|otp", re.IGNORECASE)
_IN_TEXT = re.compile(r"(sk_(?:test|live)_|rk_live_|whsec_|ins_|Bearer )[A-Za-z0-9._\-]{6,}")


def add_correlation(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add ``correlation_id`` when a request or task is at work."""
    if value := correlation.current():
        event.setdefault("correlation_id", value)
    return event


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank values whose key names a secret and credentials that slipped into a text."""
    for key, value in event.items():
        if _SECRET.search(key):
            event[key] = "[redacted]"
        elif isinstance(value, str):
            event[key] = _IN_TEXT.sub(r"\1[redacted]", value)
    return event
