"""What happens to people and memberships. Facts about people alone belong to no tenant."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from apps.core.events import Event, Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTokenIssued(Fact):
    """Somebody is owed a mailed token, if the address has an account."""

    token_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTokenMailed(Fact):
    """A mailed token goes out. `purpose` is ``RESET`` or ``VERIFY``; the token itself is made when the mail is."""

    token_id: UUID
    purpose: str
    user_id: UUID
    email: str
    name: str
    locale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(Fact):
    """A person's password is another one now."""

    user_id: UUID
    email: str
    name: str
    locale: str


class MfaChange(Enum):
    """What happened to somebody's second factors; the value ends the audit action ``iam.mfa.…``."""

    APP_ADDED = "add_app"
    APP_REMOVED = "remove_app"
    PASSKEY_ADDED = "add_passkey"
    PASSKEY_REMOVED = "remove_passkey"
    CODES_RENEWED = "renew_recovery_codes"
    CODE_USED = "use_recovery_code"
    RESET = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class MfaChanged(Fact):
    """A person's second factors are others now. `change` is a value of `MfaChange`, `detail` a passkey's name."""

    user_id: UUID
    email: str
    name: str
    locale: str
    change: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedInFromNew(Fact):
    """Somebody signed in from a device or a network that is new to the account; not the first sign-in of all."""

    family_id: UUID
    user_id: UUID
    email: str
    name: str
    locale: str
    device: str
    ip: str | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshTokenReused(Fact):
    """A spent refresh token was used again, so that sign-in has ended."""

    family_id: UUID
    user_id: UUID
    email: str
    name: str
    locale: str
    device: str
    ip: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonBanned(Fact):
    """Operators keep a person out of the whole platform, until a moment or for good."""

    user_id: UUID
    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationSent(Event):
    """Somebody is invited, for the first time or again; `generation` counts the mails from 0."""

    invitation_id: UUID
    generation: int
    email: str
    role: str
    inviter: str
    tenant_name: str
    locale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberJoined(Event):
    """An invitation was accepted."""

    membership_id: UUID
    user_id: UUID
    name: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRolesChanged(Event):
    """A member has other roles, by their names."""

    membership_id: UUID
    user_id: UUID
    roles_before: tuple[str, ...]
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomRoleChanged(Event):
    """A role of the tenant's own allows something else, at once for everybody who holds it."""

    role_id: UUID
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberBanned(Event):
    """A member is kept out, until a moment or for good."""

    membership_id: UUID
    user_id: UUID
    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberUnbanned(Event):
    """A member may enter again."""

    membership_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRemoved(Event):
    """A member was taken out, or left."""

    membership_id: UUID
    user_id: UUID
    has_left: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnershipTransferred(Event):
    """The tenant has another owner; the former one is a MEMBER."""

    from_user_id: UUID
    to_user_id: UUID
    by_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpersonationStarted(Event):
    """An operator is a member for some minutes."""

    impersonation_id: UUID
    user_id: UUID
    member: str
    operator: str
    reason: str
    ends_at: datetime


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
