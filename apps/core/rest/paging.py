"""Cursor pages: stable while rows come and go, no OFFSET and no COUNT."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import F, Model, QuerySet, Value

from apps.core.errors import ValidationFailed
from apps.core.rest.ordering import NEWEST, Beyond, Order, SortKeys

DEFAULT_LIMIT, MAX_LIMIT = 20, 100
PLACE = "page_place"
M = TypeVar("M", bound=Model)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page a caller asks for. `after` is the id of the last row that he has, `value` that row's sort key."""

    limit: int = DEFAULT_LIMIT
    after: UUID | None = None
    order: Order = NEWEST
    value: Any = None

    @classmethod
    def from_query(cls, query: Any, keys: SortKeys | None = None, default: Order = NEWEST) -> "PageRequest":
        """Read ``limit`` (1–100, default 20), ``cursor``, and ``ordering``, which names one of `keys`.

        Raises:
            ValidationFailed: one is malformed, or the cursor is another order's.
        """
        raw = query.get("limit", str(DEFAULT_LIMIT))
        # Measured before it is read: what is thousands of digits long takes its time.
        if len(raw) > 6 or not raw.isascii() or not raw.isdigit() or not 1 <= int(raw) <= MAX_LIMIT:
            raise ValidationFailed.one("limit", "out_of_range", f"limit is a whole number from 1 to {MAX_LIMIT}.")
        wanted = query.get("ordering")
        order = _order(wanted, keys) if wanted and keys else default
        cursor = query.get("cursor")
        if not cursor:
            return cls(int(raw), order=order)
        value, after = decode(cursor, order)
        return cls(int(raw), after, order, value)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of rows and the cursor of the next, if there is one."""

    rows: list[T]
    next_cursor: str | None

    @property
    def has_more(self) -> bool:
        """Whether another page follows."""
        return self.next_cursor is not None

    def body(self, present: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
        """The collection's answer (PRODUCT, API prefix and body)."""
        return {"data": [present(row) for row in self.rows], "next_cursor": self.next_cursor, "has_more": self.has_more}


def whole(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """A collection that fits one page, because there are few of its kind."""
    return {"data": list(rows), "next_cursor": None, "has_more": False}


def paginate(rows: QuerySet[M], request: PageRequest) -> Page[M]:
    """Cut one page out of `rows` in the order that was asked for."""
    order = request.order
    if order.key.expression is None:
        if request.after is not None:
            rows = rows.filter(**{"pk__lt" if order.is_descending else "pk__gt": request.after})
        rows = rows.order_by("-pk" if order.is_descending else "pk")
    else:
        column = order.key.column
        if request.after is not None:
            place = (column, F("pk"), Value(request.value), Value(request.after))
            rows = rows.filter(Beyond(*place, is_descending=order.is_descending))
        rows = rows.annotate(**{PLACE: column}).order_by(order.by(column), order.by(F("pk")))
    found = list(rows[: request.limit + 1])
    more = len(found) > request.limit
    found = found[: request.limit]
    return Page(found, encode(found[-1].pk, order, getattr(found[-1], PLACE, None)) if more else None)


def encode(row_id: UUID, order: Order = NEWEST, value: Any = None) -> str:
    """An opaque cursor for the place of `row_id`, whose sort key is `value`; it is good for this order alone."""
    if order == NEWEST:
        return base64.urlsafe_b64encode(row_id.bytes).decode().rstrip("=")
    told = "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)
    text = json.dumps([order.name, told, row_id.hex], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, order: Order = NEWEST) -> tuple[Any, UUID]:
    """The sort key and the id of the row that a cursor points at.

    Raises:
        ValidationFailed: not a cursor that this server made, or one of another order.
    """
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        if len(data) == len(UUID(int=0).bytes):
            name, told, row_id = NEWEST.name, "", UUID(bytes=data)
        else:
            name, told, row_hex = map(str, json.loads(data))
            row_id = UUID(row_hex)
        if name == order.name:
            return (None if order.key.expression is None else order.key.read(told)), row_id
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise ValidationFailed.one("cursor", "invalid", "This cursor is not one of ours.") from error
    text = "This cursor belongs to another ordering; begin without a cursor."
    raise ValidationFailed.one("cursor", "other_ordering", text)


def _order(wanted: str, keys: SortKeys) -> Order:
    key = keys.get(wanted.removeprefix("-"))
    if key is None:
        raise ValidationFailed.one("ordering", "unknown", f"ordering is one of {', '.join(order_names(keys))}.")
    return Order(wanted, key)


def order_names(keys: Mapping[str, Any]) -> list[str]:
    """Every value that ``ordering`` takes."""
    return [f"{sign}{name}" for name in keys for sign in ("", "-")]
