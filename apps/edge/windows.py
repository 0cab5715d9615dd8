"""Exact sliding windows in Valkey, several in one round trip, and how long a Valkey that hangs may hold calls up.

A window holds the instant of each call it let through, so that it never lets more through within any window and never
refuses a call below the limit. The clock is Valkey's. A refused call counts in no window.
"""

import threading
from collections.abc import Sequence
from hashlib import sha1
from time import monotonic
from typing import Any, NamedTuple, cast
from uuid import uuid4

import redis
from django.conf import settings
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError
from redis.exceptions import TimeoutError as RedisTimeoutError

TIMEOUT_SECONDS = 0.5
# After a call has waited in vain, those of the next moment go on without asking.
PAUSE_SECONDS = 2.0

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


class Counted(NamedTuple):
    """What is left of each window and the µs until its oldest call leaves it; which one refuses, None: none does."""

    refusing: int | None
    windows: list[tuple[int, int]]


def count(limited: Sequence[tuple[str, int, int]]) -> Counted:
    """Count one call in each window (its name, limit and seconds), or in none of them.

    Raises:
        redis.exceptions.RedisError: Valkey is away, or has kept a call waiting in vain a moment ago.
    """
    keys = [f"insula:limit:{name}" for name, _limit, _seconds in limited]
    arguments: list[str | int] = [uuid4().hex]
    for _name, limit, seconds in limited:
        arguments += [limit, seconds * 1_000_000]
    if not _pause.is_over():
        raise RedisConnectionError("Valkey kept a call waiting in vain a moment ago.")
    try:
        refusing, *figures = _run(keys, arguments)
    except RedisTimeoutError:
        _pause.begin()
        raise
    left = [max(0, figure) for figure in figures[::2]]
    return Counted(refusing - 1 if refusing else None, list(zip(left, figures[1::2], strict=True)))


class _Pause:
    """One thread asks when it is over; the others go on without, until that one was answered."""

    def __init__(self) -> None:
        self._until: float | None = None

    def begin(self) -> None:
        self._until = monotonic() + PAUSE_SECONDS

    def is_over(self) -> bool:
        until = self._until  # read once: another thread may end the pause at any moment
        if until is None:
            return True
        if monotonic() < until:
            return False
        self.begin()
        return True

    def end(self) -> None:
        self._until = None


_pause = _Pause()


def _run(keys: Sequence[str], arguments: Sequence[str | int]) -> list[int]:
    """Run the script over this thread's own connection: redis-py's client makes 150 calls of one command."""
    connection = _connection_to(settings.CACHES["default"]["LOCATION"])
    script: tuple[str, str] = ("EVALSHA", _SHA)
    for attempts_left in (2, 1, 0):
        try:
            connection.send_command(*script, len(keys), *keys, *arguments)
            answer = cast("list[int]", connection.read_response())
            _pause.end()
            return answer
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
