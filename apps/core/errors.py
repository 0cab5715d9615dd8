"""Domain errors: what went wrong in the language of the product, with a stable code and the HTTP status it means."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext


@dataclass(frozen=True, slots=True)
class FieldError:
    """One refused input: `field` is a dotted path (``lines.0.quantity``), `code` stable, `detail` for people."""

    field: str
    code: str
    detail: str


class DomainError(Exception):
    """Base of every refusal that a caller may see. `detail` is shown to people; it holds no internals.

    Without one of its own it is the title in the reader's language, and `says_more` is false. Its answer over HTTP
    carries `headers`.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400
    title: ClassVar[str] = "The request could not be carried out"
    headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, detail: str = "", **extra: Any) -> None:
        self.says_more = bool(detail)
        self.detail = detail or gettext(self.title)
        super().__init__(self.detail)
        self.extra = extra


class ValidationFailed(DomainError):
    """The input breaks a rule; `errors` names each field."""

    code, status, title = "validation_failed", 400, "Some of the values are not valid"

    def __init__(self, errors: Sequence[FieldError], detail: str = "") -> None:
        super().__init__(detail, errors=[asdict(error) for error in errors])
        self.errors = list(errors)

    @classmethod
    def one(cls, field: str, code: str, detail: str) -> "ValidationFailed":
        """The refusal of a single field."""
        return cls([FieldError(field, code, detail)])


class NotAuthenticated(DomainError):
    """No credentials, or credentials that do not hold."""

    code, status, title = "not_authenticated", 401, "You are not signed in"


class PlanLimitReached(DomainError):
    """The tenant's plan does not cover this."""

    code, status, title = "plan_limit", 402, "Your plan does not cover this"


class PermissionRefused(DomainError):
    """The caller is known and lacks the permission."""

    code, status, title = "permission_refused", 403, "You are not allowed to do this"


class TenantMismatch(PermissionRefused):
    """Host, header and token name different tenants."""

    code, title = "tenant_mismatch", "The credentials belong to another workspace"


class NotFound(DomainError):
    """Unknown, or another tenant's: the two cannot be told apart."""

    code, status, title = "not_found", 404, "There is nothing here"


class Conflict(DomainError):
    """The request contradicts what is stored."""

    code, status, title = "conflict", 409, "This contradicts the current state"


class IllegalState(Conflict):
    """The object's state does not allow this action; `allowed_actions` lists what it does allow."""

    code, title = "illegal_state", "The current state does not allow this"

    def __init__(self, detail: str, *, allowed_actions: Sequence[str]) -> None:
        super().__init__(detail, allowed_actions=list(allowed_actions))


class BodyTooLarge(DomainError):
    """The body is longer than the route takes; `limit`, where it is told, is in bytes."""

    code, status, title = "body_too_large", 413, "This is more than can be sent at once"


class GatewayFailed(DomainError):
    """A provider outside answered with an error or not at all; trying again is safe."""

    code, status, title = "gateway_failed", 502, "The payment provider did not answer as expected"


class Unavailable(DomainError):
    """Something that this needs is down at the moment."""

    code, status, title = "unavailable", 503, "This is not available right now"
