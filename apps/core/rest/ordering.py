"""Ways to sort a list, each with an index behind it: the key, then the id, so that no two rows share a place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import BooleanField, Expression, F, Func

NEWEST_FIRST = "-created_at"
MAX_BIGINT = 2**63 - 1


@dataclass(frozen=True, slots=True)
class SortKey:
    """What rows are sorted by before their ids; without an expression, by their ids alone (UUIDv7: by age).

    The expression is never null: rows without a value need one by ``Coalesce``, the same as in the index.
    """

    expression: str | Expression | None = None
    read: Callable[[str], Any] = str

    @property
    def column(self) -> Expression | F:
        """The expression as queries take it."""
        assert self.expression is not None
        return F(self.expression) if isinstance(self.expression, str) else self.expression


@dataclass(frozen=True, slots=True)
class Order:
    """One of a list's orders as callers name it: ``due_date``, ``-due_date``."""

    name: str
    key: SortKey

    @property
    def is_descending(self) -> bool:
        """Whether the largest comes first."""
        return self.name.startswith("-")

    def by(self, expression: Expression | F) -> Any:
        """`expression` in this direction."""
        return expression.desc() if self.is_descending else expression.asc()


AGE = SortKey()
NEWEST = Order(NEWEST_FIRST, AGE)
SortKeys = Mapping[str, SortKey]


class Beyond(Func):
    """``(key, id) < (value, id)``: the rows after a place in one comparison, which an index starts at."""

    output_field = BooleanField()
    arity = 4

    def __init__(self, *expressions: Any, is_descending: bool, **extra: Any) -> None:
        super().__init__(*expressions, is_descending=is_descending, **extra)

    def as_sql(
        self,
        compiler: Any,
        connection: Any,
        function: str | None = None,
        template: str | None = None,
        arg_joiner: str | None = None,
        **extra_context: Any,
    ) -> tuple[str, tuple[str | int, ...]]:
        """The comparison."""
        parts, values = [], []
        for expression in self.get_source_expressions():
            sql, parameters = compiler.compile(expression)
            parts.append(sql)
            values += parameters
        sign = "<" if self.extra["is_descending"] else ">"
        return f"({parts[0]}, {parts[1]}) {sign} ({parts[2]}, {parts[3]})", tuple(values)


def whole_number(text: str) -> int:
    """A cursor's number.

    Raises:
        ValueError: it is none that a column could hold.
    """
    number = int(text)
    if not -MAX_BIGINT <= number <= MAX_BIGINT:
        raise ValueError(text)
    return number


def words(text: str) -> str:
    """A cursor's text.

    Raises:
        ValueError: a column could not hold it.
    """
    text.encode()
    if "\x00" in text:
        raise ValueError(text)
    return text


def by_day(expression: str | Expression) -> SortKey:
    """By a date."""
    return SortKey(expression, date.fromisoformat)


def by_number(expression: str | Expression) -> SortKey:
    """By a whole number."""
    return SortKey(expression, whole_number)


def by_words(expression: str | Expression) -> SortKey:
    """By text, as the database's collation has it."""
    return SortKey(expression, words)
