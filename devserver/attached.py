"""Running one command with the servers up: the tests, a shell, the benchmarks."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

from devserver.environment import Environment, libpq_variables
from devserver.errors import AlreadyRunning
from devserver.layout import REPOSITORY, Layout
from devserver.orphans import adopt_orphans, end_children, reap_orphans
from devserver.postgres import Tuning
from devserver.services import Services


def run_with_services(
    layout: Layout, environment: Environment, tuning: Tuning, command: Sequence[str], *, join: bool
) -> int:
    """Start the servers, run the command in the repository, stop the servers; the command's exit status.

    With `join`, servers that are already up on this data directory are used and left running. Without a
    command the servers stay up until SIGINT or SIGTERM, and the exports to reach them are printed.

    Raises:
        AlreadyRunning: the data directory is in use and `join` is False.
        StartupError: a server did not start.
    """
    services = Services(layout, tuning, need_postgres=environment.need_postgres, need_valkey=environment.need_valkey)
    variables = {**environment.variables}
    if environment.need_postgres:
        variables |= libpq_variables(layout)
    try:
        with services:
            return (
                run_command(variables, command, services=services, spare=services.pids)
                if command
                else _wait_for_signal(variables)
            )
    except AlreadyRunning:
        if not join or not command:
            raise
        return run_command(variables, command)


def run_command(
    variables: Mapping[str, str],
    command: Sequence[str],
    *,
    services: Services | None = None,
    spare: Collection[int] = (),
) -> int:
    """Run a command on our terminal and end what it leaves behind, except our own processes named in `spare`.

    Returns its exit status as a shell gives it.
    """
    adopt_orphans()
    try:
        with _passing_signals() as received:
            child = subprocess.Popen(list(command), cwd=REPOSITORY, env=dict(variables))
            if services:
                services.guard.watch(child.pid, stop_signal=signal.SIGINT, group=False)
            status = _wait(child, received, {child.pid, *spare})
            if services:
                services.guard.forget(child.pid)
    except FileNotFoundError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    end_children(except_for=spare)
    return 128 - status if status < 0 else status


def _wait(child: subprocess.Popen[bytes], received: list[int], ours: Collection[int]) -> int:
    """Wait for the command; SIGTERM reaches it as an interrupt, so that tests take their fixtures down."""
    while True:
        try:
            return child.wait(0.2)
        except subprocess.TimeoutExpired:
            reap_orphans(except_for=ours)
            while received:
                if received.pop() != signal.SIGINT:
                    child.send_signal(signal.SIGINT)


@contextmanager
def _passing_signals() -> Iterator[list[int]]:
    """Collect signals instead of ending; a terminal's Ctrl-C reaches the command by itself.

    Handlers, unlike ignored signals, are not inherited by the command.
    """
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)

    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _wait_for_signal(variables: Mapping[str, str]) -> int:
    for name in sorted(variables.keys() - os.environ.keys()):
        print(f"export {name}={shlex.quote(variables[name])}")
    sys.stdout.flush()
    with _passing_signals() as received:
        while not received:
            time.sleep(0.2)
    return 0
