"""Minor units out of fractions, and amounts split without remainder."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def half_up(exact: Fraction) -> int:
    """Return the whole number nearest to `exact`; halves go away from zero, so that signs cancel."""
    doubled = abs(exact) * 2
    whole = (doubled.numerator // doubled.denominator + 1) // 2
    return -whole if exact < 0 else whole


def shares(total: int, weights: Sequence[int]) -> list[int]:
    """Return `total` split in proportion to the weights, by largest remainder; the shares add up to it.

    Without any weight nothing is shared out.
    """
    whole = sum(weights)
    if whole == 0:
        return [0 for _ in weights]
    exact = [Fraction(total * weight, whole) for weight in weights]
    parts = [part.numerator // part.denominator for part in exact]
    order = sorted(range(len(weights)), key=lambda place: (parts[place] - exact[place], place))
    for place in order[: total - sum(parts)]:
        parts[place] += 1
    return parts
