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

__all__ = [
    "Run",
    "answer_with_lease",
    "answer_within_transaction",
    "call_id",
    "call_of",
    "describe",
    "enforce",
    "is_failure",
    "purge_expired",
]
