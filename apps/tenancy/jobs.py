"""Celery tasks that work on one tenant; the tenant is visible in the task's signature."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from celery import shared_task
from structlog.contextvars import bound_contextvars

from apps.core.errors import NotFound
from apps.core.tenants import tenant_scope
from apps.tenancy import selectors

TenantJob = Callable[..., Any]


def tenant_task(name: str, *, queue: str, when_suspended: bool = False, **options: Any) -> Callable[[TenantJob], Any]:
    """Declare a task whose first argument is a tenant's id; the body runs in that tenant's scope.

    The body opens its own transactions. A tenant that is suspended (unless `when_suspended`: money that has moved is
    always written down), deleted or gone makes the task do nothing: what it was to do stays in its row, and a sweep
    finds it after the tenant came back. The other arguments are ids and arrive as UUIDs.
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
            with tenant_scope(tenant.scope), bound_contextvars(tenant=tenant.key):
                return body(tenant.id, *(UUID(str(value)) for value in ids))

        return run

    return declare
