"""Lists: newest first, a page at a time, by cursor.

Source: https://docs.stripe.com/api/pagination.
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.stripe.calls import Call
from sandbox.stripe.errors import InvalidRequest, no_such
from sandbox.stripe.objects import Filter, created_within
from sandbox.stripe.shapes import JsonObject

DEFAULT_LIMIT = 10


def listing(data: list[JsonObject], *, url: str, has_more: bool = False) -> JsonObject:
    """Return a list object around `data`."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def list_page(
    call: Call, kind: str, filters: Sequence[Filter] = (), *, url: str, oldest_first: bool = False
) -> JsonObject:
    """Return the page of the objects of `kind` for which the call's cursor and `created` ask.

    Raises: InvalidRequest for an unknown cursor, or two of them.
    """
    params = call.params
    limit: int = params.get("limit", DEFAULT_LIMIT)
    after, before = params.get("starting_after"), params.get("ending_before")
    if after is not None and before is not None:
        raise InvalidRequest("Only one of starting_after and ending_before may be given.", param="ending_before")
    conditions = list(filters)
    if "created" in params:
        conditions += created_within(params["created"])
    backwards = before is not None
    if after is not None:
        conditions.append((f"seq {'>' if oldest_first else '<'} ?", (_place(call, kind, after, "starting_after"),)))
    if before is not None:
        conditions.append((f"seq {'<' if oldest_first else '>'} ?", (_place(call, kind, before, "ending_before"),)))
    found = call.objects.select(kind, conditions, ascending=backwards != oldest_first, limit=limit + 1)
    page = found[:limit]
    if backwards:
        page.reverse()
    return listing(page, url=url, has_more=len(found) > limit)


def _place(call: Call, kind: str, identifier: str, param: str) -> int:
    place = call.objects.sequence(identifier)
    if place is None:
        raise no_such(kind, identifier, param=param, in_path=False)
    return place
