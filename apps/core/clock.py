"""The current instant, from one place."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def utcnow() -> datetime:
    """Now, aware, in UTC."""
    return datetime.now(UTC)


def today_in(zone: str, *, now: datetime | None = None) -> date:
    """The business date in a tenant's time zone (an IANA name)."""
    return (now or utcnow()).astimezone(ZoneInfo(zone)).date()
