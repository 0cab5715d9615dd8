"""When the reconciler looks again: soon at first, then ever more rarely."""

from datetime import datetime, timedelta

FIRST = timedelta(seconds=30)
LONGEST = timedelta(hours=1)
# A fee that the gateway has not told after this many looks will not come.
MOST_CHECKS_FOR_FEE = 12


def next_check(now: datetime, checks: int) -> datetime:
    """30 s, 1 min, 2 min, … up to an hour after `now`, for a row that was looked at `checks` times."""
    doublings = min(checks, 10)
    return now + min(FIRST * (1 << doublings), LONGEST)
