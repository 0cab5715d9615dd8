"""API objects as rows: the public body, and a hidden part that no answer shows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from sandbox.stripe.configuration import ACCOUNT_ID
from sandbox.stripe.shapes import JsonObject

Filter = tuple[str, Sequence[object]]
"""An SQL condition over the table `object` and its parameters."""

_INSERT = "INSERT INTO object (id, account, kind, created, body, hidden) VALUES (?, ?, ?, ?, ?, ?)"


class Objects:
    """The objects of one account as one transaction sees them."""

    def __init__(self, connection: sqlite3.Connection, account: str = ACCOUNT_ID) -> None:
        self.connection = connection
        self.account = account

    def of(self, account: str) -> Objects:
        """Return the objects of another account in the same transaction."""
        return Objects(self.connection, account)

    @classmethod
    def around(cls, connection: sqlite3.Connection, identifier: str) -> Objects:
        """Return the objects of the account that holds `identifier`; of the platform when nothing is known of it."""
        row = connection.execute("SELECT account FROM object WHERE id = ?", (identifier,)).fetchone()
        return cls(connection, ACCOUNT_ID if row is None else row["account"])

    def insert(self, body: JsonObject, hidden: JsonObject | None = None) -> None:
        """Store a new object; its kind is its `object` member."""
        self.connection.execute(
            _INSERT,
            (body["id"], self.account, body["object"], body["created"], json.dumps(body), json.dumps(hidden or {})),
        )

    def insert_part(self, body: JsonObject, *, owner: str, created: int) -> None:
        """Store an object without `created` of its own, such as a line of a checkout session."""
        self.connection.execute(
            _INSERT,
            (body["id"], self.account, body["object"], created, json.dumps(body), json.dumps({"owner": owner})),
        )

    def get(self, kind: str, identifier: str) -> JsonObject | None:
        """Return the body, or None when it does not exist or was deleted."""
        row = self.connection.execute(
            "SELECT body FROM object WHERE id = ? AND kind = ? AND account = ? AND NOT deleted",
            (identifier, kind, self.account),
        ).fetchone()
        return None if row is None else _decoded(row["body"])

    def find(self, identifier: str) -> JsonObject | None:
        """Return the body of any kind; a deleted object answers as Stripe shows it."""
        row = self.connection.execute(
            "SELECT body, kind, deleted FROM object WHERE id = ? AND account = ?", (identifier, self.account)
        ).fetchone()
        if row is None:
            return None
        if row["deleted"]:
            return {"id": identifier, "object": row["kind"], "deleted": True}
        return _decoded(row["body"])

    def hidden(self, identifier: str) -> JsonObject:
        """Return the part of the object that answers do not show."""
        row = self.connection.execute("SELECT hidden FROM object WHERE id = ?", (identifier,)).fetchone()
        return {} if row is None else _decoded(row["hidden"])

    def replace(self, body: JsonObject) -> None:
        """Store the object's new body."""
        self.connection.execute("UPDATE object SET body = ? WHERE id = ?", (json.dumps(body), body["id"]))

    def hide(self, identifier: str, **values: object) -> None:
        """Set members of the object's hidden part."""
        merged = self.hidden(identifier) | values
        self.connection.execute("UPDATE object SET hidden = ? WHERE id = ?", (json.dumps(merged), identifier))

    def delete(self, identifier: str) -> None:
        """Mark the object deleted; lists leave it out, `find` still names it."""
        self.connection.execute("UPDATE object SET deleted = 1 WHERE id = ?", (identifier,))

    def sequence(self, identifier: str) -> int | None:
        """Return the object's place in the order of creation."""
        row = self.connection.execute(
            "SELECT seq FROM object WHERE id = ? AND account = ?", (identifier, self.account)
        ).fetchone()
        return None if row is None else int(row["seq"])

    def select(
        self, kind: str, filters: Sequence[Filter] = (), *, ascending: bool = False, limit: int | None = None
    ) -> list[JsonObject]:
        """Return the bodies of the kind that pass all filters, newest first unless `ascending`."""
        conditions = ["kind = ?", "account = ?", "NOT deleted", *(condition for condition, _ in filters)]
        values: list[object] = [kind, self.account]
        for _, given in filters:
            values.extend(given)
        order = "ASC" if ascending else "DESC"
        rows = self.connection.execute(
            f"SELECT body FROM object WHERE {' AND '.join(conditions)} ORDER BY seq {order} LIMIT ?",
            [*values, -1 if limit is None else limit],
        )
        return [json.loads(row["body"]) for row in rows]


def _decoded(text: str) -> JsonObject:
    body: JsonObject = json.loads(text)
    return body


def equals(member: str, value: object) -> Filter:
    """Return the condition that a member of the body has a value."""
    return f"json_extract(body, '$.{member}') = ?", (value,)


def owned_by(owner: str) -> Filter:
    """Return the condition that the object is a part of `owner`."""
    return "json_extract(hidden, '$.owner') = ?", (owner,)


def created_within(given: int | dict[str, int]) -> list[Filter]:
    """Return the conditions for a `created` filter: one instant or bounds, in seconds."""
    if isinstance(given, int):
        return [("created = ?", (given,))]
    signs = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
    return [(f"created {signs[bound]} ?", (value,)) for bound, value in given.items()]
