"""Rate limits: exact sliding windows in Valkey, several rules in one round trip.

A window holds the instant of each call it let through, so that it never lets more through within any window and never
refuses a call below the limit. The clock is Valkey's. A refused call counts for no rule. While Valkey is away calls
pass, except to the sensitive routes, which answer 503. Source: PRODUCT, rate limits; IETF
draft-ietf-httpapi-ratelimit-headers.
"""

import math
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Any, cast
from uuid import uuid4

import redis
import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from prometheus_client import Counter
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError

from apps.core.actor import Actor, ActorKind
from apps.core.errors import Unavailable
from apps.edge.errors import RateLimited

logger = structlog.get_logger(__name__)

# Where credentials are guessed, letters are sent to strangers and workspaces are made.
SENSITIVE = re.compile(
    r"/(sign-in|sign-up|forgot-password|reset-password)/|/api/v1/auth/(signin|signup|discover|password/(forgot|reset))"
)
# Asked by machines that prove themselves otherwise, or that ask all the time.
UNLIMITED = re.compile(r"/(health|metrics|webhooks|static|ws)(/|$)|/tls/allowed$")
TIMEOUT_SECONDS = 0.5
_REFUSED = Counter("insula_rate_limited_total", "Calls that a rate limit refused", ["rule"])
_UNCOUNTED = Counter("insula_rate_limit_unavailable_total", "Calls that no limit counted, Valkey being away")

# KEYS: a sorted set for each rule. ARGV: the call's name, then limit and window in µs for each rule. Answers the number
# of the rule that refuses (0: none) and for each rule what is left and the µs until the oldest call leaves the window.
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local refused, answer = 0, {0}
for i, key in ipairs(KEYS) do
  local limit, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - window))
  local used = redis.call('ZCARD', key)
  if used >= limit and refused == 0 then refused = i end
  answer[2 * i] = limit - used
  local oldest = redis.call('ZRANGE', key, math.max(0, used - limit), math.max(0, used - limit), 'WITHSCORES')
  answer[2 * i + 1] = oldest[2] and (tonumber(oldest[2]) + window - now) or window
end
answer[1] = refused
if refused == 0 then
  for i, key in ipairs(KEYS) do
    redis.call('ZADD', key, string.format('%.0f', now), ARGV[1])
    redis.call('PEXPIRE', key, math.ceil(ARGV[2 * i + 1] / 1000))
    answer[2 * i] = answer[2 * i] - 1
  end
end
return answer
"""
_SHA = sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()


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
    keys = [f"insula:limit:{rule.name}:{subject}" for rule, subject in counted]
    arguments: list[str | int] = [uuid4().hex]
    for rule, _subject in counted:
        arguments += [rule.limit, rule.seconds * 1_000_000]
    answer = _run(keys, arguments)
    standings = [
        Standing(rule, max(0, answer[2 * i + 1]), max(1, math.ceil(answer[2 * i + 2] / 1e6)))
        for i, (rule, _subject) in enumerate(counted)
    ]
    if refusing := answer[0]:
        standing = standings[refusing - 1]
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
        standings = take(list(_rules(actor, ip or "unknown", is_sensitive)))
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


def _run(keys: Sequence[str], arguments: Sequence[str | int]) -> list[int]:
    """Run the script over this thread's own connection: redis-py's client makes 150 calls of one command."""
    connection = _connection_to(settings.CACHES["default"]["LOCATION"])
    script: tuple[str, str] = ("EVALSHA", _SHA)
    for attempts_left in (2, 1, 0):
        try:
            connection.send_command(*script, len(keys), *keys, *arguments)
            return cast("list[int]", connection.read_response())
        except NoScriptError:  # a Valkey that has just started
            script = ("EVAL", _SCRIPT)
        except RedisConnectionError:  # it has closed what was idle; by now the connection is closed here, too
            if not attempts_left:
                raise
    raise RedisConnectionError("Valkey forgets the script.")


class _Connections(threading.local):
    def __init__(self) -> None:
        self.by_url: dict[str, Any] = {}


_connections = _Connections()


def _connection_to(url: str) -> Any:
    if (connection := _connections.by_url.get(url)) is None:
        pool = redis.ConnectionPool.from_url(
            url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )
        connection = _connections.by_url[url] = pool.make_connection()
    return connection
