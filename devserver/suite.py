"""`make test`: the suite on servers of its own, in a directory that is gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from devserver.attached import run_with_services
from devserver.environment import build_environment
from devserver.layout import prepare_layout
from devserver.lock import holder
from devserver.ports import free_start
from devserver.postgres import Tuning
from devserver.processes import python

MAX_CONNECTIONS = 200
DEFAULT_WORKERS = "2"
# Tests never touch a real account, whatever the environment of the person running them names.
PROVIDER_PREFIX = "STRIPE_"


def run_suite(directory: Path, given: Mapping[str, str], arguments: Sequence[str]) -> int:
    """Run pytest with further arguments on a fresh cluster under the directory; pytest's exit status.

    Several suites may run at once: each has its own cluster and its own free ports.

    Raises:
        StartupError: a server did not start.
    """
    directory.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(directory)
    layout = prepare_layout(Path(tempfile.mkdtemp(prefix="suite-", dir=directory)))
    settable = {name: value for name, value in given.items() if not name.startswith(PROVIDER_PREFIX)}
    port = str(free_start(18000))
    chosen = {**settable, "PORT": port, "INSULA_DATA": str(layout.root)}
    for derived in ("REALTIME_PORT", "SANDBOX_PORT", "DJANGO_SETTINGS_MODULE"):
        chosen.pop(derived, None)
    try:
        environment = build_environment(layout, chosen, settings="config.settings.test")
        tuning = Tuning(disposable=True, max_connections=MAX_CONNECTIONS)
        command = python("-m", "pytest", "-n", DEFAULT_WORKERS, *arguments)
        return run_with_services(layout, environment, tuning, command, join=False)
    finally:
        layout.remove()


def _remove_abandoned(directory: Path) -> None:
    """Delete what killed suites left; a living one holds its lock."""
    for left in directory.glob("suite-*"):
        if holder(left / "lock") is None and (left / "lock").exists():
            prepare_layout(left).remove()
            shutil.rmtree(left, ignore_errors=True)
