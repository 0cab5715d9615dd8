"""The correlation id that ties a request to its log lines, audit rows, tasks and outbound calls."""

import re
import uuid
from contextvars import ContextVar

HEADER = "X-Correlation-ID"
_SANE = re.compile(r"[A-Za-z0-9._:\-]{1,64}")
_current: ContextVar[str] = ContextVar("correlation_id", default="")


def current() -> str:
    """The id of the request or task at work, empty outside any."""
    return _current.get()


def bind(candidate: str | None) -> str:
    """Keep `candidate` when it is 1–64 harmless characters, make a new id otherwise; returns the id bound."""
    value = candidate if candidate and _SANE.fullmatch(candidate) else str(uuid.uuid4())
    _current.set(value)
    return value
