"""What the edge refuses."""

from typing import Any

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


class HttpsRequired(DomainError):
    """A program calls without encryption; whatever it sent along should be changed."""

    code, status, title = "https_required", 403, "This is served over HTTPS only"
