"""PostgreSQL and Valkey together, for as long as one process needs them."""

from __future__ import annotations

import signal
from types import TracebackType
from typing import Self

from devserver.guard import Guard
from devserver.layout import Layout
from devserver.lock import DirectoryLock
from devserver.postgres import Postgres, Tuning
from devserver.valkey import Valkey


class Services:
    """The embedded servers of one data directory, as a context manager.

    Entering takes the directory's lock, starts both servers side by side and waits for both. Leaving stops
    them; should this process be killed outright, the guard does. `need_postgres` and `need_valkey` are False
    where the environment names a real server.

    Raises:
        AlreadyRunning: another process owns the data directory.
        StartupError: a server did not start.
    """

    def __init__(self, layout: Layout, tuning: Tuning, *, need_postgres: bool = True, need_valkey: bool = True) -> None:
        self.layout = layout
        self._lock = DirectoryLock(layout.lock, layout.root)
        self._postgres = Postgres(layout, tuning) if need_postgres else None
        self._valkey = Valkey(layout) if need_valkey else None
        self._guard: Guard | None = None

    @property
    def guard(self) -> Guard:
        """The guard, to which further processes can be named while the services run."""
        assert self._guard is not None, "services are not running"
        return self._guard

    @property
    def pids(self) -> list[int]:
        """The processes that make up the services, the guard among them."""
        servers = [server.process for server in (self._postgres, self._valkey) if server]
        return [process.pid for process in servers if process] + [self.guard.pid]

    def __enter__(self) -> Self:
        self._lock.acquire()
        try:
            self._guard = Guard(keep_open=(self._lock.descriptor,))
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop the servers, dismiss the guard and give up the lock; harmless when called again."""
        if self._valkey:
            self._valkey.stop()
        if self._postgres:
            self._postgres.stop()
        if self._guard:
            self._guard.dismiss()
            self._guard = None
        self._lock.release()

    def revive(self) -> list[str]:
        """Start again what has ended since; the names of the servers that had.

        Raises:
            StartupError: a server does not come back.
        """
        revived = []
        for name, server in (("PostgreSQL", self._postgres), ("Valkey", self._valkey)):
            if server and server.process and server.process.poll() is not None:
                self.guard.forget(server.process.pid)
                self._watch(server)
                server.wait_ready()
                revived.append(name)
        return revived

    def _watch(self, server: Postgres | Valkey) -> None:
        process = server.start()
        # Only the process itself: PostgreSQL's backends form groups of their own and follow it.
        number = signal.SIGINT if isinstance(server, Postgres) else signal.SIGTERM
        self.guard.watch(process.pid, stop_signal=number, group=False, last=True)

    def _start(self) -> None:
        # Valkey comes up while initdb runs; both are awaited together.
        servers = [server for server in (self._valkey, self._postgres) if server]
        for server in servers:
            self._watch(server)
        for server in servers:
            server.wait_ready()
