"""Celery tasks that work on one tenant, whose id is in the task's signature, and sweeps that visit many."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any
from uuid import UUID

import structlog
from celery import shared_task
from django.db import Error
from structlog.contextvars import bound_contextvars

from apps.core.errors import NotFound
from apps.core.tenants import tenant_scope
from apps.tenancy import selectors
from apps.tenancy.selectors import TenantView

logger = structlog.get_logger(__name__)

TenantJob = Callable[..., Any]


def tenant_task(name: str, *, queue: str, when_suspended: bool = False, **options: Any) -> Callable[[TenantJob], Any]:
    """Declare a task whose first argument is a tenant's id; the body runs in that tenant's scope.

    The body opens its own transactions. A tenant that is suspended (unless `when_suspended`: money that has moved is
    always written down), deleted or gone makes the task do nothing: what it was to do stays in its row, and a sweep
    finds it after the tenant came back. So does one that is purged while the body runs: the body ends where it
    fails. The other arguments are ids and arrive as UUIDs.
    """

    def declare(body: TenantJob) -> Any:
        @shared_task(name=name, queue=queue, acks_late=True, reject_on_worker_lost=True, **options)
        @wraps(body)
        def run(tenant_id: str, *ids: str) -> Any:
            try:
                tenant = selectors.tenant_by_id(UUID(str(tenant_id)))
            except NotFound:
                return None
            if not (tenant.is_active or (when_suspended and tenant.is_readable)):
                return None
            with _visited(tenant):
                return body(tenant.id, *(UUID(str(value)) for value in ids))
            return None

        return run

    return declare


def visit(
    tenants: Iterable[TenantView], work: Callable[[TenantView], object], *, halting: tuple[type[Exception], ...] = ()
) -> None:
    """Do `work` in the scope of each tenant. What fails in one is logged, and the others have their turn all the same.

    `halting`: what says as much of all others; it is raised at once.

    Raises:
        Exception: the first failure, after all were visited.
    """
    failed: list[Exception] = []
    for tenant in tenants:
        try:
            with _visited(tenant):
                work(tenant)
        except halting:
            raise
        except Exception as error:
            # Whatever it is, it belongs to this one.
            logger.exception("tenancy.visit_failed", tenant_id=str(tenant.id))
            failed.append(error)
    if failed:
        raise failed[0]


@contextmanager
def _visited(tenant: TenantView) -> Iterator[None]:
    """The tenant's scope; what fails because the tenant is purged meanwhile ends the body quietly."""
    try:
        with tenant_scope(tenant.scope), bound_contextvars(tenant=tenant.key):
            yield
    except (Error, NotFound):
        if selectors.has_schema(tenant):
            raise
        logger.info("tenancy.purged_meanwhile", tenant_id=str(tenant.id))
