"""Cursor pages: newest first, stable while rows are inserted, no OFFSET and no COUNT."""

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from apps.core.errors import ValidationFailed

DEFAULT_LIMIT, MAX_LIMIT = 20, 100
M = TypeVar("M", bound=Model)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page a caller asks for. `after` is the id of the last row that he has; ids are UUIDv7, so they sort."""

    limit: int = DEFAULT_LIMIT
    after: UUID | None = None

    @classmethod
    def from_query(cls, query: Any) -> "PageRequest":
        """Read ``limit`` (1–100, default 20) and ``cursor``.

        Raises:
            ValidationFailed: either is malformed.
        """
        raw = query.get("limit", str(DEFAULT_LIMIT))
        if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw[:6]) <= MAX_LIMIT:
            raise ValidationFailed.one("limit", "out_of_range", f"limit is a whole number from 1 to {MAX_LIMIT}.")
        cursor = query.get("cursor")
        return cls(int(raw), decode(cursor) if cursor else None)


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


def paginate(rows: QuerySet[M], request: PageRequest) -> Page[M]:
    """Cut one page out of `rows`, ordered by id, newest first."""
    if request.after is not None:
        rows = rows.filter(pk__lt=request.after)
    found = list(rows.order_by("-pk")[: request.limit + 1])
    more = len(found) > request.limit
    found = found[: request.limit]
    return Page(found, encode(found[-1].pk) if more else None)


def whole(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The answer of a collection that fits one page, because there are few of its kind."""
    return {"data": list(rows), "next_cursor": None, "has_more": False}


def encode(row_id: UUID) -> str:
    """An opaque cursor for `row_id`."""
    return base64.urlsafe_b64encode(row_id.bytes).decode().rstrip("=")


def decode(cursor: str) -> UUID:
    """The row that a cursor points at.

    Raises:
        ValidationFailed: not a cursor that this server made.
    """
    try:
        return UUID(bytes=base64.b64decode(cursor + "==", altchars=b"-_", validate=True))
    except (ValueError, binascii.Error) as error:
        raise ValidationFailed.one("cursor", "invalid", "This cursor is not one of ours.") from error
