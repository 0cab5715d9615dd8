"""Failures of the development server that end in one clear message instead of a traceback."""

from __future__ import annotations


class StartupError(Exception):
    """Something a person must change before Insula can start; the message says what."""


class AlreadyRunning(StartupError):
    """Another process holds this data directory."""

    def __init__(self, directory: object, pid: int | None) -> None:
        holder = f" (process {pid})" if pid else ""
        super().__init__(
            f"Insula is already running on the data directory {directory}{holder}. "
            "Stop it first, or choose another directory with INSULA_DATA= and another port with PORT=."
        )
        self.pid = pid
