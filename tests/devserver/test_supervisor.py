"""The supervisor starts, watches, restarts and stops real processes."""

from __future__ import annotations

import io
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devserver.console import Console
from devserver.errors import StartupError
from devserver.guard import is_alive
from devserver.health import accepts_connections
from devserver.layout import Layout
from devserver.postgres import Tuning
from devserver.processes import ProcessDefinition
from devserver.services import Services
from devserver.supervisor import Stopping, Supervisor

from .conftest import wait_until

FOREVER = "import time\nwhile True: time.sleep(60)"


def definition(name: str, program: str, **options: object) -> ProcessDefinition:
    return ProcessDefinition(name, (sys.executable, "-c", program), **options)  # type: ignore[arg-type]


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def services(layout: Layout) -> Iterator[Services]:
    with Services(layout, Tuning(disposable=True), need_postgres=False, need_valkey=False) as running:
        yield running


@pytest.fixture
def supervisor(services: Services, layout: Layout, output: io.StringIO) -> Iterator[Supervisor]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    console = Console(output)
    supervisor = Supervisor(services, {**os.environ}, layout.logs, console)
    supervisor.listen_for_signals(stop_with_parent=False)
    yield supervisor
    supervisor.stop()
    console.close()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def stop_when(condition: object) -> threading.Thread:
    """Send ourselves SIGTERM, as a person would, once the condition holds."""
    assert callable(condition)

    def watch() -> None:
        wait_until(condition)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def pids_in(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"pid=(\d+)", text)]


def test_output_carries_the_name_of_its_process(supervisor: Supervisor, output: io.StringIO, layout: Layout) -> None:
    supervisor.run_through([definition("painter", "print('red'); print('blue', end='')")])
    wait_until(lambda: "blue" in output.getvalue())
    assert re.search(r"painter +\| red\n.*painter +\| blue\n", output.getvalue())
    assert (layout.logs / "painter.log").read_text() == "red\nblue"


def test_a_failing_preparation_stops_the_start_with_its_last_words(supervisor: Supervisor) -> None:
    with pytest.raises(StartupError, match=r"prepare ended with status 3(?s:.*)no such table"):
        supervisor.run_through([definition("prepare", "print('no such table'); raise SystemExit(3)")])


def test_ready_means_every_check_passed_and_every_line_was_seen(supervisor: Supervisor, tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    listening = (
        "import pathlib, socket, time\n"
        "s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()\n"
        f"pathlib.Path({str(port_file)!r}).write_text(str(s.getsockname()[1]))\n" + FOREVER
    )

    def check() -> bool:
        return port_file.exists() and accepts_connections(int(port_file.read_text() or 1))()

    speaking = "print('worker@here ready.')\n" + FOREVER
    supervisor.start(
        [
            definition("listener", listening, check=check),
            definition("speaker", speaking, ready_line=re.compile("ready")),
            definition("plain", FOREVER),
        ]
    )
    supervisor.wait_ready()
    assert check()


def test_a_process_that_ends_before_all_are_ready_stops_the_start(supervisor: Supervisor) -> None:
    supervisor.start(
        [
            definition("steady", FOREVER, check=lambda: False),
            definition("broken", "print('port in use'); raise SystemExit(1)", check=lambda: False),
        ]
    )
    with pytest.raises(StartupError, match=r"broken ended with status 1(?s:.*)port in use"):
        supervisor.wait_ready()


def test_a_crashed_process_is_started_again_and_the_others_stay(supervisor: Supervisor, output: io.StringIO) -> None:
    told = "import os\nprint(f'pid={os.getpid()}')\n" + FOREVER
    supervisor.start([definition("crasher", told), definition("steady", told)])
    supervisor.wait_ready()
    killed: list[int] = []

    def kill_then_wait_for_the_next() -> bool:
        lines = [line for line in output.getvalue().splitlines() if "crasher" in line and "pid=" in line]
        if len(lines) == 1 and not killed:
            killed.extend(pids_in(lines[0]))
            os.kill(killed[0], signal.SIGKILL)
        return len(lines) == 2

    thread = stop_when(kill_then_wait_for_the_next)
    with pytest.raises(Stopping):
        supervisor.keep_up()
    thread.join()
    text = output.getvalue()
    assert "crasher was ended by signal 9" in text
    assert "crasher starts again in 1 s" in text
    assert len([line for line in text.splitlines() if "steady" in line and "pid=" in line]) == 1


def test_stopping_reaches_grandchildren_and_those_that_refuse(
    supervisor: Supervisor, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devserver.supervisor.STOP_SECONDS", 1.0)
    stubborn = (
        "import os, signal, subprocess, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal, time;"
        " signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)'])\n"
        "print(f'pid={os.getpid()} pid={child.pid}')\n" + FOREVER
    )
    supervisor.start([definition("stubborn", stubborn)])
    thread = stop_when(lambda: len(pids_in(output.getvalue())) == 2)
    with pytest.raises(Stopping):
        supervisor.keep_up()
    thread.join()
    supervisor.stop()
    wait_until(lambda: not any(is_alive(pid) for pid in pids_in(output.getvalue())))


def test_a_reader_that_stops_reading_blocks_nobody(layout: Layout) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        console = Console(stream)
        for number in range(20_000):
            console.line("talker", f"{number} " + "x" * 100)
        os.close(reading)
        wait_until(console.broken.is_set)
        console.close()


def test_what_nobody_read_does_not_fail_the_end_of_the_stream() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        console = Console(stream)
        console.line("talker", "a line that stays in the stream's buffer")
        wait_until(console.broken.is_set)
        console.close()
