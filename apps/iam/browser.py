"""A browser's session: what is put into it at sign-in, kept fresh while in use, and taken out at sign-out."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import rotate_token

from apps.core import ids
from apps.core.clock import utcnow
from apps.iam import services
from apps.iam.identity import Identity
from apps.iam.proofs import PASSWORD, STRONG, Proof
from apps.iam.selectors import SESSION_FAMILY, SESSION_TENANT, SESSION_USER

# How often a session in use is written again, which moves its expiry.
RENEW_AFTER = timedelta(minutes=1)
# How long a checked password counts on the platform's host while somebody picks a workspace.
CHOICE_LIFETIME = timedelta(minutes=10)

# A page that asks by itself, with nobody at work, says so.
PASSIVE = "X-Passive"

# Long enough for two redirects.
HANDOFF_COOKIE_LIFETIME = timedelta(minutes=2)

_VERIFIED_USER, _VERIFIED_UNTIL, _VERIFIED_BY = "iam_verified_user", "iam_verified_until", "iam_verified_by"
_CEREMONY = "iam_ceremony"


def begin(request: HttpRequest, identity: Identity) -> None:
    """Sign the browser in on a tenant's host. The session's key changes, so that a planted one is worth nothing."""
    forget(request)
    assert identity.actor.user_id and identity.tenant
    request.session[SESSION_USER] = str(identity.actor.user_id)
    request.session[SESSION_TENANT] = str(identity.tenant.id)
    request.session[SESSION_FAMILY] = str(identity.family_id)
    rotate_token(request)


def forget(request: HttpRequest) -> None:
    """Empty the session and give it a new key."""
    request.session.flush()


def keep_alive(request: Any, *, now: datetime) -> None:
    """Move the session's expiry while the person is at work, at most once a minute; looking for news is no work."""
    if now - request.identity.last_seen_at < RENEW_AFTER or PASSIVE in request.headers:
        return
    request.session.modified = True
    services.touch_session(family_id=request.identity.family_id, now=now)


def renew(request: Any, *, now: datetime) -> int:
    """Move the session's expiry because the person says that he is there; returns the seconds from now to then."""
    request.session.modified = True
    services.touch_session(family_id=request.identity.family_id, now=now)
    return seconds_left(request, now=now) if request.identity.ends_at else settings.SESSION_COOKIE_AGE


def seconds_left(request: Any, *, now: datetime) -> int:
    """How long the session holds without further use, by its last renewal and by its own end if it has one."""
    found = request.identity
    since = now - found.last_seen_at
    renewed = now if request.session.modified or since < timedelta(0) else found.last_seen_at
    ends = renewed + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    return max(0, int((min(ends, found.ends_at or ends) - now).total_seconds()))


def remember_verified(request: HttpRequest, user_id: UUID, methods: tuple[str, ...] = (PASSWORD,)) -> None:
    """Note that this browser's person showed who he is by `methods`, before he is signed in anywhere."""
    forget(request)
    request.session[_VERIFIED_USER] = str(user_id)
    request.session[_VERIFIED_UNTIL] = (utcnow() + CHOICE_LIFETIME).timestamp()
    request.session[_VERIFIED_BY] = list(methods)
    rotate_token(request)


def add_second_factor(request: HttpRequest, methods: tuple[str, ...]) -> None:
    """Note that the person who was verified a moment ago has shown his second factor, too."""
    request.session[_VERIFIED_BY] = list(dict.fromkeys((*request.session[_VERIFIED_BY], *methods, STRONG)))
    request.session.cycle_key()


def verified_proof(request: HttpRequest) -> tuple[UUID, Proof] | None:
    """Who showed a moment ago in this browser who he is, and how."""
    found = verified_person(request)
    return (found[0], Proof.given(tuple(request.session.get(_VERIFIED_BY, ())), found[1])) if found else None


def ceremony_key(request: HttpRequest) -> str:
    """What this browser's passkey ceremonies are bound to: a secret of its session, made when it is first asked for."""
    secret = request.session.get(_CEREMONY) or ids.secret_token()
    request.session[_CEREMONY] = secret
    return ids.token_digest(secret)


def verified_user(request: HttpRequest) -> UUID | None:
    """Who gave the right password a moment ago in this browser, if anybody."""
    found = verified_person(request)
    return found[0] if found else None


def verified_person(request: HttpRequest) -> tuple[UUID, datetime] | None:
    """Who gave the right password a moment ago in this browser, and when."""
    until = request.session.get(_VERIFIED_UNTIL, 0)
    if until < utcnow().timestamp():
        return None
    return UUID(request.session[_VERIFIED_USER]), datetime.fromtimestamp(until, UTC) - CHOICE_LIFETIME


def begin_handoff(response: HttpResponseBase) -> str:
    """Give the browser a secret of this host, and return the digest that the handover is bound to."""
    secret = ids.secret_token()
    response.set_cookie(
        settings.HANDOFF_COOKIE_NAME,
        secret,
        max_age=int(HANDOFF_COOKIE_LIFETIME.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return ids.token_digest(secret)


def suggest_language(request: HttpRequest, response: HttpResponseBase, locale: str) -> None:
    """Show the person's own language from now on, unless this browser has chosen one."""
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            locale,
            max_age=365 * 24 * 3600,
            samesite="Lax",
            httponly=True,
            secure=settings.SESSION_COOKIE_SECURE,
        )
