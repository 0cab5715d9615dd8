"""Stripe's errors: type, code, parameter, message and HTTP status.

Source: https://docs.stripe.com/api/errors and https://docs.stripe.com/error-codes.
"""

from __future__ import annotations

from sandbox.stripe.shapes import JsonObject


class StripeError(Exception):
    """An answer other than success, in Stripe's form.

    `keeps_changes` says that what was written before the error stays (a declined charge is a fact); `executed`
    that the endpoint had begun, so that an idempotency key remembers the answer.
    """

    status = 400
    type = "invalid_request_error"
    keeps_changes = False
    executed = True

    def __init__(
        self, message: str, *, code: str | None = None, param: str | None = None, extra: JsonObject | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.extra = extra or {}

    def body(self) -> JsonObject:
        """Return the error without its envelope, doc and log links included when they apply."""
        error: JsonObject = {"message": self.message, "type": self.type}
        if self.code is not None:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param is not None:
            error["param"] = self.param
        return error | self.extra


class InvalidRequest(StripeError):
    """The request cannot be carried out as asked (400)."""


class InvalidParameters(InvalidRequest):
    """The parameters did not pass validation, so nothing was executed (400)."""

    executed = False


class TooLarge(InvalidRequest):
    """The body is larger than any request needs (413)."""

    status = 413
    executed = False


class NotFound(StripeError):
    """The address names nothing (404)."""

    status = 404


class Unauthorized(StripeError):
    """No usable API key was sent (401)."""

    status = 401
    executed = False


class Forbidden(StripeError):
    """The key may not be used here (403)."""

    status = 403
    executed = False


class Conflict(StripeError):
    """Another request holds the object or the idempotency key (409)."""

    status = 409
    executed = False


class IdempotencyMismatch(StripeError):
    """An idempotency key came back with another request (400)."""

    type = "idempotency_error"
    executed = False


class RateLimited(StripeError):
    """Too many requests (429)."""

    status = 429
    executed = False


class ApiError(StripeError):
    """Something failed on the server's side (500)."""

    status = 500
    type = "api_error"
    executed = False


class CardError(StripeError):
    """The card was refused (402); the failed attempt is kept."""

    status = 402
    type = "card_error"
    keeps_changes = True


def no_such(kind: str, identifier: str, *, param: str, in_path: bool) -> StripeError:
    """Return Stripe's `resource_missing`: 404 when the address names it, 400 when a parameter does."""
    error = NotFound if in_path else InvalidRequest
    return error(f"No such {kind}: '{identifier}'", code="resource_missing", param=param)
