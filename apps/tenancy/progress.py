"""How far a long command is: a bar on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable

_BAR = 30
_LINES = 10


class Progress:
    """Counts to `total`; `write` takes text as a stream's ``write`` does."""

    def __init__(
        self, write: Callable[[str], object], *, is_terminal: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write, self._is_terminal, self._clock = write, is_terminal, clock
        self._total = self._done = 0
        self._began = clock()

    def start(self, total: int) -> None:
        """Begin to count."""
        self._total, self._done, self._began = total, 0, self._clock()
        if total and not self._is_terminal:
            self._write(f"0/{total} schemas\n")

    def advance(self) -> None:
        """One more is done."""
        self._done += 1
        if self._is_terminal:
            filled = _BAR * self._done // self._total
            self._write(f"\r[{'#' * filled}{'.' * (_BAR - filled)}] {self._line()}  ")
            if self._done == self._total:
                self._write("\n")
        elif self._done == self._total or _LINES * self._done // self._total > _LINES * (self._done - 1) // self._total:
            self._write(f"{self._line()}\n")

    def say(self, text: str) -> None:
        """A line of its own."""
        self._write(f"\r{text:<70}\n" if self._is_terminal else f"{text}\n")

    def _line(self) -> str:
        spent = self._clock() - self._began
        left = spent / self._done * (self._total - self._done)
        ending = f"in {_time(spent)}" if self._done == self._total else f"{_time(left)} left"
        return f"{self._done}/{self._total} schemas, {ending}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f} min {rest:.0f} s" if minutes else f"{rest:.1f} s"


def silent() -> Progress:
    """For background work, which nobody watches."""
    return Progress(lambda text: None, is_terminal=False)
