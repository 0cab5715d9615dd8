"""Log lines: the context of the work that writes them, secrets on none, one line an answer."""

import json
import logging
import re
from collections.abc import MutableMapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from apps.core import correlation, tracing

ACCESS = logging.getLogger("insula.access")

_SECRET = re.compile(
    r"password|secret|token|authorization|cookie|private_key|otp|api_key|idempotency_?-?key|csrf|recovery_code",
    re.IGNORECASE,
)
_IN_TEXT = re.compile(
    r"((?:sk|rk)_(?:test|live)_|whsec_|ins_|(?:Bearer|Basic) )[A-Za-z0-9._~+/=\-]{6,}"  # keys and credentials
    # Tokens, and their first parts alone: were a point needed, each beginning of one would be read to the text's end.
    r"|\b(eyJ)[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)*"
    r"|(://[^/\s:@]*:)[^/\s@]+(?=@)"  # passwords in addresses
    # What PostgreSQL tells of a row that it refused; texts in it have lines of their own.
    r"|(DETAIL:\s+(?:Failing row contains|Key) )[\s\S]+?(?=\n\n(?:The above exception|During handling)|\Z)",
)
REDACTED = "[redacted]"
# Set by the edge for as long as a request is answered. Lines look it up, so that it costs nothing until one is written.
_request: ContextVar[Any] = ContextVar("request", default=None)


def work_on(request: Any) -> None:
    """Say whose context the lines of this thread or task are to carry from now on; None ends it."""
    _request.set(request)


def route_of(request: Any) -> str:
    """The pattern that the request's path matched: unlike the path itself it holds no link's token."""
    match = getattr(request, "resolver_match", None)
    return "/" + match.route if match is not None and match.route is not None else "unmatched"


def add_context(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the ids of the request or task at work, and of a request its route, tenant and person."""
    if value := correlation.current():
        event.setdefault("correlation_id", value)
    if (span := tracing.current()) is not None:
        event.setdefault("trace_id", span.trace_id)
        event.setdefault("span_id", span.span_id)
    if (request := _request.get()) is not None:
        event.setdefault("route", route_of(request))
        if (tenant := getattr(request, "tenant", None)) is not None:
            event.setdefault("tenant", tenant.key)
        if (actor := getattr(request, "actor", None)) is not None and actor.user_id:
            event.setdefault("user_id", str(actor.user_id))
    return event


def hide_path(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Django's own lines about a request name its path, which may be a link that somebody can use: name its route."""
    request = getattr(event.get("_record"), "request", None)
    path = getattr(request, "path", "")
    if len(path) > 1 and isinstance(event.get("event"), str):
        event["event"] = event["event"].replace(path, route_of(request))
    return event


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank values whose key names a secret and credentials that slipped into a text."""
    for key, value in event.items():
        if key != "_record":
            event[key] = REDACTED if _SECRET.search(key) else _clean(value)
    return event


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _IN_TEXT.sub(lambda found: f"{found[1] or found[2] or found[3] or found[4]}{REDACTED}", value)
    if isinstance(value, dict):
        return {k: REDACTED if _SECRET.search(str(k)) else _clean(inner) for k, inner in value.items()}
    if isinstance(value, list):
        return [_clean(inner) for inner in value]
    return value


def access(request: Any, *, status: int, seconds: float, ip: str | None) -> None:
    """One line for an answered request. It is written past structlog, whose processors cost more than the line."""
    if ACCESS.isEnabledFor(logging.INFO):
        line: dict[str, Any] = {"method": request.method, "status": status, "duration_ms": round(seconds * 1000, 1)}
        if ip:
            line["ip"] = ip
        ACCESS.info("request", extra={"line": add_context(None, "", line)})


class AccessFormatter(logging.Formatter):
    """The line of an answered request in the shape of all other lines: as JSON, or as ``key=value`` for people."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """One line. It holds no text of the client's, so there is nothing to redact in it."""
        line: dict[str, Any] = getattr(record, "line", {})
        if not self._as_json:
            return " ".join(["request", *(f"{key}={value}" for key, value in line.items())])
        told = {"event": "request", "level": "info", "logger": record.name, **line}
        told["timestamp"] = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
        return json.dumps(told)
