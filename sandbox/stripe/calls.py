"""What a piece of work is done with: the transaction, the time and who asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.stripe.errors import no_such
from sandbox.stripe.objects import Objects
from sandbox.stripe.shapes import JsonObject


@dataclass(frozen=True)
class Work:
    """One transaction's worth of work.

    `now` is the time in seconds; `request_id` and `idempotency_key` are null for work that no API request asked
    for, such as a customer's click on the hosted page.
    """

    objects: Objects
    now: int
    base_url: str
    request_id: str | None = None
    idempotency_key: str | None = None

    @property
    def account(self) -> str:
        """The account whose objects are worked on."""
        return self.objects.account

    def of(self, account: str) -> Work:
        """Return the same piece of work on another account's objects."""
        return Work(self.objects.of(account), self.now, self.base_url, self.request_id, self.idempotency_key)

    def require(self, kind: str, identifier: str, *, param: str, in_path: bool = False) -> JsonObject:
        """Return the object.

        Raises: InvalidRequest or, when the address named it, NotFound: `resource_missing`.
        """
        body = self.objects.get(kind, identifier)
        if body is None:
            raise no_such(kind, identifier, param=param, in_path=in_path)
        return body


@dataclass(frozen=True)
class Call(Work):
    """An API request: its checked parameters and what its address names."""

    params: dict[str, Any] = field(default_factory=dict)
    path: dict[str, str] = field(default_factory=dict)

    def target(self, kind: str, name: str) -> JsonObject:
        """Return the object which the part `name` of the address names.

        Raises: NotFound `resource_missing`.
        """
        return self.require(kind, self.path[name], param=name, in_path=True)
