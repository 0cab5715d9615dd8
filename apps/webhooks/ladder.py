"""When a delivery that failed is tried again, and when no more."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# The waits after each failure. With the jitter against them they add up to more than 28 hours.
STEPS = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
)
MOST_ATTEMPTS = len(STEPS) + 1
JITTER = 0.1
# A receiver that asks for more gets this, or the step if that is longer.
LONGEST_ASKED = timedelta(hours=6)


def delay_after(attempt: int, *, spread: Callable[[float, float], float] = random.uniform) -> timedelta | None:
    """How long to wait after the failure of `attempt` (from 1); None when it was the last."""
    if attempt >= MOST_ATTEMPTS:
        return None
    return STEPS[max(attempt, 1) - 1] * spread(1 - JITTER, 1 + JITTER)


def heeding(delay: timedelta, retry_after: str, *, now: datetime) -> timedelta:
    """`delay`, or what the receiver asks for by ``Retry-After`` if that is longer, within `LONGEST_ASKED`."""
    return max(delay, min(_asked(retry_after.strip(), now), LONGEST_ASKED))


def _asked(retry_after: str, now: datetime) -> timedelta:
    """Seconds or an HTTP date (RFC 9110, 10.2.3); nothing of what is neither."""
    if retry_after.isascii() and retry_after.isdigit():
        # Seven digits of seconds are months; more would not fit into an interval.
        return timedelta(seconds=int(retry_after[:7])) if len(retry_after) <= 7 else LONGEST_ASKED
    try:
        moment = parsedate_to_datetime(retry_after)
    except (TypeError, ValueError, OverflowError):
        return timedelta(0)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
