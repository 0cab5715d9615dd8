"""Bars for the server-side SVG chart: plain coordinates, so that the page needs no script."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date
from babel.numbers import format_compact_decimal

from apps.core.money import exponent, format_minor, to_decimal

HEIGHT, WIDTH, BAR = 200, 724, 36
TICKS = 5
_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid."""

    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One month: the whole behind, the part in front; texts for the tooltip and the table."""

    x: float
    centre: float
    total_y: float
    total_height: float
    part_y: float
    part_height: float
    label: str
    name: str
    total: str
    part: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What ``<c-chart>`` draws."""

    ticks: tuple[Tick, ...]
    bars: tuple[Bar, ...]


def monthly(rows: Sequence[tuple[date, int, int]], currency: str, locale: str) -> Chart:
    """Two amounts a month, in minor units of `currency`; negative amounts are drawn as nothing."""
    top = _ceiling(max((max(total, part) for _, total, part in rows), default=0), currency)
    slot = WIDTH / max(1, len(rows))
    bars = []
    for index, (month, total, part) in enumerate(rows):
        centre = slot * index + slot / 2
        total_height, part_height = (round(max(0, value) / top * HEIGHT, 2) for value in (total, part))
        bars.append(
            Bar(
                x=round(centre - BAR / 2, 2),
                centre=round(centre, 2),
                total_y=HEIGHT - total_height,
                total_height=total_height,
                part_y=HEIGHT - part_height,
                part_height=part_height,
                label=format_date(month, "LLL", locale=locale),
                name=format_date(month, "LLLL y", locale=locale),
                total=format_minor(total, currency, locale),
                part=format_minor(part, currency, locale),
            )
        )
    ticks = tuple(
        Tick(
            y=HEIGHT - HEIGHT * step / TICKS,
            label=_compact(top * step // TICKS, currency, locale),
        )
        for step in range(TICKS + 1)
    )
    return Chart(ticks, tuple(bars))


def _compact(amount_minor: int, currency: str, locale: str) -> str:
    return str(format_compact_decimal(to_decimal(amount_minor, currency), locale=locale, fraction_digits=1))


def _ceiling(highest: int, currency: str) -> int:
    # A round number of whole currency units that divides into the grid's lines.
    unit = 10 ** exponent(currency)
    wanted = max(highest, unit * TICKS) / TICKS
    magnitude = 1
    while magnitude * 10 <= wanted:
        magnitude *= 10
    step = next(factor * magnitude for factor in _STEPS if factor * magnitude >= wanted)
    return int(step * TICKS)
