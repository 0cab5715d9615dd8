"""Running a command against a whole Insula: the one that is up, or one started for the command."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Mapping, Sequence

from devserver.attached import run_command
from devserver.environment import build_environment
from devserver.errors import StartupError
from devserver.layout import REPOSITORY, Layout
from devserver.lock import holder
from devserver.logfile import last_lines
from devserver.ports import free_start
from devserver.processes import python
from devserver.run import STOP_WITH_PARENT
from devserver.running import running

START_SECONDS = 300.0


def run_against(layout: Layout, given: Mapping[str, str], command: Sequence[str], *, settings: str) -> int:
    """Run a command against the Insula on a data directory, or one started for its duration; its exit status.

    The command finds PORT, REALTIME_PORT, SANDBOX_PORT and all else in its environment.

    Raises:
        StartupError: something that serves no pages uses the data directory, or the start failed.
    """
    if (owner := holder(layout.lock)) is None:
        return _run_for_a_while(layout, given, command, settings=settings)
    found = running(layout)
    if found is None:
        raise StartupError(
            f"Process {owner} uses the data directory {layout.root} but serves no pages (yet). "
            "Wait until `make run` has printed its addresses, or stop that process."
        )
    return run_command(_variables(layout, given, found.port, settings), command)


def _run_for_a_while(layout: Layout, given: Mapping[str, str], command: Sequence[str], *, settings: str) -> int:
    port = free_start()
    print(f"Nothing runs on {layout.root}: starting Insula on port {port} for this command …", flush=True)
    derived = ("REALTIME_PORT", "SANDBOX_PORT")
    variables = {name: value for name, value in given.items() if name not in derived}
    variables |= {"PORT": str(port), "INSULA_DATA": str(layout.root), STOP_WITH_PARENT: "1"}
    with (layout.logs / "run.log").open("wb") as output:
        insula = subprocess.Popen(
            python("-m", "devserver", "run"),
            cwd=REPOSITORY,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(insula, layout)
        return run_command(_variables(layout, given, port, settings), command, spare=(insula.pid,))
    finally:
        insula.send_signal(signal.SIGTERM)
        insula.wait()


def _wait_until_ready(insula: subprocess.Popen[bytes], layout: Layout) -> None:
    deadline = time.monotonic() + START_SECONDS
    while running(layout) is None:
        if insula.poll() is not None or time.monotonic() > deadline:
            raise StartupError(f"Insula did not start:\n{last_lines(layout.logs / 'run.log', 40)}")
        time.sleep(0.1)


def _variables(layout: Layout, given: Mapping[str, str], port: int, settings: str) -> Mapping[str, str]:
    chosen = {name: value for name, value in given.items() if name not in ("REALTIME_PORT", "SANDBOX_PORT")}
    return build_environment(layout, {**chosen, "PORT": str(port)}, settings=settings).variables
