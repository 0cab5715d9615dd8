"""Which Insula runs on a data directory: written down by it once ready, read by who wants to talk to it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from devserver.layout import Layout
from devserver.lock import holder


@dataclass(frozen=True)
class RunningInsula:
    """A ready Insula: the process that supervises it and the port of its pages."""

    pid: int
    port: int


def running(layout: Layout) -> RunningInsula | None:
    """The ready Insula on a data directory, if there is one."""
    try:
        found = RunningInsula(**json.loads(_state_file(layout).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    # A killed one could not cross itself out.
    return found if found.pid == holder(layout.lock) else None


def write_down(layout: Layout, port: int) -> None:
    """Say that we are ready on this port."""
    unfinished = _state_file(layout).with_suffix(".new")
    unfinished.write_text(json.dumps(asdict(RunningInsula(pid=os.getpid(), port=port))))
    unfinished.replace(_state_file(layout))


def cross_out(layout: Layout) -> None:
    """Say that we are no longer (or not yet) ready."""
    _state_file(layout).unlink(missing_ok=True)


def _state_file(layout: Layout) -> Path:
    return layout.root / "running.json"
