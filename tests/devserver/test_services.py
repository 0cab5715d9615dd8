"""The embedded servers start, stop, share nothing, and recover from every way of dying."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from devserver.errors import AlreadyRunning
from devserver.layout import REPOSITORY, Layout, prepare_layout
from devserver.memory import TABLESPACE, databases_in_memory
from devserver.postgres import Postgres, Tuning
from devserver.services import Services
from devserver.valkey import Valkey

from .conftest import wait_until

TUNING = Tuning(disposable=True)
PLACE = f"SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE spcname = '{TABLESPACE}'"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    """A data directory whose servers ran once, at rest."""
    prepared = prepare_layout(tmp_path_factory.mktemp("made") / "data")
    with Services(prepared, TUNING):
        pass
    yield prepared
    prepared.remove()


@pytest.fixture
def layout(layout: Layout, made: Layout) -> Layout:
    """A data directory of its own, with a copy of a cluster: making one takes longer than all the rest."""
    subprocess.run(["cp", "-a", made.cluster, layout.cluster], check=True)
    return layout


def url(layout: Layout) -> str:
    return Postgres(layout, TUNING).url


def select(layout: Layout, statement: str) -> object:
    with psycopg.connect(url(layout), autocommit=True) as connection:
        row = connection.execute(statement).fetchone()
    return row[0] if row else None


def execute(layout: Layout, statement: str) -> None:
    with psycopg.connect(url(layout), autocommit=True) as connection:
        connection.execute(statement)


def servers_of(layout: Layout) -> list[int]:
    """Process ids of every server on the directory, found as a person would: by their command lines."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or [])
        if f"-D {layout.cluster}" in words or f"unixsocket:{layout.valkey_socket}" in words:
            found.append(process.pid)
    return found


def test_both_servers_answer_and_are_gone_afterwards(layout: Layout) -> None:
    with Services(layout, TUNING):
        assert select(layout, "SHOW server_version").startswith("18.")
        assert redis.from_url(Valkey(layout).url).info("server")["valkey_version"].startswith("8.")
        assert len(servers_of(layout)) == 2
    assert servers_of(layout) == []


def test_data_survives_a_restart(layout: Layout) -> None:
    with Services(layout, TUNING):
        execute(layout, "CREATE TABLE kept AS SELECT 42 AS answer")
    with Services(layout, TUNING):
        assert select(layout, "SELECT answer FROM kept") == 42


def test_databases_in_memory_leave_nothing_there(layout: Layout) -> None:
    with Services(layout, TUNING):
        killed = databases_in_memory(layout)
        if not killed.__enter__():
            pytest.skip("too little memory is free")
        execute(layout, f"CREATE DATABASE of_a_killed_run TABLESPACE {TABLESPACE}")
        with databases_in_memory(layout):
            assert select(layout, "SELECT count(*) FROM pg_database WHERE datname = 'of_a_killed_run'") == 0
            execute(layout, f"CREATE DATABASE quick TABLESPACE {TABLESPACE}")
            place = Path(str(select(layout, PLACE)))
            assert any(place.rglob("PG_VERSION"))
        assert not place.exists()
        assert select(layout, "SELECT count(*) FROM pg_tablespace") == 2
        killed.__exit__(None, None, None)


def test_no_server_listens_on_a_port(layout: Layout) -> None:
    with Services(layout, TUNING) as services:
        for pid in services.pids:
            assert psutil.Process(pid).net_connections("inet") == []


def test_the_products_role_owns_its_database_and_is_no_superuser(layout: Layout) -> None:
    with Services(layout, TUNING):
        assert select(layout, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        assert select(layout, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'insula'") == "insula"
        execute(layout, "CREATE DATABASE another")
        execute(layout, "CREATE ROLE tenant_role")


def test_text_is_unicode_whatever_the_machines_locale(layout: Layout) -> None:
    with Services(layout, TUNING):
        assert select(layout, "SELECT upper('straße ñ')") == "STRASSE Ñ" or select(layout, "SELECT upper('ñ')") == "Ñ"
        assert select(layout, "SELECT datlocale FROM pg_database WHERE datname = 'insula'") == "C.UTF-8"


def test_a_second_owner_of_the_directory_is_refused(layout: Layout) -> None:
    with Services(layout, TUNING):
        with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"), Services(layout, TUNING):
            pass
        assert select(layout, "SELECT 1") == 1


def test_a_long_data_directory_still_gets_short_sockets(tmp_path: Path) -> None:
    layout = prepare_layout(tmp_path / ("long" * 20) / ("path" * 20))
    try:
        with Services(layout, TUNING):
            assert select(layout, "SELECT 1") == 1
            assert redis.from_url(Valkey(layout).url).ping()
    finally:
        layout.remove()


def test_a_data_directory_with_spaces_and_quotes_works(tmp_path: Path) -> None:
    layout = prepare_layout(tmp_path / 'a "quoted", ünicode name')
    try:
        with Services(layout, TUNING):
            assert select(layout, "SELECT 1") == 1
            assert redis.from_url(Valkey(layout).url).ping()
    finally:
        layout.remove()


def test_a_killed_server_comes_back_with_its_data(layout: Layout) -> None:
    with Services(layout, Tuning()) as services:
        execute(layout, "CREATE TABLE kept AS SELECT 42 AS answer")
        postgres, valkey = (psutil.Process(pid) for pid in services.pids[:2])
        postgres.kill()
        valkey.kill()
        psutil.wait_procs([postgres, valkey], timeout=60)
        revived: list[str] = []
        wait_until(lambda: revived.extend(services.revive()) or len(revived) == 2)
        assert sorted(revived) == ["PostgreSQL", "Valkey"]
        assert select(layout, "SELECT answer FROM kept") == 42
        assert redis.from_url(Valkey(layout).url).ping()


def test_a_killed_owner_leaves_no_server_and_the_next_start_works(
    layout: Layout, spawn: Callable[..., subprocess.Popen[str]]
) -> None:
    owner = spawn("--data", str(layout.root), "services", "--disposable")
    assert owner.stdout and owner.stdout.readline().startswith("export ")
    owner.kill()
    owner.wait()
    with Services(layout, TUNING):
        assert len(servers_of(layout)) == 2
    assert servers_of(layout) == []


def test_servers_that_outlived_owner_and_guard_are_replaced(
    layout: Layout, spawn: Callable[..., subprocess.Popen[str]]
) -> None:
    owner = spawn("--data", str(layout.root), "services", "--disposable")
    assert owner.stdout and owner.stdout.readline().startswith("export ")
    guards = [child for child in psutil.Process(owner.pid).children() if "guard.py" in " ".join(child.cmdline())]
    for guard in guards:
        guard.kill()
    owner.kill()
    owner.wait()
    left = servers_of(layout)
    assert len(left) == 2
    with Services(layout, TUNING):
        assert select(layout, "SELECT 1") == 1
        assert not set(left) & set(servers_of(layout))


def test_lock_files_that_name_another_living_process_do_not_hinder(layout: Layout) -> None:
    with Services(layout, TUNING):
        pass
    mine = str(os.getpid())
    (layout.cluster / "postmaster.pid").write_text(f"{mine}\n{layout.cluster}\n0\n5432\n\n\n\nready\n")
    (layout.postgres_socket_dir / ".s.PGSQL.5432.lock").write_text(f"{mine}\n")
    with Services(layout, TUNING):
        assert select(layout, "SELECT 1") == 1


def test_an_interrupted_initdb_is_done_again(layout: Layout) -> None:
    shutil.rmtree(layout.cluster)
    unfinished = layout.cluster.with_name("postgres.unfinished")
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    with Services(layout, TUNING):
        assert select(layout, "SELECT 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_runs_the_servers_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    python = Path("/usr/bin/python3")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if not python.exists() or not Path(f"/usr/bin/python{version}").exists():
        pytest.skip(f"no Python {version} that other users may run")
    nobody = pwd.getpwnam("nobody")
    home = Path(f"/var/tmp/insula-test-{os.getpid()}")
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    packages = sysconfig.get_paths()["platlib"]
    program = (
        "import sys, psycopg, redis\n"
        "from pathlib import Path\n"
        "from devserver.layout import prepare_layout\n"
        "from devserver.postgres import Postgres, Tuning\n"
        "from devserver.services import Services\n"
        "from devserver.valkey import Valkey\n"
        f"layout = prepare_layout(Path({str(home / 'data')!r}))\n"
        "for time in range(2):\n"
        "    with Services(layout, Tuning(disposable=True)):\n"
        "        connection = psycopg.connect(Postgres(layout, Tuning()).url)\n"
        "        connection.execute('select 1')\n"
        "        connection.close()\n"
        "        assert redis.from_url(Valkey(layout).url).ping()\n"
        "print('twice')\n"
    )
    try:
        done = subprocess.run(
            [f"/usr/bin/python{version}", "-c", program],
            check=False,
            cwd=REPOSITORY,
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            env={"PYTHONPATH": f"{REPOSITORY}:{packages}", "HOME": str(home), "PATH": os.defpath},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.stdout, done.returncode) == ("twice\n", 0), done.stderr
    finally:
        subprocess.run(["rm", "-rf", str(home)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="concerns root's step down to another account")
def test_root_with_a_private_directory_keeps_the_cluster_where_the_server_can_reach_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    layout = prepare_layout(tmp_path / "data")
    try:
        assert not layout.cluster.is_relative_to(tmp_path)
        with Services(layout, TUNING) as services:
            assert psutil.Process(services.pids[0]).uids().effective != 0
            assert select(layout, "SELECT 1") == 1
        cluster = layout.cluster
    finally:
        layout.remove()
    assert not cluster.exists()


def test_a_broken_cluster_is_reported_with_the_servers_own_words(layout: Layout) -> None:
    with Services(layout, TUNING):
        pass
    (layout.cluster / "global" / "pg_control").unlink()
    with pytest.raises(Exception, match="pg_control"), Services(layout, TUNING):
        pass
    assert servers_of(layout) == []


def test_sigterm_ends_a_command_and_then_the_servers(
    layout: Layout, spawn: Callable[..., subprocess.Popen[str]]
) -> None:
    owner = spawn(
        *("--data", str(layout.root), "services", "--disposable", "--"),
        *(sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"),
    )
    assert owner.stdout and owner.stdout.readline() == "up\n"
    owner.send_signal(signal.SIGTERM)
    owner.wait(60)
    assert servers_of(layout) == []


def test_the_commands_exit_status_is_handed_on(layout: Layout, spawn: Callable[..., subprocess.Popen[str]]) -> None:
    owner = spawn("--data", str(layout.root), "services", "--disposable", "--", sys.executable, "-c", "exit(7)")
    owner.communicate(timeout=60)
    assert owner.returncode == 7


def test_a_commands_leftovers_are_ended(layout: Layout, spawn: Callable[..., subprocess.Popen[str]]) -> None:
    leave = (
        "import subprocess, sys; "
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True,"
        " stdout=subprocess.DEVNULL); print(p.pid)"
    )
    owner = spawn("--data", str(layout.root), "services", "--disposable", "--", sys.executable, "-c", leave)
    output, _ = owner.communicate(timeout=60)
    assert not psutil.pid_exists(int(output))


def test_a_second_command_joins_the_servers_that_are_up(
    layout: Layout, spawn: Callable[..., subprocess.Popen[str]]
) -> None:
    with Services(layout, TUNING):
        joined = spawn("--data", str(layout.root), "services", "--", "psql", "-Atc", "SELECT 'joined'")
        output, _ = joined.communicate(timeout=60)
        assert output.strip() == "joined"
        assert select(layout, "SELECT 1") == 1
