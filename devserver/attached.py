"""Running one command with the servers up: the tests, a shell, the benchmarks."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from devserver.environment import Environment, libpq_variables
from devserver.errors import AlreadyRunning
from devserver.layout import REPOSITORY, Layout
from devserver.postgres import Tuning
from devserver.services import Services


def run_command(
    layout: Layout, environment: Environment, tuning: Tuning, command: Sequence[str], *, join: bool
) -> int:
    """Start the servers, run the command in the repository, stop the servers; the command's exit status.

    With `join`, servers that are already up on this data directory are used and left running. Without a
    command the servers stay up until SIGINT or SIGTERM, and the exports to reach them are printed.

    Raises:
        AlreadyRunning: the data directory is in use and `join` is False.
        StartupError: a server did not start.
    """
    services = Services(
        layout, tuning, need_postgres=environment.need_postgres, need_valkey=environment.need_valkey
    )
    variables = {**environment.variables}
    if environment.need_postgres:
        variables |= libpq_variables(layout)
    try:
        with services:
            return _hold(variables, command, services)
    except AlreadyRunning:
        if not join or not command:
            raise
        return _hold(variables, command, None)


def _hold(variables: Mapping[str, str], command: Sequence[str], services: Services | None) -> int:
    if not command:
        return _wait_for_signal(variables)
    # A terminal's Ctrl-C reaches the command itself; we only wait for it to end.
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(  # noqa: S603
        list(command), cwd=REPOSITORY, env=dict(variables), preexec_fn=_default_interrupt  # noqa: PLW1509
    )
    signal.signal(signal.SIGTERM, lambda number, frame: child.send_signal(signal.SIGTERM))
    if services:
        services.guard.watch(child.pid, group=False)
    status = child.wait()
    if services:
        services.guard.forget(child.pid)
    signal.signal(signal.SIGINT, previous)
    # A shell's convention for a command ended by a signal.
    return 128 - status if status < 0 else status


def _default_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _wait_for_signal(variables: Mapping[str, str]) -> int:
    for name in sorted(variables.keys() - os.environ.keys()):
        print(f"export {name}={shlex.quote(variables[name])}")
    sys.stdout.flush()
    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, frame: stopped.append(received))
    while not stopped:
        time.sleep(0.2)
    return 0
