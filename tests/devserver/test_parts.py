"""Ports, locks, guards and the pinned installer, each on its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from devserver import bootstrap
from devserver.errors import AlreadyRunning, StartupError
from devserver.guard import Guard
from devserver.lock import DirectoryLock, holder
from devserver.ports import free_start, is_free, require_free

from .conftest import wait_until


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1"])
def test_a_taken_port_is_named_with_a_way_out(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as other:
        try:
            other.bind((address, 0))
        except OSError:
            pytest.skip(f"this machine has no {address}")
        other.listen()
        port = other.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(StartupError, match=rf"port {port} \(web, PORT\).*make run PORT=\d+"):
            require_free({"web, PORT": port})


def test_three_free_ports_are_found() -> None:
    start = free_start(20000)
    assert all(is_free(port) for port in (start, start + 1, start + 2))


def test_a_lock_is_held_by_one_and_gone_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert holder(path) is None
    with DirectoryLock(path, tmp_path):
        assert holder(path) == os.getpid()
        with pytest.raises(AlreadyRunning, match="INSULA_DATA="), DirectoryLock(path, tmp_path):
            pass
    assert holder(path) is None
    with DirectoryLock(path, tmp_path):
        pass


def test_the_guard_stops_what_a_dead_owner_left_group_and_all() -> None:
    program = (
        "import os, signal, subprocess, sys\n"
        "from devserver.guard import Guard\n"
        "forever = [sys.executable, '-c', 'import subprocess, sys, time;"
        ' subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]); time.sleep(600)\']\n'
        "guard = Guard()\n"
        "child = subprocess.Popen(forever, start_new_session=True, stdout=subprocess.DEVNULL)\n"
        "guard.watch(child.pid)\n"
        "print(child.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert owner.stdout
    leader = psutil.Process(int(owner.stdout.readline()))
    wait_until(leader.children)
    group = [leader, *leader.children()]
    owner.kill()
    owner.communicate()
    wait_until(lambda: not any(_runs(process) for process in group))


def test_a_dismissed_guard_harms_nobody() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    guard = Guard()
    guard.watch(child.pid)
    guard.dismiss()
    assert child.poll() is None
    child.send_signal(signal.SIGKILL)
    child.wait()


def test_the_installer_takes_uv_from_the_lock_with_hashes() -> None:
    pinned = bootstrap._pinned_uv()
    assert pinned.startswith("uv==")
    assert pinned.count("--hash=sha256:") > 3
    assert not pinned.endswith("\\")


def test_the_installer_needs_the_standard_library_only() -> None:
    program = f"import runpy; runpy.run_path({bootstrap.__file__!r}, run_name='imported')"
    subprocess.run([sys.executable, "-I", "-S", "-c", program], check=True, timeout=60)


def _runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
