"""The edge's doors: keys that make calls repeatable, limits that keep them few."""

from apps.edge.hygiene import came_directly
from apps.edge.idempotency import (
    Run,
    answer_with_lease,
    answer_within_transaction,
    call_id,
    call_of,
    is_failure,
    is_open_to,
    purge_expired,
)
from apps.edge.limits import describe, enforce
from apps.edge.platform_calls import answer_anonymous, answer_on_platform
from apps.edge.proxies import client_ip, is_within

__all__ = [
    "Run",
    "answer_anonymous",
    "answer_on_platform",
    "answer_with_lease",
    "answer_within_transaction",
    "call_id",
    "call_of",
    "came_directly",
    "client_ip",
    "describe",
    "enforce",
    "is_failure",
    "is_open_to",
    "is_within",
    "purge_expired",
]
