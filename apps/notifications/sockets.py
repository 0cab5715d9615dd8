"""What an open socket needs from the database: who is behind it, and what he has not seen yet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from apps.core import correlation
from apps.core.actor import Actor, Origin
from apps.core.errors import DomainError, NotAuthenticated
from apps.iam import selectors as iam
from apps.notifications import selectors, services
from apps.notifications.selectors import NotificationView
from apps.tenancy import selectors as tenancy

# Asks anew each time, so that a removed member, an ended session or an expired token is noticed.
Identify = Callable[[], Actor | None]


@dataclass(frozen=True, slots=True)
class Glance:
    """What a look at the database gave: who looked, the rows after his cursor, how many are unread, the tenant's
    state.
    """

    actor: Actor
    rows: list[NotificationView]
    unread: int
    status: str


@dataclass(frozen=True, slots=True)
class Handshake:
    """The parts of an opening request that matter. `host` is lower-case and without its port."""

    host: str
    origin_host: str | None
    session_key: str
    origin: Origin

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> "Handshake":
        """Read an ASGI scope."""
        headers = {name.decode("latin1").lower(): value.decode("latin1") for name, value in scope["headers"]}
        client = scope.get("client")
        return cls(
            host=host_of(headers.get("host", "")),
            origin_host=host_of_origin(headers["origin"]) if "origin" in headers else None,
            session_key=_cookie(headers.get("cookie", ""), settings.SESSION_COOKIE_NAME),
            origin=Origin(
                source="WEB",
                ip=scope.get("client_ip", client[0] if client else None),
                user_agent=headers.get("user-agent", "").replace("\x00", "")[:300],
                correlation_id=correlation.current(),
            ),
        )

    def by_session(self) -> Identify | None:
        """The way to identify the caller by his session cookie, if he may use it here.

        A cookie counts only for a page of the same host: another tenant's page is the same site to a browser,
        which therefore sends the cookie along.
        """
        if not self.session_key or self.origin_host not in (None, self.host):
            return None
        return partial(_member_of_session, self.host, self.session_key, self.origin)

    def by_token(self, access: str) -> Identify:
        """The way to identify the caller by an access token."""
        return partial(_member_of_token, self.host, access, self.origin)


def glance(identify: Identify, after: int | None, limit: int) -> Glance | None:
    """The rows after the cursor `after` (none without one), or None when the caller is nobody here any more."""
    actor = identify()
    if actor is None:
        return None
    if after is None:
        return Glance(actor, [], selectors.unread_count(actor=actor), _status_of(actor))
    rows = selectors.notifications_after(actor=actor, after=after, limit=limit)
    # What was committed since `rows` were read is counted when it is told, not before.
    last = rows[-1].cursor if rows else after
    return Glance(actor, rows, selectors.unread_count(actor=actor, up_to=last), _status_of(actor))


def start_cursor(actor: Actor, wanted: int | None) -> int:
    """Where a socket starts: at the cursor that the client names if it can be one, else at the latest."""
    latest = selectors.cursor(actor=actor)
    return latest if wanted is None else min(wanted, latest)


def mark_read(identify: Identify, notification_id: UUID) -> bool:
    """Mark one notification read; False when it is not the caller's."""
    actor = identify()
    if actor is None:
        return False
    try:
        services.mark_read(actor=actor, notification_id=notification_id, is_read=True)
    except DomainError:
        return False
    return True


def host_of(header: str) -> str:
    """A Host header's name, lower-case, without the port."""
    return header.partition(":")[0].strip().lower()


def host_of_origin(origin: str) -> str:
    """An Origin header's host name; empty when there is none in it (``null``)."""
    try:
        return (urlsplit(origin).hostname or "").lower()
    except ValueError:
        return ""


def _status_of(actor: Actor) -> str:
    assert actor.tenant_id is not None
    return tenancy.tenant_by_id(actor.tenant_id).status


def _member_of_session(host: str, session_key: str, origin: Origin) -> Actor | None:
    tenant = tenancy.tenant_by_host(host)
    if tenant is None:
        return None
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    return _actor_of(iam.identity_of_session(session, tenant.id, origin))


def _member_of_token(host: str, access: str, origin: Origin) -> Actor | None:
    try:
        found = iam.identity_of_token(access, origin)
    except NotAuthenticated:
        return None
    of_host = tenancy.tenant_by_host(host)
    if of_host is not None and of_host.id != found.actor.tenant_id:
        return None
    return _actor_of(found)


def _actor_of(found: iam.Identity | None) -> Actor | None:
    if found is None or found.tenant is None or not found.tenant.is_readable:
        return None
    return found.actor if iam.is_admitted(found) and not found.owes_own_password else None


def _cookie(header: str, name: str) -> str:
    try:
        morsel = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""
