"""When an object next has something to do: the instant is kept beside it, for its clock."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.stripe.calls import Work
from sandbox.stripe.shapes import JsonObject


@dataclass(frozen=True)
class Due:
    """An object that has something to do at an instant, and the account that it belongs to."""

    identifier: str
    kind: str
    account: str
    instant: int


def keep(work: Work, body: JsonObject, due: int | None) -> None:
    """Store the object's body and the instant at which it is due again; null when never."""
    work.objects.replace(body)
    work.objects.hide(body["id"], due=due, clock=body["test_clock"] or "")


def next_due(work: Work, clock: str, until: int) -> Due | None:
    """Return the first thing of all accounts that is due by `until`; an empty clock is the wall's."""
    row = work.objects.connection.execute(
        "SELECT id, kind, account, json_extract(hidden, '$.due') AS due FROM object"
        " WHERE json_extract(hidden, '$.due') <= ? AND json_extract(hidden, '$.clock') = ? AND NOT deleted"
        " ORDER BY due, seq LIMIT 1",
        (until, clock),
    ).fetchone()
    return None if row is None else Due(row["id"], row["kind"], row["account"], row["due"])
