"""Taking every tenant's schema to the template's version: in parallel, resumable, whatever single ones do."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import structlog
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.models import F
from psycopg import errors as postgres

from apps.core.clock import utcnow
from apps.core.tenants import public_scope
from apps.tenancy.models import SchemaReport
from apps.tenancy.pending import Kind, SchemaUnit, digest_of, schemas_behind, wanted_migrations
from apps.tenancy.progress import Progress
from apps.tenancy.schema_upgrade import ExecutorUpgrade, HistoryDiffers, MovedOn, Target, target, upgrade_by_text
from apps.tenancy.template_schema import build_template

logger = structlog.get_logger(__name__)

Outcomes = Iterator[tuple[SchemaUnit, Exception | None]]

_ONE_RUN = "hashtext('tenancy.migrate_tenants')"
# A lock that was not free is asked for again after 0.5, 1, 2 … seconds, once all the others had their turn.
_FIRST_PAUSE_SECONDS = 0.5
# New schemas may come from an older template while the list is read; a second look finds them.
_LOOKS = 5


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. A statement waits `lock_timeout_ms` for a table, so that nobody queues behind it for longer."""

    jobs: int = 2
    lock_timeout_ms: int = 2000
    attempts: int = 6
    key: str = ""


@dataclass
class Result:
    """What came of it: schemas migrated, and label and reason of each that was not."""

    migrated: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def pending() -> list[SchemaUnit]:
    """What `migrate_tenants` would work on; reads only."""
    return schemas_behind(digest_of(wanted_migrations()))


def migrate_tenants(progress: Progress, options: Options | None = None) -> Result:
    """Migrate the template where it is behind, and then every schema that is (or one tenant's).

    A run that was killed is continued by the next: each schema is migrated as a whole or not at all. One run works at
    a time; a second waits. A schema that fails is reported with its reason and stays as it was.
    """
    with public_scope(), only_one_run(progress.say):
        digest = digest_of(wanted_migrations())
        if any(unit.kind is Kind.TEMPLATE for unit in schemas_behind(digest)):
            progress.say(f"template {build_template().version[:12]} is up to date")
        return migrate_schemas(progress, options)


def migrate_schemas(progress: Progress, options: Options | None = None) -> Result:
    """The part of `migrate_tenants` that follows the template, for who holds `only_one_run` already."""
    run = _Run(progress, options or Options())
    digest = digest_of(wanted_migrations())
    for _ in range(_LOOKS):
        units = schemas_behind(digest)
        todo = [unit for unit in units if unit.label not in run.result.failed and run.concerns(unit)]
        if not todo:
            break
        run.work_on(todo)
    return run.result


@contextmanager
def only_one_run(say: Callable[[str], object]) -> Iterator[None]:
    """Wait for other runs to end and keep them out meanwhile.

    The lock is a transaction's on a connection of its own: it works behind a pooler and ends with the process.
    """
    holder = connections.create_connection(DEFAULT_DB_ALIAS)
    try:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            cursor.execute(f"select pg_try_advisory_xact_lock({_ONE_RUN})")
            if not cursor.fetchone()[0]:
                say("another run is at work; waiting for it to end")
                cursor.execute(f"select pg_advisory_xact_lock({_ONE_RUN})")
        yield
    finally:
        holder.close()


class _Run:
    """One pass after the other over the schemas that are left."""

    def __init__(self, progress: Progress, options: Options) -> None:
        self.progress, self.options, self.result = progress, options, Result()
        self._failed_before = set(SchemaReport.objects.exclude(failure="").values_list("schema_name", flat=True))

    def concerns(self, unit: SchemaUnit) -> bool:
        """Whether the command was asked for this one."""
        return unit.kind is not Kind.TEMPLATE and self.options.key in ("", unit.key)

    def work_on(self, units: list[SchemaUnit]) -> None:
        """Text first, in threads; then Python, one by one: its connection is pinned to the schema."""
        goal = target()
        by_text = [unit for unit in units if goal.script_for(unit.applied) is not None]
        by_python = [unit for unit in units if goal.script_for(unit.applied) is None]
        self.progress.start(len(units))
        by_python += self._rounds(by_text, lambda waiting: self._in_threads(waiting, goal))
        executor = ExecutorUpgrade()

        def one_by_one(waiting: list[SchemaUnit]) -> Outcomes:
            for unit in waiting:
                timeout = self.options.lock_timeout_ms
                yield unit, _attempt(partial(executor.run, unit, goal.version, lock_timeout_ms=timeout))

        self._rounds(by_python, one_by_one)

    def _rounds(
        self,
        units: list[SchemaUnit],
        work: Callable[[list[SchemaUnit]], Outcomes],
    ) -> list[SchemaUnit]:
        """Work on `units`, again on those whose locks were taken; returns those that need Django's executor."""
        waiting, others, pause = units, [], threading.Event()
        for attempt in range(self.options.attempts):
            if not waiting:
                break
            if attempt:
                pause.wait(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            last, again = attempt == self.options.attempts - 1, []
            for unit, error in work(waiting):
                if isinstance(error, HistoryDiffers):
                    others.append(unit)
                elif error is not None and not last and _is_passing(error):
                    again.append(unit)
                else:
                    self._finish(unit, error)
            waiting = again
        return others

    def _in_threads(self, units: list[SchemaUnit], goal: Target) -> Outcomes:
        tasks: queue.SimpleQueue[SchemaUnit] = queue.SimpleQueue()
        results: queue.SimpleQueue[tuple[SchemaUnit, Exception | None]] = queue.SimpleQueue()
        stop = threading.Event()
        for unit in units:
            tasks.put(unit)

        def serve() -> None:
            try:
                while not stop.is_set():
                    unit = tasks.get_nowait()
                    results.put((unit, _attempt(partial(self._upgrade, unit, goal))))
            except queue.Empty:
                return
            finally:
                connections.close_all()

        workers = [threading.Thread(target=serve) for _ in range(min(self.options.jobs, len(units)))]
        for worker in workers:
            worker.start()
        try:
            for _ in units:
                yield results.get()
        finally:
            stop.set()
            for worker in workers:
                worker.join()

    def _upgrade(self, unit: SchemaUnit, goal: Target) -> None:
        script = goal.script_for(unit.applied)
        assert script is not None
        upgrade_by_text(unit, script, goal.version, lock_timeout_ms=self.options.lock_timeout_ms)

    def _finish(self, unit: SchemaUnit, error: Exception | None) -> None:
        self.progress.advance()
        if error is None:
            self.result.migrated += 1
            if unit.schema_name in self._failed_before:
                SchemaReport.objects.filter(schema_name=unit.schema_name).update(failure="", failed_at=None, attempts=0)
        elif not isinstance(error, MovedOn):
            reason = f"{type(error).__name__}: {error}".strip()[:500]
            logger.error("tenancy.migration_failed", schema=unit.schema_name, tenant=unit.key, reason=reason)
            self.result.failed[unit.label] = reason
            SchemaReport.objects.get_or_create(schema_name=unit.schema_name)
            SchemaReport.objects.filter(schema_name=unit.schema_name).update(
                failure=reason, failed_at=utcnow(), attempts=F("attempts") + 1
            )


def _attempt(work: Callable[[], None]) -> Exception | None:
    try:
        work()
    except Exception as error:  # a migration's Python may raise anything, and one tenant stops no other
        return error
    return None


def _is_passing(error: Exception) -> bool:
    """Whether the same attempt may succeed a moment later."""
    cause = error.__cause__
    return isinstance(cause, postgres.LockNotAvailable | postgres.DeadlockDetected | postgres.ConnectionException) or (
        isinstance(error, OperationalError) and isinstance(cause, postgres.OperationalError) and cause.sqlstate is None
    )
