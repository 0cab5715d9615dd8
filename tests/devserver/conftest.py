"""Directories, commands and waiting for the development server's tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devserver.layout import REPOSITORY, Layout, prepare_layout

WAIT_SECONDS = 60.0


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    """A data directory of its own; what it placed elsewhere is removed too."""
    prepared = prepare_layout(tmp_path / "data")
    yield prepared
    prepared.remove()


def shells_variables(home: Path) -> dict[str, str]:
    """An environment with nothing set but what a shell sets, and where this run keeps its bytecode."""
    kept = {name: os.environ[name] for name in ("PYTHONPYCACHEPREFIX",) if name in os.environ}
    return {"PATH": os.environ["PATH"], "HOME": str(home), **kept}


@pytest.fixture
def outer(tmp_path: Path) -> dict[str, str]:
    """The environment of a person who set nothing."""
    return shells_variables(tmp_path)


@pytest.fixture
def spawn(outer: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `python -m devserver …`; whatever still runs at the end of the test is stopped."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "devserver", *arguments],
            cwd=REPOSITORY,
            env={**outer, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=WAIT_SECONDS)


def wait_until(condition: Callable[[], object], *, seconds: float = WAIT_SECONDS) -> None:
    """Return once the condition holds; fail the test when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not so within {seconds} s")
        time.sleep(0.02)
