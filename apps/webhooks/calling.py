"""Asking an endpoint once: the call itself, and what is kept of the answer."""

import contextvars
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from uuid import UUID

from apps.core import correlation, fetching, tracing
from apps.core.clock import utcnow
from apps.core.fetching import FetchFailed
from apps.webhooks import endpoint_secrets, signing
from apps.webhooks.models import Delivery, Endpoint

TOTAL_SECONDS = 10.0
USER_AGENT = "Insula-Webhooks/1"
# Of an answer: bytes of its body, headers, characters of each.
MOST_ANSWER, MOST_HEADERS, MOST_HEADER = 4_000, 30, 300
_UNTOLD = frozenset({"set-cookie", "authorization", "proxy-authorization", "www-authenticate"})
_MASK = "…"


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed attempt, with all that the call needs."""

    endpoint_id: UUID
    delivery_id: UUID
    number: int
    is_test: bool
    url: str
    event_id: str
    body: bytes
    correlation_id: str
    traceparent: str
    secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call. Without a `status` nobody answered, and `error` says why."""

    started_at: datetime
    duration_ms: int
    request_headers: dict[str, str]
    status: int | None = None
    error: str = ""
    response_headers: dict[str, str] | None = None
    response_body: str = ""

    @property
    def is_success(self) -> bool:
        """Any 2xx; a redirect is none, because it is not followed."""
        return self.status is not None and HTTPStatus(200) <= self.status < HTTPStatus(300)

    @property
    def is_gone(self) -> bool:
        """The endpoint wants to hear nothing any more."""
        return self.status == HTTPStatus.GONE

    @property
    def retry_after(self) -> str:
        """The header, empty without one."""
        return (self.response_headers or {}).get("retry-after", "")


def job_of(*, endpoint: Endpoint, row: Delivery, now: datetime) -> Job:
    """What the call of a claimed row needs; its message must have been loaded.

    Raises:
        CannotUnseal: none of the installation's keys opens a secret of the endpoint.
    """
    return Job(
        endpoint_id=endpoint.id,
        delivery_id=row.id,
        number=row.attempts,
        is_test=row.is_test,
        url=endpoint.url,
        event_id=row.message.event_id,
        body=row.message.payload.encode(),
        correlation_id=row.message.correlation_id,
        traceparent=row.message.traceparent,
        secrets=tuple(endpoint_secrets.signing_secrets(endpoint.id, now=now)),
    )


def call(job: Job, *, total_seconds: float = TOTAL_SECONDS) -> Outcome:
    """Ask the endpoint, in the trace of what the message tells of. Never raises for what the endpoint does."""
    return contextvars.copy_context().run(_call, job, total_seconds)


def _call(job: Job, total_seconds: float) -> Outcome:
    correlation.bind(job.correlation_id or None)
    tracing.bind(job.traceparent or None)
    started_at, begun = utcnow(), time.monotonic()
    sent = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        **signing.headers(job.secrets, message_id=job.event_id, timestamp=int(started_at.timestamp()), body=job.body),
    }
    shown = {**sent, **tracing.outbound_headers(), "webhook-signature": f"v1,{_MASK}"}
    try:
        answer = fetching.fetch(
            "POST",
            job.url,
            headers=sent,
            content=job.body,
            most_bytes=MOST_ANSWER,
            total_seconds=total_seconds,
            cut=True,
        )
    except FetchFailed as failure:
        return Outcome(started_at, _since(begun), shown, error=str(failure))
    return Outcome(
        started_at,
        _since(begun),
        shown,
        status=answer.status,
        error="" if HTTPStatus(200) <= answer.status < HTTPStatus(300) else f"The endpoint answered {answer.status}.",
        response_headers=_bounded(answer.headers),
        response_body=_storable(answer.body.decode("utf-8", "replace")),
    )


def _since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)


def _bounded(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    kept = list(headers)[:MOST_HEADERS]
    return {
        _storable(name[:MOST_HEADER]): _MASK if name in _UNTOLD else _storable(value[:MOST_HEADER])
        for name, value in kept
    }


def _storable(text: str) -> str:
    # The one character that PostgreSQL cannot keep.
    return text.replace("\x00", "\ufffd")
