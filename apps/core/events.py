"""Typed events: facts published upwards, handled at once in the publisher's transaction.

A handler that has slow or outside work writes a row that says what is owed and wakes a task on commit.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened, in the past tense. Carries plain values only, so that it can be stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Fact):
    """Something that happened in a tenant."""

    tenant_id: UUID


E = TypeVar("E", bound=Fact)
Handler = Callable[[Any], None]

_handlers: dict[type[Fact], list[Handler]] = defaultdict(list)


def subscribe(event_type: type[E]) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Register a handler. Handlers of one event run in the order of registration; registering twice is once."""

    def register(handler: Callable[[E], None]) -> Callable[[E], None]:
        if handler not in _handlers[event_type]:
            _handlers[event_type].append(handler)
        return handler

    return register


def publish(event: Fact) -> None:
    """Run every handler of `event` now. An error in a handler undoes the whole change: facts are all or nothing.

    Raises:
        RuntimeError: no transaction is open, so change and reaction could part.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{type(event).__name__} was published outside a transaction.")
    for handler in _handlers[type(event)]:
        handler(event)
