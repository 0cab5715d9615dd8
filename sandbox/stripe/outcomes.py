"""The ends of what was begun earlier: does what `later` has kept for a time.

An outcome does nothing to an object that has come to its end another way.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from sandbox.stripe import checkout, disputes, later, payments
from sandbox.stripe.calls import Work
from sandbox.stripe.errors import StripeError
from sandbox.stripe.resources import refunds

log = logging.getLogger("sandbox.stripe")


def _debited(work: Work, intent_id: str) -> None:
    payments.succeed_later(work, intent_id)
    checkout.follow_debit(work, intent_id)


def _not_debited(work: Work, intent_id: str) -> None:
    payments.fail_later(work, intent_id)
    checkout.follow_debit(work, intent_id)


_ACTIONS: dict[str, Callable[[Work, str], None]] = {
    payments.SUCCEED: _debited,
    payments.FAIL: _not_debited,
    refunds.SUCCEED: refunds.succeed_later,
    refunds.FAIL: refunds.fail_later,
    disputes.OPEN: disputes.open_later,
    disputes.WIN: disputes.win_later,
    disputes.LOSE: disputes.lose_later,
}


def run(work: Work, *, until: float | None = None, target: str | None = None) -> int:
    """Do what is due at `until` (all when None) to `target` (to every object when None); return how many things."""
    due = later.waiting(work.objects.connection, until=until, target=target)
    for row in due:
        later.forget(work.objects.connection, row)
        work.objects.connection.execute("SAVEPOINT outcome")
        try:
            _ACTIONS[row["action"]](work.of(row["account"]), row["target"])
        except StripeError:
            # What it was about has changed or gone; the others must still come to their end.
            work.objects.connection.execute("ROLLBACK TO outcome")
            log.warning("%s of %s could not be done", row["action"], row["target"], exc_info=True)
        work.objects.connection.execute("RELEASE outcome")
    return len(due)
