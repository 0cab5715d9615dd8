"""A process that outlives its owner just long enough to stop what the owner had started.

The owner may be killed in a way it cannot handle (kill -9, out of memory). The guard holds the other end of a
pipe: when it closes without a farewell, the guard stops every process the owner had named, in order.
Runs as a plain script with the standard library only, so that it starts in milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PATIENCE_SECONDS = 8.0
PROCESSES = Path("/proc")


class Guard:
    """The owner's end: names processes to the guard as they come and go."""

    def __init__(self, *, keep_open: tuple[int, ...] = ()) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=keep_open,
            start_new_session=True,
            cwd="/",
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def watch(self, pid: int, *, stop_signal: int = signal.SIGTERM, group: bool = True, last: bool = False) -> None:
        """Stop this process (or the group it leads) should the owner die; `last` after all others."""
        self._tell(f"watch {pid} {int(stop_signal)} {int(group)} {int(last)}")

    def forget(self, pid: int) -> None:
        """The process has ended; its id may soon belong to somebody else."""
        self._tell(f"forget {pid}")

    def dismiss(self) -> None:
        """Everything was stopped in good order."""
        self._tell("farewell")
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            # Only somebody killing the guard on purpose gets here; the owner still stops its children itself.
            return


@dataclass(frozen=True)
class Watched:
    """A process to stop, how, and whether after the others."""

    pid: int
    stop_signal: int
    group: bool
    last: bool

    def send(self, number: int) -> None:
        """Signal what is left of it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.group:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)

    def is_alive(self) -> bool:
        """Whether it, or any member of its group, still runs."""
        return group_is_alive(self.pid) if self.group else is_alive(self.pid)


def is_alive(pid: int) -> bool:
    """Whether a process runs, also one of another user. One that merely waits to be reaped does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    state = _state_and_group(pid)
    return state is None or state[0] != "Z"


def wait_gone(pid: int, seconds: float) -> bool:
    """Wait for the end of a process that is nobody's child here; False when it outlasts the time."""
    deadline = time.monotonic() + seconds
    while is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def group_is_alive(group: int) -> bool:
    """Whether any process of the group runs."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    if not PROCESSES.is_dir():
        return True
    found = (_state_and_group(int(entry.name)) for entry in PROCESSES.iterdir() if entry.name.isdigit())
    return any(state is not None and state[1] == group and state[0] != "Z" for state in found)


def _state_and_group(pid: int) -> tuple[str, int] | None:
    """A process's state letter and group, where the system has a /proc."""
    try:
        status = (PROCESSES / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The second field is the program's name in parentheses, which may itself contain anything.
    state, _, group = status.rpartition(")")[2].split()[:3]
    return state, int(group)


def stop_all(processes: list[Watched]) -> None:
    """Ask every process to stop, wait, then kill what is left; those marked last in a second round."""
    for last in (False, True):
        alive = [process for process in processes if process.last is last]
        for process in alive:
            process.send(process.stop_signal)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while alive and time.monotonic() < deadline:
            alive = [process for process in alive if process.is_alive()]
            time.sleep(0.05)
        for process in alive:
            process.send(signal.SIGKILL)


def main() -> None:
    """Read the owner's lines until it closes the pipe."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watched: dict[int, Watched] = {}
    for line in sys.stdin:
        verb, *arguments = line.split()
        if verb == "farewell":
            return
        if verb == "watch":
            pid, stop_signal, group, last = (int(argument) for argument in arguments)
            watched[pid] = Watched(pid, stop_signal, bool(group), bool(last))
        elif verb == "forget":
            watched.pop(int(arguments[0]), None)
    stop_all(list(watched.values()))


if __name__ == "__main__":
    main()
