"""Billing periods: an anchor plus whole intervals, clamped to the month's last day.

Source: https://docs.stripe.com/billing/subscriptions/billing-cycle.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta

DAY = 86_400
HOUR = 3_600

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}


def shifted(anchor: int, interval: str, count: int) -> int:
    """Return the instant `count` intervals after the anchor (before it when negative), in seconds.

    The 31st becomes the last day of a shorter month, and is the 31st again in the next longer one.
    """
    start = datetime.fromtimestamp(anchor, UTC)
    if interval in _DAYS:
        return int((start + timedelta(days=_DAYS[interval] * count)).timestamp())
    month = start.year * 12 + start.month - 1 + _MONTHS[interval] * count
    year, month = divmod(month, 12)
    day = min(start.day, monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def period_at(anchor: int, interval: str, count: int, instant: int) -> tuple[int, int]:
    """Return start and end of the period of `count` intervals in which the instant lies; ends are exclusive."""
    length = (_DAYS[interval] if interval in _DAYS else _MONTHS[interval] * 30.436875) * count * DAY
    number = int((instant - anchor) // length)
    while shifted(anchor, interval, number * count) > instant:
        number -= 1
    while shifted(anchor, interval, (number + 1) * count) <= instant:
        number += 1
    return shifted(anchor, interval, number * count), shifted(anchor, interval, (number + 1) * count)


def day_of(instant: int) -> str:
    """Return the day for people, such as `21 Nov 2026`."""
    moment = datetime.fromtimestamp(instant, UTC)
    return f"{moment.day} {moment:%b %Y}"
