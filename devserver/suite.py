"""`make test`: the suite on servers of its own, which keep nothing but the migrated template between runs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from psycopg import sql

from devserver.attached import run_command
from devserver.environment import Environment, build_environment, libpq_variables
from devserver.errors import AlreadyRunning, StartupError
from devserver.layout import Layout, prepare_layout
from devserver.lock import DirectoryLock
from devserver.memory import databases_in_memory, remove_memory
from devserver.ports import free_start
from devserver.postgres import Tuning, connect_as_superuser
from devserver.processes import python
from devserver.services import Services

TUNING = Tuning(disposable=True, max_connections=200)
DEFAULT_WORKERS = "2"
FIRST_PORT = 18000
# What a run makes for itself; the template it copies has another name and stays.
RUN_DATABASES = "test\\_%"
# Tests never touch a real account, whatever the environment of the person running them names.
PROVIDER_PREFIX = "STRIPE_"
OURS_TO_CHOOSE = ("PORT", "REALTIME_PORT", "SANDBOX_PORT", "INSULA_DATA", "DJANGO_SETTINGS_MODULE")


def run_suite(directory: Path, given: Mapping[str, str], arguments: Sequence[str]) -> int:
    """Run pytest with further arguments; pytest's exit status.

    Usually on the cluster under `directory/kept`; when another suite is using that one, on a cluster of its
    own that is removed afterwards.

    Raises:
        StartupError: a server did not start.
    """
    _remove_abandoned(directory)
    port = str(free_start(FIRST_PORT))
    kept = {name: value for name, value in given.items() if not name.startswith(PROVIDER_PREFIX)}
    chosen = {name: value for name, value in kept.items() if name not in OURS_TO_CHOOSE} | {"PORT": port}
    with _cluster(directory, chosen) as (layout, environment, services):
        command = python("-m", "pytest", "-n", DEFAULT_WORKERS, "--dist", "loadscope", *arguments)
        if not environment.need_postgres:
            return run_command(environment.variables, command, services=services, spare=services.pids)
        _drop_databases_of_killed_runs(layout)
        with databases_in_memory(layout) as named:
            variables = {**environment.variables, **libpq_variables(layout), **named}
            return run_command(variables, command, services=services, spare=services.pids)


@contextmanager
def _cluster(directory: Path, chosen: Mapping[str, str]) -> Iterator[tuple[Layout, Environment, Services]]:
    layout = prepare_layout(directory / "kept")
    environment, services = _services(layout, chosen)
    try:
        services.__enter__()
    except AlreadyRunning:
        layout = prepare_layout(Path(tempfile.mkdtemp(prefix="once-", dir=directory)))
        environment, services = _services(layout, chosen)
        try:
            with services:
                yield layout, environment, services
        finally:
            layout.remove()
        return
    except StartupError:
        # Without fsync a power cut may have ruined it, and nothing in it is missed.
        layout.remove()
        layout = prepare_layout(directory / "kept")
        environment, services = _services(layout, chosen)
        services.__enter__()
    try:
        yield layout, environment, services
    finally:
        services.stop()


def _services(layout: Layout, chosen: Mapping[str, str]) -> tuple[Environment, Services]:
    environment = build_environment(layout, chosen, settings="config.settings.test")
    services = Services(layout, TUNING, need_postgres=environment.need_postgres, need_valkey=environment.need_valkey)
    return environment, services


def _drop_databases_of_killed_runs(layout: Layout) -> None:
    with connect_as_superuser(layout) as connection:
        found = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [RUN_DATABASES])
        for (name,) in found.fetchall():
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _remove_abandoned(directory: Path) -> None:
    """Delete the one-time clusters of killed suites; a living one holds its lock."""
    for left in directory.glob("once-*"):
        layout = prepare_layout(left)
        with suppress(AlreadyRunning), DirectoryLock(layout.lock, layout.root):
            remove_memory(layout)
            layout.remove()
