"""Lists that need no model: what a list asks of the database is compiled once, its rows are shown as they come."""

import re
from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet

from apps.core.postgres.pipeline import Asked, Statement
from apps.core.rest.ordering import NEWEST
from apps.core.rest.paging import Page, PageRequest, encode
from apps.core.tenants import Row, current_alias

PLAIN = frozenset({"limit", "cursor"})
# All statements of a message see the same rows, so that what belongs to a page is that of the page which was found.
_AT_ONE_MOMENT: Asked = Statement.of("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"), ()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as far as a list's rows depend on it; `today` is the tenant's business date."""

    tenant_id: UUID
    user_id: UUID
    today: date


# What query sets are compiled with; the statement's parameters are the caller's own values in the same places.
_ANY = Caller(UUID(int=1), UUID(int=2), date(1, 2, 3))
_ANY_ROW, _ANY_LIMIT = UUID(int=3), 987_654_321
_MARKS = (_ANY.tenant_id, _ANY.user_id, _ANY.today, _ANY_ROW, _ANY_LIMIT)
_named: Any = namedtuple  # whose names no checker knows


class _Compiled:
    """A query set's statement. Its rows are tuples, with the columns as attributes where they are a model's."""

    def __init__(self, rows: QuerySet[Any, Any]) -> None:
        compiler = rows.query.get_compiler(DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        bound, limit = iter(parameters), f"LIMIT {_ANY_LIMIT}"
        self.constants: list[Any] = []
        # Where each parameter stands in `_MARKS` and, after those, `constants`.
        self.places: list[int] = []
        for place in re.findall(f"%s|{limit}", sql):
            value = next(bound) if place == "%s" else _ANY_LIMIT
            if value in _MARKS:
                self.places.append(_MARKS.index(value))
            else:
                self.places.append(len(_MARKS) + len(self.constants))
                self.constants.append(value)
        self.sql = sql.replace(limit, "LIMIT %s")
        self.statement = Statement.of(self.sql)
        names = [alias or column.target.attname for column, _, alias in compiler.select] if compiler.klass_info else []
        self.of_row: Callable[[Row], Any] = _named(rows.model.__name__, names)._make if names else tuple

    def asked(self, caller: Caller, page: PageRequest) -> Asked:
        """The statement with its parameters."""
        return self.statement, self.values(caller, page)

    def values(self, caller: Caller, page: PageRequest) -> list[Any]:
        """The parameters."""
        known = (caller.tenant_id, caller.user_id, caller.today, page.after, page.limit + 1, *self.constants)
        return [known[place] for place in self.places]


@dataclass(frozen=True)
class CompiledList:
    """All rows of a list, their ids first, and what belongs to a page of them; each is compiled once a process.

    They are compiled with other values than a caller's, so no condition in Python may hang on those.
    """

    rows: Callable[[Caller], QuerySet[Any, Any]]
    beside: Callable[[Caller, QuerySet[Any, Any]], Sequence[QuerySet[Any, Any]]] = lambda _caller, _page: ()

    @cached_property
    def _first(self) -> list[_Compiled]:
        return self._compiled(self.rows(_ANY))

    @cached_property
    def _following(self) -> list[_Compiled]:
        return self._compiled(self.rows(_ANY).filter(pk__lt=_ANY_ROW))

    def _compiled(self, rows: QuerySet[Any, Any]) -> list[_Compiled]:
        page = rows.order_by("-pk")[:_ANY_LIMIT]
        return [_Compiled(each) for each in (page, *self.beside(_ANY, page))]

    def of(self, page: PageRequest) -> list[_Compiled]:
        """What is asked for `page`: its rows and one more, then what belongs to them."""
        return self._first if page.after is None else self._following

    def page(self, page: PageRequest, caller: Caller = _ANY) -> Page[Any]:
        """What `paginate` gives of all rows, newest first, for who has entered the tenant already.

        `caller` must be named where the rows depend on him.
        """
        compiled = self.of(page)[0]
        with connections[current_alias()].cursor() as cursor:
            cursor.execute(compiled.sql, compiled.values(caller, page))
            return _cut([*map(compiled.of_row, cursor.fetchall())], page)


@dataclass(frozen=True, slots=True)
class ThinRead:
    """A view's list, newest first, asked for with `PLAIN` parameters alone.

    `show` makes the answer's rows: of the tenant as `apps.tenancy` shows it, the page's rows, and the rows of each
    query set beside. It cannot ask the database for more.
    """

    source: CompiledList
    show: Callable[..., Iterable[dict[str, Any]]]

    def asked(self, question: Asked, caller: Caller, page: PageRequest) -> list[Asked]:
        """`question`, which enters the tenant, and after it what `page` needs."""
        compiled = self.source.of(page)
        asked = [question, *(each.asked(caller, page) for each in compiled)]
        return asked if len(compiled) == 1 else [_AT_ONE_MOMENT, *asked]

    def body(self, tenant: Any, page: PageRequest, found: Sequence[Sequence[Row]]) -> dict[str, Any]:
        """The answer of what the statements after the question found."""
        compiled = self.source.of(page)
        rows, *beside = ([*map(each.of_row, rows)] for each, rows in zip(compiled, found, strict=True))
        cut = _cut(rows, page)
        return Page([*self.show(tenant, cut.rows, *beside)], cut.next_cursor).body(_as_it_is)


def _cut(found: list[Any], page: PageRequest) -> Page[Any]:
    rows = found[: page.limit]
    return Page(rows, encode(rows[-1][0], NEWEST) if len(found) > page.limit else None)


def _as_it_is(row: dict[str, Any]) -> dict[str, Any]:
    return row
