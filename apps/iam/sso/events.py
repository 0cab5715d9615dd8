"""What happens to a tenant's own sign-in."""

from dataclasses import dataclass

from apps.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class MailDomainVerified(Event):
    """The tenant may speak for the addresses of a domain from now on."""

    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailDomainLost(Event):
    """The tenant may not speak for them any more; `given_up`: it said so itself."""

    domain: str
    given_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SsoChanged(Event):
    """The tenant's own sign-in is another, or was switched on or off. `provider` is its name, `by` who changed it."""

    is_enabled: bool
    is_required: bool
    is_removed: bool = False
    provider: str = ""
    by: str = ""
