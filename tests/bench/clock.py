"""Measuring: CPU and wall time of a call."""

import time
from collections.abc import Callable
from statistics import median


def milliseconds(action: Callable[[], object], times: int = 20, *, clock: Callable[[], float] | None = None) -> float:
    """The median time of `action`, by the wall unless `clock` says otherwise."""
    tell = clock or time.perf_counter
    action()
    taken = []
    for _ in range(times):
        began = tell()
        action()
        taken.append((tell() - began) * 1000)
    return median(taken)
