"""The ways to the database: a connection per thread, psycopg's pool, PgBouncer sharing transactions."""

import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.db import connections

from tests.fixtures.processes import REPOSITORY, free_port, process, wait_until

PLAIN, POOL, PGBOUNCER = "plain", "psycopg pool", "pgbouncer"
# Fewer than the threads that fuzz, so that every connection serves everybody.
SHARED_CONNECTIONS = 4


def pgbouncer() -> str | None:
    """The program, where it is installed."""
    return shutil.which("pgbouncer", path=os.defpath + ":/usr/sbin:/usr/local/sbin")


@contextmanager
def through(kind: str, folder: Path) -> Iterator[None]:
    """Send everything of this process through `kind` meanwhile."""
    database = connections["default"].settings_dict
    before = {name: database[name] for name in ("HOST", "PORT", "CONN_MAX_AGE", "OPTIONS", "PREPARES")}
    connections.close_all()
    try:
        if kind == POOL:
            size = {"min_size": SHARED_CONNECTIONS, "max_size": SHARED_CONNECTIONS, "timeout": 120}
            database.update(CONN_MAX_AGE=0, OPTIONS={**before["OPTIONS"], "pool": size})
            yield
        elif kind == PGBOUNCER:
            with _bouncer(database, folder) as port:
                database.update(HOST="127.0.0.1", PORT=str(port), CONN_MAX_AGE=None, PREPARES=False)
                yield
                connections.close_all()
        else:
            yield
    finally:
        connections.close_all()
        connections["default"].close_pool()  # type: ignore[attr-defined]
        database.update(before)


@contextmanager
def _bouncer(database: dict[str, Any], folder: Path) -> Iterator[int]:
    program, port = pgbouncer(), free_port()
    assert program
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"""
[databases]
* = host={database["HOST"]} port={database["PORT"] or 5432} user={database["USER"]}
[pgbouncer]
%include {REPOSITORY}/docker/pgbouncer/pool.ini
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
default_pool_size = {SHARED_CONNECTIONS}
reserve_pool_size = 0
query_wait_timeout = 120
"""
    )
    arguments = [program, str(settings)]
    if os.geteuid() == 0:
        # It refuses to run as root; the socket's owner may use the socket.
        arguments += ["-u", _account_of(Path(database["HOST"]))]
    with process(*arguments, log=folder / "pgbouncer.log"):

        def answers() -> bool:
            try:
                with psycopg.connect(host="127.0.0.1", port=port, user=database["USER"], dbname=database["NAME"]):
                    return True
            except psycopg.OperationalError:
                return False

        wait_until(answers, seconds=60, what="PgBouncer answers")
        yield port


def _account_of(host: Path) -> str:
    owner = host.stat().st_uid if host.is_absolute() else 0
    return pwd.getpwuid(owner).pw_name if owner else "nobody"
