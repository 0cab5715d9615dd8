"""Gapless numbers: one counter row per series and year, moved in the transaction that issues the document."""

import re
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from apps.core import ids

DEFAULT_SERIES = "INV"
CREDIT_SERIES = "CN"
DEFAULT_PATTERNS = {DEFAULT_SERIES: "INV-{year}-{seq:04}", CREDIT_SERIES: "CN-{year}-{seq:04}"}
_FIELD = re.compile(r"\{(year|seq)(?::0(\d{1,2}))?\}")

# A new year goes on with the pattern that the series had before.
_TAKE = """
insert into invoices_number_series as counter (id, name, year, pattern, first_seq, last_seq)
values (
  %(id)s, %(name)s, %(year)s,
  coalesce(
    (select pattern from invoices_number_series where name = %(name)s order by year desc limit 1), %(pattern)s
  ),
  1, 1
)
on conflict (name, year) do update set last_seq = counter.last_seq + 1
returning last_seq, pattern
"""


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a series: `text` is what people see."""

    series: str
    year: int
    seq: int
    text: str


def take_next(year: int, *, series: str = DEFAULT_SERIES) -> Number:
    """The next number of `series` in `year`. Others that want one wait until this transaction ends.

    Call it as late in the transaction as can be, because of that wait. A rollback gives the number back, so no
    gap is left.
    """
    values: dict[str, UUID | str | int] = {
        "id": ids.uuid7(), "name": series, "year": year, "pattern": DEFAULT_PATTERNS[series]
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        seq, pattern = cursor.fetchone()
    return Number(series, year, seq, render(pattern, year=year, seq=seq))


def render(pattern: str, *, year: int, seq: int) -> str:
    """Fill ``{year}`` and ``{seq}`` (``{seq:04}`` pads with zeros); anything else stays as it is written."""
    values = {"year": year, "seq": seq}
    return _FIELD.sub(lambda field: str(values[field[1]]).zfill(int(field[2] or 0)), pattern)
