"""Whose time it is: customers on a test clock live at its time, all others at the wall's.

Source: https://docs.stripe.com/billing/testing/test-clocks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from sandbox.stripe.calls import Work
from sandbox.stripe.shapes import JsonObject

KIND = "test_helpers.test_clock"

W = TypeVar("W", bound=Work)


def at_time_of(work: W, body: JsonObject) -> W:
    """Return the work at the time of the object's clock (its `test_clock` member), if it has one."""
    clock_id = body.get("test_clock")
    clock = work.objects.get(KIND, clock_id) if clock_id else None
    return work if clock is None else replace(work, now=clock["frozen_time"])


def move(work: Work, clock_id: str) -> None:
    """Let the clock, if there is one, show the work's time."""
    clock = work.objects.get(KIND, clock_id)
    if clock is not None:
        work.objects.replace(clock | {"frozen_time": work.now})
