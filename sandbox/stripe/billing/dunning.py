"""When a refused invoice is tried again, and what becomes of a subscription whose invoice stays unpaid.

Source: https://docs.stripe.com/billing/revenue-recovery/smart-retries (a custom schedule).
"""

from __future__ import annotations

from sandbox.stripe.billing.calendar import DAY
from sandbox.stripe.calls import Work

RETRIES_AFTER = (3 * DAY, 5 * DAY, 7 * DAY)
"""Seconds between one refusal and the next attempt."""

OUTCOMES = ("cancel", "unpaid", "past_due")
_SWITCH = "after_dunning"


def next_attempt(work: Work, attempts: int) -> int | None:
    """Return when an invoice refused `attempts` times is tried again; null when never."""
    return work.now + RETRIES_AFTER[attempts - 1] if attempts <= len(RETRIES_AFTER) else None


def outcome(work: Work) -> str:
    """Return what the account does to a subscription after the last refusal; `cancel` unless set otherwise."""
    row = work.objects.connection.execute("SELECT value FROM switch WHERE name = ?", (_SWITCH,)).fetchone()
    return "cancel" if row is None else str(row["value"])


def set_outcome(work: Work, chosen: str) -> None:
    """Choose one of `OUTCOMES`, as the account's dashboard does on Stripe."""
    work.objects.connection.execute(
        "INSERT INTO switch (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (_SWITCH, chosen),
    )
