"""What the IAM app tells the others."""

from dataclasses import dataclass
from uuid import UUID

from apps.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceSignedUp(Event):
    """A person signed up with a new workspace, which waits for its schema."""

    user_id: UUID
    email: str
    name: str
