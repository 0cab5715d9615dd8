"""The processes `make run` supervises: one table."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devserver.environment import Environment
from devserver.health import Check, accepts_connections, answers_http
from devserver.layout import Layout

SANDBOX_MARK = "INSULA_USES_SANDBOX"
# Where prometheus_client keeps the figures of all processes together.
FIGURES = "PROMETHEUS_MULTIPROC_DIR"
# Whoever sends his headers drop by drop is hung up on; sockets say at most 8 KiB at a time (uvicorn would hold 16 MiB).
# Addresses that proxies tell are for the product to believe or not, so uvicorn leaves them alone.
WEB_LIMITS = ("--http", "1", "--http1-header-read-timeout", "10000")
REALTIME_LIMITS = ("--ws-max-size", "65536", "--timeout-keep-alive", "10", "--no-proxy-headers")
QUEUES = "archives,default,integrations,notifications,invoices,payments,provisioning"


@dataclass(frozen=True)
class ProcessDefinition:
    """A process, and how to tell that it is ready: by a check, by a line it prints, or simply by running."""

    name: str
    command: tuple[str, ...]
    check: Check | None = None
    ready_line: re.Pattern[str] | None = None
    port: int | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


def python(*arguments: str) -> tuple[str, ...]:
    """A command line under the interpreter that runs us."""
    return (sys.executable, *arguments)


def preparations(environment: Environment) -> list[ProcessDefinition]:
    """The processes that end by themselves before the others start, side by side."""
    told = {SANDBOX_MARK: "1"} if environment.need_sandbox else {}
    return [
        ProcessDefinition("prepare", python("-m", "devserver.prepare"), variables=told),
        # On a fresh machine as long as all the rest together, and of no use to it.
        ProcessDefinition("fonts", python("-m", "devserver.fonts")),
    ]


def uses_sandbox(variables: Mapping[str, str]) -> bool:
    """Whether the preparation runs beside our own Stripe stand-in."""
    return SANDBOX_MARK in variables


def sandbox(environment: Environment, layout: Layout) -> ProcessDefinition | None:
    """The Stripe stand-in; None when the environment names a real account."""
    if not environment.need_sandbox:
        return None
    port = environment.sandbox_port
    return ProcessDefinition(
        "sandbox",
        python("-m", "sandbox.stripe", "--port", str(port), "--data", str(layout.root / "stripe.sqlite3")),
        check=answers_http(port, "/_sandbox/health"),
        port=port,
    )


def application(environment: Environment) -> list[ProcessDefinition]:
    """What must answer before Insula is ready; all of it needs the prepared database."""
    variables = environment.variables
    host = variables["PLATFORM_HOST"]
    figures = {FIGURES: str(_emptied(Path(variables["INSULA_DATA"]) / "metrics"))}
    reload_web, reload_realtime = _reload_options(bool(variables.get("RELOAD")))
    return [
        ProcessDefinition(
            "web",
            python(
                *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(environment.web_port)),
                *("--workers", "2", "--blocking-threads", "4", "--no-ws", "--respawn-failed-workers", *WEB_LIMITS),
                *("--workers-kill-timeout", "5", "--log-level", "warning", *reload_web, "config.wsgi:application"),
            ),
            check=answers_http(environment.web_port, "/health/ready", host=host),
            port=environment.web_port,
            variables=figures,
        ),
        ProcessDefinition(
            "realtime",
            python(
                *("-m", "uvicorn", "config.asgi:application", "--host", "127.0.0.1"),
                *("--port", str(environment.realtime_port), "--lifespan", "off", "--log-level", "warning"),
                *REALTIME_LIMITS,
                *("--timeout-graceful-shutdown", "3", *reload_realtime),
            ),
            check=accepts_connections(environment.realtime_port),
            port=environment.realtime_port,
            variables=figures,
        ),
        ProcessDefinition(
            "worker",
            python(
                # Root is who we are on many a fresh machine, and Celery tells so at length.
                *("-W", "ignore:You're running the worker"),
                *("-m", "celery", "--quiet", "-A", "config", "worker", "-Q", QUEUES, "--concurrency", "2"),
                *("--without-gossip", "--without-mingle", "--loglevel", "INFO"),
            ),
            ready_line=re.compile(r"celery@\S+ ready"),
            variables=figures,
        ),
    ]


def beat(layout: Layout) -> ProcessDefinition:
    """The clock of periodic jobs. Nobody waits for it, so it starts when there is nothing else to start."""
    schedule = _directory(layout.root / "beat") / "schedule"
    return ProcessDefinition(
        "beat",
        python(
            *("-m", "celery", "--quiet", "-A", "config", "beat"),
            *("--schedule", str(schedule), "--pidfile=", "--loglevel", "INFO"),
        ),
    )


def ports(environment: Environment) -> dict[str, int]:
    """The ports `make run` listens on, by purpose."""
    wanted = {"web, PORT": environment.web_port, "realtime, PORT+1": environment.realtime_port}
    if environment.need_sandbox:
        wanted["Stripe sandbox, PORT+2"] = environment.sandbox_port
    return wanted


def _reload_options(wanted: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Options of granian and uvicorn that restart on a changed file."""
    if not wanted:
        return (), ()
    directories = ("apps", "config")
    web = ("--reload", *(word for name in directories for word in ("--reload-paths", name)))
    realtime = ("--reload", *(word for name in directories for word in ("--reload-dir", name)))
    return web, realtime


def _directory(path: Path) -> Path:
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def _emptied(path: Path) -> Path:
    """Figures of processes that are gone would be added to those of the new ones."""
    shutil.rmtree(path, ignore_errors=True)
    return _directory(path)
