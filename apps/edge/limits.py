"""Rate limits: which rules count a call, and how its answer tells of them.

While Valkey is away calls pass, except to the sensitive routes, which answer 503. Source: PRODUCT, rate limits; IETF
draft-ietf-httpapi-ratelimit-headers.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from prometheus_client import Counter
from redis.exceptions import RedisError

from apps.core.actor import Actor, ActorKind
from apps.core.errors import Unavailable
from apps.edge import windows
from apps.edge.errors import RateLimited
from apps.edge.proxies import subscriber

logger = structlog.get_logger(__name__)

# Where credentials are guessed, letters are sent to strangers and workspaces are made.
SENSITIVE = re.compile(
    r"/(sign-in|sign-up|forgot-password|reset-password|admin/login|admin/second-step)/"
    r"|/api/v1/auth/(signin|signup|discover|password/(forgot|reset|change))"
)
# Asked by machines that prove themselves otherwise, or that ask all the time.
UNLIMITED = re.compile(r"/(health|metrics|webhooks|static|ws)(/|$)|/tls/allowed$")
_REFUSED = Counter("insula_rate_limited_total", "Calls that a rate limit refused", ["rule"])
_UNCOUNTED = Counter("insula_rate_limit_unavailable_total", "Calls that no limit counted, Valkey being away")


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `limit` calls within `seconds`, whenever they begin."""

    name: str
    limit: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What a rule still lets through; `reset_seconds` until the oldest counted call leaves the window."""

    rule: Rule
    remaining: int
    reset_seconds: int


class _Counted(HttpRequest):
    """A request that `enforce` has counted (`is_counted`) or refused."""

    standings: list[Standing]
    is_counted: bool


def take(counted: Sequence[tuple[Rule, str]]) -> list[Standing]:
    """Count one call for each rule and whom it counts for, or for none of them.

    Raises:
        RateLimited: a rule is used up; `standings` says how all of them stand.
        redis.exceptions.RedisError: Valkey is away.
    """
    answer = windows.count([(f"{rule.name}:{subject}", rule.limit, rule.seconds) for rule, subject in counted])
    standings = [
        Standing(rule, left, max(1, math.ceil(microseconds / 1e6)))
        for (rule, _subject), (left, microseconds) in zip(counted, answer.windows, strict=True)
    ]
    if answer.refusing is not None:
        standing = standings[answer.refusing]
        wait = {"seconds": standing.reset_seconds}
        told = _("Too many requests. Please try again in %(seconds)d seconds.") % wait
        error = RateLimited(told, retry_after=standing.reset_seconds, rule=standing.rule.name)
        error.standings = standings
        raise error
    return standings


def enforce(request: HttpRequest, actor: Actor | None, ip: str | None) -> None:
    """Count this request, once; how the rules stand is written onto its answer by `describe`.

    Raises:
        RateLimited: too many calls.
        Unavailable: the route is sensitive and Valkey is away.
    """
    if not settings.RATE_LIMITS_ENFORCED or UNLIMITED.match(request.path) or getattr(request, "is_counted", False):
        return
    is_sensitive = request.method == "POST" and SENSITIVE.match(request.path) is not None
    try:
        standings = take(list(_rules(actor, subscriber(ip or "unknown"), is_sensitive)))
    except RateLimited as error:
        if not hasattr(request, "standings"):  # else the short way has met the same refusal
            _REFUSED.labels(str(error.extra["rule"])).inc()
        cast(_Counted, request).standings = error.standings
        raise
    except (RedisError, OSError) as error:
        _UNCOUNTED.inc()
        logger.warning("limits.unavailable", error=str(error))
        if is_sensitive:
            raise Unavailable("This is not available right now; please try again.", retry_after=5) from error
        return
    of_request = cast(_Counted, request)
    of_request.standings, of_request.is_counted = standings, True


def describe(request: HttpRequest, response: HttpResponseBase) -> None:
    """Write ``RateLimit`` and ``RateLimit-Policy`` if the request was counted."""
    standings: list[Standing] | None = getattr(request, "standings", None)
    if standings is None:
        return
    response["RateLimit-Policy"] = ", ".join(f'"{s.rule.name}";q={s.rule.limit};w={s.rule.seconds}' for s in standings)
    response["RateLimit"] = ", ".join(f'"{s.rule.name}";r={s.remaining};t={s.reset_seconds}' for s in standings)


def _rules(actor: Actor | None, ip: str, is_sensitive: bool) -> list[tuple[Rule, str]]:
    limits: dict[str, tuple[int, int]] = settings.RATE_LIMITS
    counted: list[tuple[Rule, str]] = []
    if is_sensitive:
        counted.append((Rule("sensitive", *limits["sensitive"]), ip))
    if actor is not None and actor.kind is ActorKind.DIRECTORY:
        counted.append((Rule("user", *limits["user"]), f"directory:{actor.tenant_id}"))
    elif actor is None or actor.user_id is None:
        counted.append((Rule("ip", *limits["ip"]), ip))
        return counted
    elif actor.api_key_id is not None:
        # Of its own, so that a busy program does not keep its maker's browser waiting.
        counted.append((Rule("api_key", *limits["api_key"]), str(actor.api_key_id)))
    else:
        counted.append((Rule("user", *limits["user"]), str(actor.user_id)))
    if actor.tenant_id is not None:
        counted.append((Rule("workspace", *limits["workspace"]), str(actor.tenant_id)))
    return counted
