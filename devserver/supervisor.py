"""Keeping a set of processes up: ordered start, readiness, restart with growing pauses, one way down."""

from __future__ import annotations

import os
import selectors
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from devserver.child import Child
from devserver.console import Console
from devserver.errors import StartupError
from devserver.processes import ProcessDefinition
from devserver.services import Services

READY_SECONDS = 120.0
STOP_SECONDS = 10.0
TICK_SECONDS = 0.1
SERVICE_PAUSE_SECONDS = 2.0
NAME = "supervisor"


class Stopping(Exception):
    """A person or the machine asked for the end."""


class Supervisor:
    """Runs processes until SIGINT, SIGTERM, SIGHUP, or the death of a parent that had asked for that.

    Before everything was ready once, a process that ends stops the whole start with its name and last lines.
    Afterwards it is started again, after pauses of 1, 2, 4 … 30 seconds; PostgreSQL and Valkey too.
    A second signal while stopping kills what is left.
    """

    def __init__(self, services: Services, variables: Mapping[str, str], logs: Path, console: Console) -> None:
        self._services = services
        self._variables = variables
        self._logs = logs
        self._console = console
        self._children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._signals: list[int] = []
        self._parent: int | None = None
        self._service_check_at = 0.0

    def listen_for_signals(self, *, stop_with_parent: bool) -> None:
        """From here on signals, and if wanted the death of our parent, ask for an orderly end."""
        self._parent = os.getppid() if stop_with_parent else None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup means that closing the terminal is none of our business.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, lambda received, frame: self._signals.append(received))

    def run_through(self, definitions: Sequence[ProcessDefinition]) -> None:
        """Run processes side by side until all have ended.

        Raises:
            StartupError: the status of one was not 0.
            Stopping: we were asked to stop meanwhile.
        """
        running = [self._launch(definition) for definition in definitions]
        while running:
            self._turn()
            for child in list(running):
                if child.process is not None and child.process.poll() is not None:
                    self._retire(child)
                    self._children.remove(child)
                    running.remove(child)

    def start(self, definitions: Sequence[ProcessDefinition]) -> None:
        """Start processes that stay; `wait_ready` or `keep_up` come next."""
        for definition in definitions:
            self._launch(definition)

    def wait_ready(self) -> None:
        """Return when every process is ready.

        Raises:
            StartupError: one ended, or was not ready in time; the message names it.
            Stopping: we were asked to stop meanwhile.
        """
        checker = _ReadinessChecker(self._children)
        checker.start()
        deadline = time.monotonic() + READY_SECONDS
        try:
            while waiting := [child for child in self._children if not child.ready]:
                self._turn()
                self._require_alive()
                if time.monotonic() > deadline:
                    names = ", ".join(child.name for child in waiting)
                    raise StartupError(f"Not ready after {READY_SECONDS:.0f} s: {names}. {self._where_logs()}")
        finally:
            checker.stop()

    def keep_up(self) -> NoReturn:
        """Restart what ends, until asked to stop.

        Raises:
            Stopping: always, in the end.
        """
        while True:
            self._turn()
            now = time.monotonic()
            for child in self._children:
                if child.process is not None and child.process.poll() is not None:
                    self._report_end(child)
                    pause = child.schedule_restart()
                    self._say(f"{child.name} starts again in {pause:.0f} s")
                elif child.restart_at is not None and now >= child.restart_at:
                    self._begin(child)
            if now >= self._service_check_at:
                self._service_check_at = now + SERVICE_PAUSE_SECONDS
                self._revive_services()

    def stop(self) -> None:
        """Ask every process to end, wait, kill what is left; read their last words meanwhile."""
        alive = [child for child in self._children if child.process is not None]
        if alive:
            self._say("stopping " + ", ".join(child.name for child in alive))
        seen = len(self._signals)
        for child in alive:
            child.signal_group(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while alive and time.monotonic() < deadline and len(self._signals) == seen:
            self._pump()
            for child in list(alive):
                if child.process is not None and child.process.poll() is not None:
                    self._close(child)
                    alive.remove(child)
        for child in alive:
            self._say(f"killing {child.name}")
            child.signal_group(signal.SIGKILL)
            assert child.process is not None
            child.process.wait()
            self._close(child)

    def _turn(self) -> None:
        self._pump()
        if self._signals or self._console.broken.is_set():
            raise Stopping
        # Somebody killed `make` itself, and nobody is left who could stop us later.
        if self._parent is not None and os.getppid() != self._parent:
            raise Stopping

    def _pump(self) -> None:
        for key, _ in self._selector.select(TICK_SECONDS):
            child: Child = key.data
            for line in child.read_lines():
                self._console.line(child.name, line)
            if child.process is not None and child.process.poll() is not None:
                # At its end a pipe is readable forever; what a descendant still prints is of no interest.
                self._selector.unregister(key.fileobj)

    def _launch(self, definition: ProcessDefinition) -> Child:
        child = Child(definition, self._variables, self._logs)
        self._children.append(child)
        self._begin(child)
        return child

    def _begin(self, child: Child) -> None:
        process = child.start()
        self._services.guard.watch(process.pid)
        assert process.stdout is not None
        self._selector.register(process.stdout, selectors.EVENT_READ, child)

    def _close(self, child: Child) -> int:
        """Take an ended process off the books; its exit status."""
        assert child.process is not None and child.process.stdout is not None
        status = child.process.wait()
        while lines := child.read_lines():
            for line in lines:
                self._console.line(child.name, line)
        if child.process.stdout in self._selector.get_map():
            self._selector.unregister(child.process.stdout)
        self._services.guard.forget(child.process.pid)
        child.clear_group()
        return status

    def _retire(self, child: Child) -> None:
        status = self._close(child)
        if status != 0:
            raise StartupError(self._epitaph(child, status))

    def _require_alive(self) -> None:
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                raise StartupError(self._epitaph(child, self._close(child)))

    def _report_end(self, child: Child) -> None:
        status = self._close(child)
        cause = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        self._say(f"{child.name} {cause}")

    def _revive_services(self) -> None:
        try:
            for name in self._services.revive():
                self._say(f"{name} had ended and was started again")
        except StartupError as error:
            self._say(str(error))

    def _epitaph(self, child: Child, status: int) -> str:
        words = "\n".join(f"    {line}" for line in child.last_lines)
        return f"{child.name} ended with status {status} before Insula was ready:\n{words}\n{self._where_logs()}"

    def _where_logs(self) -> str:
        return f"Complete logs are in {self._logs}."

    def _say(self, text: str) -> None:
        self._console.line(NAME, text)


class _ReadinessChecker(threading.Thread):
    """Asks over the network beside the main loop, which must keep reading what processes print."""

    def __init__(self, children: Sequence[Child]) -> None:
        super().__init__(name="readiness", daemon=True)
        self._waiting = [child for child in children if not child.ready and child.definition.ready_line is None]
        self._done = threading.Event()

    def run(self) -> None:
        while self._waiting and not self._done.wait(TICK_SECONDS):
            for child in list(self._waiting):
                check: Callable[[], bool] | None = child.definition.check
                if check is None or check():
                    child.ready = True
                    self._waiting.remove(child)

    def stop(self) -> None:
        """End the thread after the question it is asking."""
        self._done.set()
