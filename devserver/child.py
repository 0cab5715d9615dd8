"""One supervised process: start it in a group of its own, read what it prints, see it end."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from devserver.layout import REPOSITORY
from devserver.processes import ProcessDefinition

FIRST_BACKOFF = 1.0
LONGEST_BACKOFF = 30.0
# A process that stayed up this long starts again from the shortest pause.
STEADY_SECONDS = 60.0
LONGEST_LINE = 64 * 1024
LARGEST_LOG = 20 * 1024 * 1024


class Child:
    """A process of the table through its restarts."""

    def __init__(self, definition: ProcessDefinition, variables: Mapping[str, str], logs: Path) -> None:
        self.definition = definition
        self.name = definition.name
        self.process: subprocess.Popen[bytes] | None = None
        self.ready = False
        self.restart_at: float | None = None
        self.last_lines: deque[str] = deque(maxlen=20)
        self._variables = {**variables, **definition.variables, "PYTHONUNBUFFERED": "1"}
        self._log = logs / f"{definition.name}.log"
        self._partial = b""
        self._backoff = FIRST_BACKOFF
        self._started_at = 0.0

    def start(self) -> subprocess.Popen[bytes]:
        """Start it; its output is then read with `read_lines`."""
        if self._log.exists() and self._log.stat().st_size > LARGEST_LOG:
            self._log.replace(self._log.with_suffix(".log.1"))
        self.ready = False
        self.restart_at = None
        self._started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.definition.command,
            cwd=REPOSITORY,
            env=self._variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        return self.process

    def read_lines(self) -> list[str]:
        """The complete lines printed since the last call; also appended to the process's log file."""
        assert self.process is not None and self.process.stdout is not None
        chunk = self.process.stdout.read(LONGEST_LINE) or b""
        if chunk:
            with self._log.open("ab") as log:
                log.write(chunk)
        *complete, self._partial = (self._partial + chunk).split(b"\n")
        ended = not chunk and self.process.poll() is not None
        if self._partial and (ended or len(self._partial) >= LONGEST_LINE):
            complete.append(self._partial)
            self._partial = b""
        lines = [line.decode(errors="replace").rstrip("\r") for line in complete]
        self.last_lines.extend(lines)
        pattern = self.definition.ready_line
        if pattern and any(pattern.search(line) for line in lines):
            self.ready = True
        return lines

    def schedule_restart(self) -> float:
        """Set when to start again; the pause in seconds, doubled at every failure in a row."""
        if time.monotonic() - self._started_at > STEADY_SECONDS:
            self._backoff = FIRST_BACKOFF
        pause = self._backoff
        self._backoff = min(self._backoff * 2, LONGEST_BACKOFF)
        self.restart_at = time.monotonic() + pause
        return pause

    def signal_group(self, number: int) -> bool:
        """Signal the process and its descendants; False when none is left."""
        if self.process is None:
            return False
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def clear_group(self) -> None:
        """Kill what an ended process left behind in its group, and close its output."""
        self.signal_group(signal.SIGKILL)
        if self.process and self.process.stdout:
            self.process.stdout.close()
        self.process = None
