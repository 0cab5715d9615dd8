"""The edge's doors: keys that make calls repeatable, limits that keep them few."""

from apps.edge.idempotency import (
    Run,
    answer_with_lease,
    answer_within_transaction,
    call_id,
    call_of,
    is_failure,
    purge_expired,
)
from apps.edge.limits import describe, enforce
from apps.edge.platform_calls import answer_anonymous, answer_on_platform
from apps.edge.proxies import client_ip

__all__ = [
    "Run",
    "answer_anonymous",
    "answer_on_platform",
    "answer_with_lease",
    "answer_within_transaction",
    "call_id",
    "call_of",
    "client_ip",
    "describe",
    "enforce",
    "is_failure",
    "purge_expired",
]
