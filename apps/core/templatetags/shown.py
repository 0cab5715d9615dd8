"""How values are shown: money, dates and names by the reader's language. Built into every template."""

import zlib
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from babel.dates import format_date, format_time, get_datetime_format
from babel.numbers import format_decimal
from django import template
from django.utils import timezone
from django.utils.translation import get_language

from apps.core.money import format_minor

register = template.Library()
HUES = 8
# Icons that point along the line of text, and so the other way where it runs from the right.
_ALONG_THE_LINE = frozenset({"arrow-left", "arrow-right", "chevrons-left", "log-out", "redo-2", "send", "undo-2"})


def locale() -> str:
    """The active language as Babel writes it."""
    return (get_language() or "en").replace("-", "_")


@register.filter
def flips(icon: str) -> bool:
    """Whether an icon is mirrored for readers from the right."""
    return icon in _ALONG_THE_LINE


@register.filter
def money(amount_minor: int, currency: str) -> str:
    """``{{ invoice.total_minor|money:invoice.currency }}``"""
    return format_minor(int(amount_minor), currency, locale())


@register.filter
def number(value: Decimal | int) -> str:
    """A number with the language's separators and no idle zeros."""
    exact = Decimal(value)
    return str(format_decimal(exact.normalize() if exact else Decimal(0), locale=locale(), decimal_quantization=False))


@register.filter
def day(value: date | datetime | None) -> str:
    """A date: ``21 Nov 2026``. Instants are taken in the active time zone."""
    if value is None or value == "":
        return ""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return str(format_date(value, "medium", locale=locale()))


@register.filter
def moment(value: datetime | None) -> str:
    """An instant: date and time of day to the minute, in the active time zone."""
    if value is None or value == "":
        return ""
    local = timezone.localtime(value)
    frame = str(get_datetime_format("medium", locale=locale())).replace("'", "")
    return frame.format(
        format_time(local.time(), "short", locale=locale()), format_date(local.date(), "medium", locale=locale())
    )


@register.filter
def hue(name: Any) -> int:
    """One of eight colours, always the same for a name."""
    return zlib.crc32(str(name).encode()) % HUES


@register.filter
def initials(name: Any) -> str:
    """At most two letters that stand for a name."""
    words = [word for word in str(name).split() if word[0].isalnum()] or ["?"]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else words[0][1:2])).upper()
