"""A tablespace in memory for a run's databases: on some disks a copy of the template takes seconds, there tenths."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from devserver.layout import Layout
from devserver.postgres import ROLE, connect_as_superuser

TABLESPACE = "memory"
# Where tests/fixtures/database.py finds the name.
VARIABLE = "TEST_TABLESPACE"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the directory in it is made anew and ours alone
# What two test processes fill at most, with much to spare.
ROOM = 2 * 1024**3  # bytes
STAYS_FREE = 4 * 1024**3  # bytes of memory


@contextmanager
def databases_in_memory(layout: Layout) -> Iterator[dict[str, str]]:
    """The variable that names the tablespace inside; nothing where memory is short, and databases lie on the disk.

    The server must be running until after the end. What a killed run left is replaced.
    """
    with connect_as_superuser(layout) as connection:
        _drop(connection)
        remove_memory(layout)
        if not _has_room():
            yield {}
            return
        place = _place(layout)
        place.mkdir(mode=0o700)
        if layout.account:
            os.chown(place, layout.account.uid, layout.account.gid)
        name = sql.Identifier(TABLESPACE)
        connection.execute(sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(name, sql.Literal(str(place))))
        connection.execute(sql.SQL("GRANT CREATE ON TABLESPACE {} TO {}").format(name, sql.Identifier(ROLE)))
    try:
        yield {VARIABLE: TABLESPACE}
    finally:
        with connect_as_superuser(layout) as connection:
            _drop(connection)
        remove_memory(layout)


def remove_memory(layout: Layout) -> None:
    """Give back the memory of a run that has ended, or of one that was killed."""
    shutil.rmtree(_place(layout), ignore_errors=True)


def _drop(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    # A killed run's databases are worth nothing without the memory that they lay in.
    found = connection.execute(
        "SELECT datname FROM pg_database JOIN pg_tablespace ON pg_tablespace.oid = dattablespace WHERE spcname = %s",
        [TABLESPACE],
    )
    for (name,) in found.fetchall():
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(str(name))))
    connection.execute(sql.SQL("DROP TABLESPACE IF EXISTS {}").format(sql.Identifier(TABLESPACE)))


def _has_room() -> bool:
    if not SHARED_MEMORY.is_dir() or not os.access(SHARED_MEMORY, os.W_OK):
        return False
    available: int = psutil.virtual_memory().available
    return shutil.disk_usage(SHARED_MEMORY).free >= ROOM and available >= ROOM + STAYS_FREE


def _place(layout: Layout) -> Path:
    return SHARED_MEMORY / f"insula-{os.geteuid()}-{hashlib.sha256(os.fsencode(layout.cluster)).hexdigest()[:12]}"
