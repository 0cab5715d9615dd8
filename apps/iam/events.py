"""What happens to people and memberships. Facts about people alone belong to no tenant."""

from dataclasses import dataclass
from uuid import UUID

from apps.core.events import Fact


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
