"""W3C Trace Context: the trace a request or task belongs to, handed on to everything that it calls.

Source: https://www.w3.org/TR/trace-context/ (version 00). Nothing is recorded here; the ids stand in the log lines.
"""

import os
import re
from contextvars import ContextVar
from dataclasses import dataclass

from apps.core import correlation

PARENT, STATE = "traceparent", "tracestate"
MAX_STATE, MAX_MEMBERS, LONG_MEMBER = 512, 32, 128
_SAMPLED = "01"

_PARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_MEMBER = re.compile(
    r"([a-z][_0-9a-z*/-]{0,255}|[a-z0-9][_0-9a-z*/-]{0,240}@[a-z][_0-9a-z*/-]{0,13})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)


@dataclass(frozen=True, slots=True)
class Span:
    """One step of a trace: a request or a task here. Ids are lower-case hexadecimal, `flags` two such digits."""

    trace_id: str
    span_id: str
    parent_id: str = ""
    flags: str = _SAMPLED
    state: str = ""

    @property
    def header(self) -> str:
        """As ``traceparent`` for what this step calls and for its own answer."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


_current: ContextVar[Span | None] = ContextVar("span", default=None)


def current() -> Span | None:
    """The step at work, None outside any."""
    return _current.get()


def bind(parent: str | None, state: str | None = None) -> Span:
    """Begin a step below `parent`, or a trace of its own when `parent` is not a well-formed ``traceparent``.

    A malformed `state` is dropped without the trace (3.5).
    """
    span_id = os.urandom(8).hex()
    found = _PARENT.fullmatch(parent) if parent and len(parent) <= MAX_STATE else None
    # Version 00 ends after the flags; a later one may go on (3.2.4).
    if found is None or (found[1] == "00" and found[5] is not None):
        span = Span(os.urandom(16).hex(), span_id)
    else:
        flags = f"{int(found[4], 16) & 1:02x}"
        span = Span(found[2], span_id, found[3], flags, _sane(state) if state else "")
    _current.set(span)
    return span


def outbound_headers() -> dict[str, str]:
    """What a call to the outside carries so that both sides' logs can be read together."""
    headers = {}
    if value := correlation.current():
        headers[correlation.HEADER] = value
    if (span := _current.get()) is not None:
        headers[PARENT] = span.header
        if span.state:
            headers[STATE] = span.state
    return headers


def _sane(state: str) -> str:
    if len(state) > 16 * MAX_STATE:
        return ""
    members = [member.strip(" \t") for member in state.split(",")]
    members = [member for member in members if member]
    matches = [_MEMBER.fullmatch(member) for member in members]
    keys = {match[1] for match in matches if match}
    if len(members) > MAX_MEMBERS or len(keys) != len(members):
        return ""
    while len(kept := ",".join(members)) > MAX_STATE:
        # Long members go first, then the oldest, which stand last (3.3.1.5).
        long = [member for member in members if len(member) > LONG_MEMBER]
        members.remove(long[-1] if long else members[-1])
    return kept
