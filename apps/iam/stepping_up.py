"""Step-up: a dangerous action asks for a proof of the last minutes of who is at the keyboard (RFC 9470 in spirit)."""

from datetime import datetime, timedelta
from typing import Any

from apps.core.clock import utcnow
from apps.core.errors import NotAuthenticated, PermissionRefused
from apps.iam.errors import StepUpRequired
from apps.iam.identity import Identity

RECENT = timedelta(minutes=10)


def require_recent(who: Any, *, now: datetime | None = None) -> None:
    """Refuse unless the person proved himself within the last ten minutes: by password, or with his second factor.

    `who` is an `Identity`, a page's request or a DRF request. A sign-in counts as a proof. Call it in the view, before
    the service; on pages the middleware leads to the confirm page and back.

    Raises:
        StepUpRequired: the last proof is older.
        PermissionRefused: an API key or somebody who acts in another's name; neither can prove to be the person.
        NotAuthenticated: nobody is signed in.
    """
    found = identity_of(who)
    actor = found.actor
    if actor.impersonator_id is not None or getattr(actor, "api_key_id", None) is not None:
        raise PermissionRefused("Only the person himself, signed in, may do this.")
    proved_at = found.proved_at
    if proved_at is None or (now or utcnow()) - proved_at > RECENT:
        raise StepUpRequired(max_age=int(RECENT.total_seconds()))


def identity_of(who: Any) -> Identity:
    """The identity behind a request, or `who` itself.

    Raises:
        NotAuthenticated: nobody is signed in.
    """
    if isinstance(who, Identity):
        return who
    # A DRF request wraps Django's.
    found = getattr(getattr(who, "_request", who), "identity", None)
    if not isinstance(found, Identity):
        raise NotAuthenticated
    return found
