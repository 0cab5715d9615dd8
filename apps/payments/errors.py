"""Refusals of the payments app."""

from typing import Any

from django.utils.translation import gettext_noop as _

from apps.core.errors import Conflict, DomainError, GatewayFailed, NotFound, Unavailable


class PaymentNotFound(NotFound):
    """Unknown, or another tenant's."""

    code, title = "payment_not_found", _("There is no such payment")


class PaymentInProgress(Conflict):
    """The customer's money is on its way; a second checkout could charge twice."""

    code, title = "payment_in_progress", _("A payment for this is being processed")


class GatewayRetryable(GatewayFailed):
    """Asking again may help. `nothing_happened`: the provider certainly did not act. `key_is_spent`: for this
    idempotency key it will repeat the same failure, so the next attempt needs a new one.
    """

    def __init__(
        self, detail: str = "", *, nothing_happened: bool = False, key_is_spent: bool = False, **extra: Any
    ) -> None:
        super().__init__(detail, **extra)
        self.nothing_happened = nothing_happened
        self.key_is_spent = key_is_spent


class GatewayUnreachable(GatewayRetryable):
    """The provider did not answer, or broke down while answering; counts for the breaker."""

    code, title = "gateway_unreachable", _("The payment provider cannot be reached right now")


class GatewayBusy(GatewayRetryable):
    """The provider asks to come back later, and did nothing."""

    code, title = "gateway_busy", _("The payment provider is busy")


class GatewayRefused(GatewayFailed):
    """The provider understood and said no; asking the same again gets the same answer."""

    code, title = "gateway_refused", _("The payment provider refused this")


class GatewayNotConfigured(Unavailable):
    """No gateway is set up: the deployment has no secret key."""

    code, title = "gateway_not_configured", _("Online payments are not set up")


class BadSignature(DomainError):
    """A webhook that its sender cannot have signed."""

    code, status, title = "bad_signature", 400, _("The signature does not match")


class FactsDisagree(DomainError):
    """What the gateway tells of a payment contradicts what is stored; a person has to look."""

    code, status, title = "gateway_facts_disagree", 409, _("The payment provider tells another story")
