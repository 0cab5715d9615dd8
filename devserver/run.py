"""`make run`: everything up, in order, until somebody stops it."""

from __future__ import annotations

import os
import time

from devserver import processes
from devserver.console import Console
from devserver.environment import Environment
from devserver.layout import Layout
from devserver.lock import DirectoryLock
from devserver.ports import require_free
from devserver.postgres import Tuning
from devserver.prepared import is_prepared, mark_prepared
from devserver.running import cross_out, write_down
from devserver.services import Services
from devserver.supervisor import Stopping, Supervisor
from devserver.welcome import welcome

# Set by `make`, so that killing `make` itself leaves nothing behind.
STOP_WITH_PARENT = "INSULA_STOP_WITH_PARENT"


def run(layout: Layout, environment: Environment, *, started_at: float) -> int:
    """Start everything, print where it is, keep it up until asked to stop; the exit status.

    `started_at` is when the person pressed Enter, in seconds since the epoch.

    Raises:
        AlreadyRunning: another process uses this data directory.
        StartupError: a port is taken, or something did not start.
    """
    # Behind the lock, because a killed predecessor's guard frees the ports before it gives up the lock.
    with DirectoryLock(layout.lock, layout.root):
        require_free(processes.ports(environment))
    is_cold = environment.need_postgres and not (layout.cluster / "PG_VERSION").exists()
    services = Services(layout, Tuning(), need_postgres=environment.need_postgres, need_valkey=environment.need_valkey)
    console = Console()
    with services:
        supervisor = Supervisor(services, environment.variables, layout.logs, console)
        supervisor.listen_for_signals(stop_with_parent=bool(os.environ.get(STOP_WITH_PARENT)))
        try:
            cross_out(layout)
            if stand_in := processes.sandbox(environment, layout):
                supervisor.start([stand_in])
            application = processes.application(environment)
            # A database that is known to be right needs no waiting for; preparing it again changes nothing.
            starts_early = environment.need_postgres and not is_cold and is_prepared(layout)
            if starts_early:
                supervisor.start(application)
            supervisor.run_through(processes.preparations(environment))
            mark_prepared(layout)
            if not starts_early:
                supervisor.start(application)
            supervisor.wait_ready()
            supervisor.start([processes.beat(layout)])
            write_down(layout, environment.web_port)
            console.block(welcome(layout, environment, seconds=time.time() - started_at, is_cold=is_cold))
            supervisor.keep_up()
        except Stopping:
            return 0
        finally:
            cross_out(layout)
            supervisor.stop()
            console.close()
