"""The authenticated list of 20 invoices: the product's whole edge beside what others do, in one run, in turns."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psutil
import pytest
from django.conf import settings
from django.db import connection

from apps.core.tenants import owner_transaction
from apps.tenancy.models import Domain
from apps.tenancy.selectors import TenantView
from tests.bench.conftest import Measured
from tests.bench.load import Target, Turn, cpu_seconds, family, take_turn
from tests.bench.verifying_key import PUBLIC_PEM
from tests.factories import invoices as invoice_factory
from tests.fixtures.processes import free_port, process, product_environment, wait_until
from tests.fixtures.tenants import PASSWORD, actor_of, in_tenant

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "4"))
CONNECTIONS = 4
PLAIN_LOGIN = f"insula_bench_{os.getpid()}"
PRODUCT, STOCK, BARE, BY_HAND = "product", "stock", "bare", "by hand"
NAMES = {
    PRODUCT: "(a) the product, whole edge",
    STOCK: "(b) DRF + django-tenants, stock",
    BARE: "(c) bare Django view, one statement",
    BY_HAND: "(d) FastAPI + asyncpg by hand",
}


def _granian(application: str) -> tuple[str, ...]:
    options = ("--workers", "1", "--blocking-threads", "4", "--no-ws", "--log-level", "warning")
    return (sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", *options, application)


def _uvicorn() -> tuple[str, ...]:
    options = ("--host", "127.0.0.1", "--log-level", "warning", "--no-access-log")
    return (sys.executable, "-m", "uvicorn", *options, "tests.bench.hand_written:app")


@dataclass(frozen=True)
class Course:
    """Every server that takes part."""

    targets: dict[str, Target]
    credentials: dict[str, str]

    def run(self, name: str, *, connections: int = CONNECTIONS, seconds: float = SECONDS) -> Turn:
        """One turn of a server."""
        return take_turn(self.targets[name], connections=connections, seconds=seconds, database=_backends(name))


def _backends(name: str) -> list[int]:
    """The database's processes that serve a server, which told them its name."""
    with connection.cursor() as cursor:
        named = "select pid from pg_stat_activity where datname = current_database() and application_name = %s"
        cursor.execute(named, [name])
        return [pid for (pid,) in cursor.fetchall()]


@pytest.fixture
def course(committed: Callable[[str], TenantView], database_name: str, tmp_path: Path) -> Iterator[Course]:
    """Four servers on the tenant's twenty invoices, each asked once, so that all are warm and answer the same."""
    tenant = committed("Benchmark")
    owner = actor_of(tenant)
    with in_tenant(tenant):
        client = invoice_factory.make_client(owner)
        for _ in range(20):
            invoice_factory.make_open(owner, client_id=client.id)
    # django-tenants finds the tenant by the host, without its port.
    Domain.objects.update_or_create(domain="127.0.0.1", defaults={"tenant_id": tenant.id})

    shared = product_environment(database_name) | {
        # Limits are on, and counted; no turn may meet them.
        "INSULA_RATE_LIMITS": "on",
        "RATE_LIMIT_USER": "10000000",
        "RATE_LIMIT_WORKSPACE": "10000000",
        "RATE_LIMIT_SENSITIVE": "10000000",
        "RATE_LIMIT_ANONYMOUS": "10000000",
        "PUBLIC_PORT": settings.PUBLIC_PORT,
    }
    database = settings.DATABASES["default"]
    by_hand = {
        "BENCH_DSN": f"postgresql://{database['USER']}:{database['PASSWORD']}@/{database_name}"
        f"?host={database['HOST']}&port={database['PORT'] or 5432}",
        "BENCH_PUBLIC_KEY": PUBLIC_PEM,
        "BENCH_ISSUER": settings.JWT_ISSUER,
        "BENCH_AUDIENCE": settings.JWT_AUDIENCE,
        "BENCH_URL": tenant.url,
    }
    plain = {"DATABASE_URL": shared["DATABASE_URL"].replace(f"://{database['USER']}", f"://{PLAIN_LOGIN}")}
    programs = {
        PRODUCT: (_granian("tests.bench.wsgi:product"), {"DJANGO_SETTINGS_MODULE": "tests.bench.settings"}),
        BARE: (_granian("tests.bench.wsgi:bare"), plain | {"DJANGO_SETTINGS_MODULE": "tests.bench.settings"}),
        STOCK: (
            _granian("tests.bench.wsgi:product"),
            plain | {"DJANGO_SETTINGS_MODULE": "tests.bench.stock_list_settings"},
        ),
        BY_HAND: (_uvicorn(), by_hand),
    }
    paths = {
        PRODUCT: "/api/v1/invoices",
        STOCK: "/invoices",
        BARE: f"/bare/{tenant.schema_name}",
        BY_HAND: "/invoices",
    }
    with ExitStack() as running:
        running.enter_context(_plain_login(tenant))
        targets: dict[str, Target] = {}
        for name, (command, own) in programs.items():
            port = free_port()
            environment = shared | own | {"PGAPPNAME": name}
            child = running.enter_context(
                process(*command, "--port", str(port), env=environment, log=tmp_path / f"{name}.log")
            )
            wait_until(lambda port=port: httpx.get(f"http://127.0.0.1:{port}/", timeout=10), what=name)
            host = "127.0.0.1" if name == STOCK else settings.PLATFORM_HOST
            targets[name] = Target(child.pid, port, paths[name], {"Host": host})
        token = _sign_in(targets[PRODUCT], tenant)
        for target in targets.values():
            target.headers["Authorization"] = f"Bearer {token}"
        lists = {name: _asked(target)["results" if name == STOCK else "data"] for name, target in targets.items()}
        assert all(len(rows) == 20 for rows in lists.values())
        assert lists[PRODUCT] == lists[BY_HAND]
        assert {tuple(sorted(row)) for row in lists[STOCK]} == {tuple(sorted(row)) for row in lists[PRODUCT]}
        yield Course(targets, _credentials(tenant))
    Domain.objects.filter(domain="127.0.0.1").delete()


@contextmanager
def _plain_login(tenant: TenantView) -> Iterator[None]:
    """A login for those who know of no roles: it may read the platform's tables and the tenant's."""
    groups = f"{settings.DATABASE_PLATFORM_ROLE}, {settings.DATABASE_TENANT_ROLE}"
    with connection.cursor() as cursor:
        cursor.execute(f"create role {PLAIN_LOGIN} login inherit in role {groups}")
    with owner_transaction(), connection.cursor() as cursor:
        cursor.execute(f"grant usage on schema {tenant.schema_name} to {PLAIN_LOGIN}")
    try:
        yield
    finally:
        with owner_transaction(), connection.cursor() as cursor:
            cursor.execute(f"revoke usage on schema {tenant.schema_name} from {PLAIN_LOGIN}")
        with connection.cursor() as cursor:
            cursor.execute(f"drop role {PLAIN_LOGIN}")


def _credentials(tenant: TenantView) -> dict[str, str]:
    return {"email": f"owner@{tenant.slug}.test", "password": PASSWORD, "tenant": tenant.key}


def _sign_in(target: Target, tenant: TenantView) -> str:
    body = _credentials(tenant)
    url = f"http://127.0.0.1:{target.port}/api/v1/auth/signin"
    return str(httpx.post(url, json=body, headers={"Host": settings.PLATFORM_HOST}, timeout=30).json()["access"])


def _asked(target: Target) -> Any:
    answer = httpx.get(f"http://127.0.0.1:{target.port}{target.path}", headers=target.headers, timeout=30)
    assert answer.status_code == 200, (target.path, answer.text[-300:])
    return answer.json()


def test_the_list_beside_others(course: Course, measured: Measured) -> None:
    turns: dict[str, list[Turn]] = {name: [] for name in NAMES}
    for _ in range(ROUNDS):
        for name, taken in turns.items():
            taken.append(course.run(name))
    rate = {name: median(turn.per_second for turn in taken) for name, taken in turns.items()}
    cpu = {name: median(turn.cpu_ms for turn in taken) for name, taken in turns.items()}
    database = {name: median(turn.database_ms for turn in taken) for name, taken in turns.items()}
    for name, title in NAMES.items():
        figures = f"{rate[name]:.0f} requests/s, {cpu[name]:.2f} ms CPU and {database[name]:.2f} ms of the database"
        measured(title, figures)
    for other, letter in ((STOCK, "b"), (BARE, "c"), (BY_HAND, "d")):
        by_rate, by_cpu = rate[PRODUCT] / rate[other], cpu[other] / cpu[PRODUCT]
        whole = (cpu[other] + database[other]) / (cpu[PRODUCT] + database[PRODUCT])
        measured(f"a ÷ {letter}", f"{by_rate:.2f} by requests/s, {by_cpu:.2f} by CPU, {whole:.2f} with the database's")


@pytest.mark.parametrize("connections", [50, 500])
def test_many_connections(course: Course, measured: Measured, connections: int) -> None:
    for name in (PRODUCT, BY_HAND):
        turn = course.run(name, connections=connections, seconds=2 * SECONDS)
        at = {percent: turn.percentile(percent) for percent in (50, 95, 99)}
        times = ", ".join(f"p{percent} {taken:.0f} ms" for percent, taken in at.items())
        measured(f"{NAMES[name]}, {connections} connections", f"{turn.per_second:.0f} requests/s, {times}")
    worker = max(family(course.targets[PRODUCT].process_id), key=lambda pid: psutil.Process(pid).memory_info().rss)
    held = psutil.Process(worker).memory_full_info()
    measured(f"a worker after that, {connections} connections", f"{held.rss >> 20} MiB, {held.uss >> 20} MiB its own")


def test_signing_in(course: Course, measured: Measured) -> None:
    target = course.targets[PRODUCT]
    before = cpu_seconds(family(target.process_id))
    until, count = time.monotonic() + 2 * SECONDS, 0

    def sign_in(_: int) -> int:
        done = 0
        with httpx.Client(headers={"Host": settings.PLATFORM_HOST}, timeout=60) as client:
            while time.monotonic() < until:
                answer = client.post(f"http://127.0.0.1:{target.port}/api/v1/auth/signin", json=course.credentials)
                assert answer.status_code == 200, answer.text
                done += 1
        return done

    with ThreadPoolExecutor(4) as pool:
        count = sum(pool.map(sign_in, range(4)))
    spent = (cpu_seconds(family(target.process_id)) - before) * 1000 / count
    measured("signing in, 4 at a time", f"{count / (2 * SECONDS):.0f} a second, {spent:.0f} ms CPU each")
