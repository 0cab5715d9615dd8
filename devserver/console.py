"""Lines on the terminal, prefixed and coloured by process, that never hold up who writes them."""

from __future__ import annotations

import datetime
import os
import queue
import sys
import threading
from pathlib import Path
from typing import TextIO

from honcho.colour import get_colours
from honcho.printer import Message, Printer

LONGEST_BACKLOG = 5000
FLUSH_SECONDS = 2.0


class Console:
    """Prints through honcho's printer from a thread of its own.

    Whoever started us may stop reading our output. A full pipe then costs lines here (they are counted, and
    every process has its log file) instead of blocking the processes whose output we read.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._pending: queue.Queue[str | None] = queue.Queue(LONGEST_BACKLOG)
        self._lost = 0
        self._printer = Printer(self, width=len("supervisor"))
        self._colours = get_colours()
        self._colour_of: dict[str, str] = {}
        self.broken = threading.Event()
        self._writer = threading.Thread(target=self._write_pending, name="console", daemon=True)
        self._writer.start()

    def line(self, name: str, text: str) -> None:
        """One or more lines of one process."""
        if name not in self._colour_of:
            self._colour_of[name] = next(self._colours)
        now = datetime.datetime.now().astimezone()
        self._printer.write(Message("line", text, now, name, self._colour_of[name]))

    def block(self, text: str) -> None:
        """Text for people, without prefixes."""
        self.write(text + "\n")

    def close(self) -> None:
        """Write what is pending, for a moment at most."""
        try:
            self._pending.put(None, timeout=FLUSH_SECONDS)
        except queue.Full:
            return
        self._writer.join(FLUSH_SECONDS)

    # The three methods honcho's printer asks of a stream.

    def write(self, text: str) -> None:
        try:
            if self._lost and self._pending.qsize() < LONGEST_BACKLOG // 2:
                self._pending.put_nowait(f"({self._lost} pieces of output were dropped: nobody read them)\n")
                self._lost = 0
            self._pending.put_nowait(text)
        except queue.Full:
            self._lost += 1

    def flush(self) -> None:
        """Pieces are flushed as they are written."""

    def isatty(self) -> bool:
        if os.environ.get("NO_COLOR"):
            return False
        return bool(os.environ.get("FORCE_COLOR")) or self._stream.isatty()

    def _write_pending(self) -> None:
        try:
            while (text := self._pending.get()) is not None:
                self._stream.write(text)
                if self._pending.empty():
                    self._stream.flush()
            self._stream.flush()
        except OSError:
            self._turn_away()
            self.broken.set()

    def _turn_away(self) -> None:
        """Let what the stream still holds go nowhere: the interpreter's own flush at its end would fail on it."""
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())
