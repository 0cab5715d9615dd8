"""What the edge refuses."""

from collections.abc import Mapping
from typing import Any, ClassVar

from apps.core.errors import Conflict, DomainError, ValidationFailed


class KeyInFlight(Conflict):
    """The same call is being answered right now; `retry_after` is in seconds."""

    code, title = "idempotency_in_flight", "The same call is being answered right now"


class KeyReused(DomainError):
    """The key was used for a call with another body."""

    code, status, title = "idempotency_key_reused", 422, "This Idempotency-Key belongs to another request"


class RateLimited(DomainError):
    """Too many calls; `retry_after` is in seconds, `standings` how the rules stand (`apps.edge.limits`)."""

    code, status, title = "rate_limited", 429, "Too many requests"

    standings: list[Any]


def malformed_key() -> ValidationFailed:
    """The refusal of a key that no program should send."""
    return ValidationFailed.one(
        "Idempotency-Key", "malformed", "The Idempotency-Key is 1 to 255 visible ASCII characters."
    )


class LengthRequired(DomainError):
    """The body comes without saying how long it is."""

    code, status, title = "length_required", 411, "The length of the body is missing"


class UnsupportedContentCoding(DomainError):
    """The body is compressed; bodies are read as they are sent (RFC 9110, 15.5.16)."""

    code, status, title = "unsupported_content_coding", 415, "Compressed bodies are not read here"
    headers: ClassVar[Mapping[str, str]] = {"Accept-Encoding": "identity"}


class HttpsRequired(DomainError):
    """A program calls without encryption; whatever it sent along should be changed."""

    code, status, title = "https_required", 403, "This is served over HTTPS only"
