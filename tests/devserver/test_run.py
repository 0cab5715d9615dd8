"""`make run` as a person meets it: everything up, refused twice, gone afterwards however it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
from django.conf import settings

from devserver.layout import REPOSITORY, prepare_layout
from devserver.lock import holder
from devserver.ports import free_start, is_free
from devserver.running import running

from .conftest import shells_variables, wait_until

START_SECONDS = 300.0
pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Started:
    """An Insula under test: its supervisor, what it printed so far, and where it lies."""

    process: subprocess.Popen[bytes]
    output: Path
    data: Path
    port: int

    def descendants(self) -> list[psutil.Process]:
        """Every process it consists of now."""
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One data directory for all, so that only the first start is a cold one. It has the fonts that this run made."""
    directory = tmp_path_factory.mktemp("run") / "data"
    shutil.copytree(settings.FONT_DIR, directory / "fonts")
    yield directory
    prepare_layout(directory).remove()


def start(data: Path, folder: Path) -> Started:
    """Insula, just started."""
    # Far apart for each test process, because two look at the same moment.
    port = free_start(21000 + 40 * (os.getpid() % 400))
    output = folder / "output"
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "devserver", "run"],
            cwd=REPOSITORY,
            env={**shells_variables(folder), "PORT": str(port), "INSULA_DATA": str(data)},
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Started(process, output, data, port)


@pytest.fixture(scope="module")
def starts(data: Path) -> Iterator[list[Started]]:
    """Every start so far, the newest last; it is ended with the last test."""
    made: list[Started] = []
    yield made
    for started in made:
        if started.process.poll() is None:
            started.process.terminate()
        started.process.wait(60)
    wait_until(lambda: holder(prepare_layout(data).lock) is None)


@pytest.fixture
def insula(starts: list[Started], data: Path, tmp_path: Path) -> Started:
    """A running Insula: the one that the test before left running, else a new one on the same data."""
    if not starts or starts[-1].process.poll() is not None:
        layout = prepare_layout(data)
        wait_until(lambda: holder(layout.lock) is None)
        starts.append(start(data, tmp_path))
        process = starts[-1].process
        wait_until(lambda: running(layout) or process.poll() is not None, seconds=START_SECONDS)
        assert process.poll() is None, starts[-1].output.read_text()
    return starts[-1]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        # A helper that had done its work.
        return []


def gone(processes: list[psutil.Process]) -> bool:
    return not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in processes)


def test_a_killed_supervisor_leaves_nothing_behind(insula: Started) -> None:
    parts = insula.descendants()
    insula.process.kill()
    insula.process.wait()
    wait_until(lambda: gone(parts))
    assert all(is_free(insula.port + step) for step in range(3))


def test_a_second_start_is_refused_with_a_way_out(insula: Started, spawn: Callable[..., subprocess.Popen[str]]) -> None:
    same_data = spawn("run", INSULA_DATA=str(insula.data), PORT=str(free_start(22000)))
    output, _ = same_data.communicate(timeout=60)
    assert same_data.returncode == 1
    assert "already running" in output and "INSULA_DATA=" in output
    other = insula.data.with_name("other")
    same_port = spawn("run", INSULA_DATA=str(other), PORT=str(insula.port))
    output, _ = same_port.communicate(timeout=60)
    prepare_layout(other).remove()
    assert same_port.returncode == 1
    assert f"port {insula.port}" in output and "make run PORT=" in output
    assert insula.process.poll() is None


def test_a_command_is_run_against_what_is_up(insula: Started, spawn: Callable[..., subprocess.Popen[str]]) -> None:
    show = "import json, os; print(json.dumps({name: os.environ[name] for name in ('PORT', 'SANDBOX_PORT')}))"
    command = spawn("--data", str(insula.data), "against", "--", sys.executable, "-c", show)
    output, _ = command.communicate(timeout=60)
    assert json.loads(output) == {"PORT": str(insula.port), "SANDBOX_PORT": str(insula.port + 2)}
    assert insula.process.poll() is None


def test_everything_is_up_and_a_signal_ends_all_of_it(insula: Started) -> None:
    text = insula.output.read_text()
    assert f"http://northwind.localhost:{insula.port}/" in text
    assert "operator@insula.localhost" in text and "owner@northwind.localhost" in text
    ready = httpx.get(f"http://127.0.0.1:{insula.port}/health/ready", headers={"Host": "localhost"})
    assert ready.status_code == 200
    tenant = httpx.get(f"http://127.0.0.1:{insula.port}/", headers={"Host": "northwind.localhost"})
    assert tenant.status_code < 400
    parts = insula.descendants()
    commands = " ".join(word for part in parts for word in _command(part))
    for name in ("sandbox.stripe", "granian", "uvicorn", "worker", "beat", "postgres", "valkey-server"):
        assert name in commands
    insula.process.send_signal(signal.SIGINT)
    assert insula.process.wait(60) == 0
    wait_until(lambda: gone(parts))
    assert all(is_free(insula.port + step) for step in range(3))
