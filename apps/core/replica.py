"""Reports read from a replica, within the same walls as everything else; without one, from the primary."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import structlog
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, OperationalError, connections
from psycopg.errors import ReadOnlySqlTransaction

from apps.core.breaker import Breaker, BreakerOpen
from apps.core.errors import NotFound
from apps.core.tenants import REPLICA_ALIAS, NoTenant, TenantScope, current_alias, tenant_transaction

logger = structlog.get_logger(__name__)
T = TypeVar("T")

# Nobody waits for a replica that is away more often than this.
BREAKER = Breaker("replica", failures=2, open_seconds=30, successes=1)


class ReplicaRouter:
    """Sends the queries of a report to the connection that the report entered; nothing migrates there."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        """The replica inside a report; otherwise no opinion."""
        return _replica_inside_a_report()

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        """The same, so that a write inside a report is refused instead of going elsewhere."""
        return _replica_inside_a_report()

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        """A replica's tables come from its primary."""
        return False if db == REPLICA_ALIAS else None


def read_report(scope: TenantScope, work: Callable[[], T]) -> T:
    """What `work` reads as the tenant of `scope`: from the replica, or from the primary where that cannot answer.

    `work` only reads, and may run twice. The replica may be seconds behind, so a tenant, table or row that it does
    not have yet is looked for on the primary, like everything while it does not answer.

    Raises:
        InternalError: `work` tried to write.
        NoTenant: `scope` is no tenant's.
    """
    if _has_replica(scope):
        try:
            with BREAKER.guard(OperationalError, InterfaceError), reporting_transaction(scope):
                return work()
        except BreakerOpen:
            pass
        except (DatabaseError, InterfaceError, NotFound) as error:
            if isinstance(error.__cause__, ReadOnlySqlTransaction):
                raise
            logger.warning("replica.not_used", error=str(error), error_type=type(error).__name__)
    with _on_the_primary(scope):
        return work()


@contextmanager
def reporting_transaction(scope: TenantScope) -> Iterator[None]:
    """A read-only transaction as the tenant of `scope`, on the replica; on the primary where there is none.

    Schema, role and row-level security are those of `tenant_transaction`. Queries that name no connection go there.

    Raises:
        NoTenant: `scope` is no tenant's.
        OperationalError: the replica does not answer; `read_report` turns to the primary then.
    """
    if not _has_replica(scope):
        with _on_the_primary(scope):
            yield
        return
    with tenant_transaction(replace(scope, database_alias=REPLICA_ALIAS)):
        yield


@contextmanager
def _on_the_primary(scope: TenantScope) -> Iterator[None]:
    if scope.id is None:
        raise NoTenant("Reports are of one tenant.")
    with tenant_transaction(scope):
        # In a savepoint of its own when the caller is in a transaction, which may write again afterwards.
        with connections[scope.database_alias].cursor() as cursor:
            cursor.execute("set local transaction_read_only = on")
        yield


def _has_replica(scope: TenantScope) -> bool:
    return scope.id is not None and scope.database_alias == DEFAULT_DB_ALIAS and REPLICA_ALIAS in connections


def _replica_inside_a_report() -> str | None:
    return REPLICA_ALIAS if current_alias() == REPLICA_ALIAS else None
