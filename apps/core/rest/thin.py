"""Lists that need no model: the plainest question about them is one statement, its rows are shown as they come."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from apps.core.postgres.pipeline import Asked, Statement
from apps.core.rest.paging import PageRequest
from apps.core.tenants import Row

PLAIN = frozenset({"limit", "cursor"})


@dataclass(frozen=True, slots=True)
class ThinRead:
    """A view's list in its own order, asked for with `PLAIN` parameters alone.

    `first` takes how many rows to read, one more than are shown; `following` the id of the last row before, and that.
    `body` makes the answer of them: the tenant as `apps.tenancy` shows it, what was asked for, the rows.
    """

    first: Statement
    following: Statement
    body: Callable[[Any, PageRequest, Sequence[Row]], dict[str, Any]]

    def asked(self, page: PageRequest) -> Asked:
        """The statement for `page`, with its parameters."""
        if page.after is None:
            return self.first, (page.limit + 1,)
        return self.following, (page.after, page.limit + 1)
