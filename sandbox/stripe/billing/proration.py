"""What part of a period's price falls into the time that is left.

Source: https://docs.stripe.com/billing/subscriptions/prorations.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from sandbox.stripe.billing.rounding import half_up


@dataclass(frozen=True)
class Period:
    """A stretch of time in seconds; the end is not part of it."""

    start: int
    end: int

    def left_at(self, instant: int) -> Fraction:
        """Return the share of the period after the instant, between 0 and 1."""
        inside = min(max(instant, self.start), self.end)
        return Fraction(self.end - inside, self.end - self.start)

    def body(self) -> dict[str, int]:
        """Return the period as Stripe writes it."""
        return {"end": self.end, "start": self.start}


def remaining(amount: int, period: Period, instant: int) -> int:
    """Return the part of the period's amount that falls after the instant, in minor units.

    A credit is the negative of it, so that changing there and back at one instant comes to nothing.
    """
    return half_up(amount * period.left_at(instant))
