"""Celery entries: the table is the truth, the queue only a hint.

`wake` sends a hint on commit and survives a broker that is down; a periodic sweep does what a lost hint left.
Tasks that work on one tenant are declared with `apps.tenancy.jobs.tenant_task`.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from celery import shared_task
from celery.signals import before_task_publish, task_postrun, task_prerun
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.core import correlation, tracing
from apps.core.tenants import public_scope

logger = structlog.get_logger(__name__)

# A connection of the pool may be dead since the broker came back; a broker that is away is not waited for.
_ONCE_MORE = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}

_CORRELATION = "insula_correlation_id"


def platform_task(name: str, *, queue: str = "default", **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Declare a task of the platform itself. It may run twice, late or never: it reads what is owed from rows."""

    def declare(body: Callable[..., Any]) -> Any:
        @shared_task(name=name, queue=queue, acks_late=True, reject_on_worker_lost=True, **options)
        @wraps(body)
        def run(*args: Any) -> Any:
            with public_scope():
                return body(*args)

        return run

    return declare


def wake(task: Any, *args: Any, after_seconds: float | None = None) -> None:
    """Hint, once the transaction commits, that rows wait for `task`. Never raises: the sweep is the safety net.

    `after_seconds`: the work is due only then. A worker keeps such a hint in memory, so they are for minutes.
    """

    def send() -> None:
        later = {} if after_seconds is None else {"countdown": after_seconds}
        try:
            task.apply_async(args=[str(arg) for arg in args], retry=True, retry_policy=_ONCE_MORE, **later)
        except (OperationalError, OSError) as error:
            logger.warning("job.wake_failed", task=task.name, error=str(error))

    transaction.on_commit(send, robust=True)


@before_task_publish.connect
def _carry_context(headers: dict[str, Any] | None = None, **_: Any) -> None:
    if headers is None:
        return
    if correlation.current():
        headers[_CORRELATION] = correlation.current()
    if (span := tracing.current()) is not None:
        headers[tracing.PARENT], headers[tracing.STATE] = span.header, span.state


@task_prerun.connect
def _bind_context(task: Any = None, task_id: str = "", **_: Any) -> None:
    request = getattr(task, "request", None)
    if getattr(request, "is_eager", False):
        return  # it is a part of what called it
    correlation.bind(getattr(request, _CORRELATION, None))
    tracing.bind(getattr(request, tracing.PARENT, None), getattr(request, tracing.STATE, None))
    structlog.contextvars.bind_contextvars(task=getattr(task, "name", ""), task_id=task_id)


@task_postrun.connect
def _forget_context(task: Any = None, **_: Any) -> None:
    if not getattr(getattr(task, "request", None), "is_eager", False):
        structlog.contextvars.clear_contextvars()
