"""One owner per data directory, held by the kernel and so never stale."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from devserver.errors import AlreadyRunning
from devserver.guard import is_alive

# A killed owner's guard still holds the lock while it stops what was left behind.
GRACE_SECONDS = 25.0


class DirectoryLock:
    """An exclusive lock on a data directory.

    The descriptor is handed to the guard process too, so the lock outlives a killed owner until
    everything it had started is gone.
    """

    def __init__(self, path: Path, directory: Path) -> None:
        self._path = path
        self._directory = directory
        self.descriptor = -1

    def acquire(self) -> None:
        """Take the lock; waits only for the clean-up after an owner that is dead.

        Raises:
            AlreadyRunning: a living process holds it.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + GRACE_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                owner = _read_pid(descriptor)
                if (owner is not None and is_alive(owner)) or time.monotonic() > deadline:
                    os.close(descriptor)
                    raise AlreadyRunning(self._directory, owner) from None
                time.sleep(0.1)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self.descriptor = descriptor

    def release(self) -> None:
        """Give the lock up; the guard must be gone by now."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def holder(path: Path) -> int | None:
    """The living process that holds the lock file, if any; a killed one's guard is none."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = _read_pid(descriptor)
        return owner if owner is not None and is_alive(owner) else None
    finally:
        os.close(descriptor)
    return None


def _read_pid(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).decode().strip()
    return int(text) if text.isdigit() else None
