"""The tenant context: one value, entered by one pair of context managers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol, cast
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.utils.asyncio import async_unsafe

# Where reports read (apps.core.replica); configured only where there is one.
REPLICA_ALIAS = "replica"
_reads_from: ContextVar[str] = ContextVar("reads_from", default=DEFAULT_DB_ALIAS)


@dataclass(frozen=True, slots=True)
class TenantScope:
    """What the database needs to know of a tenant: its id, its schema and the database that holds it.

    `as_owner`: work as the role that owns the tables instead of the tenant's own.
    """

    id: UUID | None
    schema_name: str
    database_alias: str = DEFAULT_DB_ALIAS
    as_owner: bool = False


PUBLIC = TenantScope(None, "public")
Row = tuple[Any, ...]


class ScopedConnection(Protocol):
    """What is asked of a connection: it carries a scope into its transactions (`apps.core.postgres`)."""

    scope: TenantScope

    def set_scope(self, scope: TenantScope) -> None:
        """Make `scope` current: at once inside a transaction, otherwise with the next one."""

    def adopt_scope(self, scope: TenantScope) -> None:
        """Take over `scope`, which a statement of the running transaction has entered."""

    def transaction_opened_by(self, statement: str, parameters: Sequence[Any]) -> AbstractContextManager["Row | None"]:
        """A transaction in whose first message `statement` is asked, too; gives its row, if it has one."""

    def read_at_once(self, asked: Sequence[tuple[Any, Sequence[object]]]) -> list[list["Row"]]:
        """The rows of each of `asked` (`postgres.pipeline`), in one message and a transaction that cannot write."""


class NoTenant(RuntimeError):
    """Code that works on a tenant's data ran outside any tenant's context."""


def current_alias() -> str:
    """The connection of the innermost scope for code that names none: the replica inside a report, else the primary."""
    return _reads_from.get()


def current_scope(using: str = "") -> TenantScope:
    """The scope of this thread's (or async context's) connection; `PUBLIC` when no tenant was entered."""
    return _connection(using or current_alias()).scope


def current_tenant_id() -> UUID:
    """The current tenant's id.

    Raises:
        NoTenant: no tenant was entered.
    """
    tenant_id = current_scope().id
    if tenant_id is None:
        raise NoTenant("No tenant is current here.")
    return tenant_id


@contextmanager
def tenant_scope(scope: TenantScope) -> Iterator[None]:
    """Work as `scope` inside; every transaction opened inside carries it. Opens no transaction by itself.

    Inside a running transaction the settings are switched at once and switched back at the end.
    """
    connection = _connection(scope.database_alias)
    before, read_from = connection.scope, current_alias()
    _switch(connection, scope)
    # A scope entered inside a report must not be answered from the report's tenant.
    _reads_from.set(REPLICA_ALIAS if scope.database_alias == REPLICA_ALIAS else DEFAULT_DB_ALIAS)
    try:
        yield
    finally:
        _reads_from.set(read_from)
        connection.set_scope(before)


@contextmanager
def tenant_transaction(scope: TenantScope) -> Iterator[None]:
    """`tenant_scope` with a transaction around the body (a savepoint inside a running one)."""
    with tenant_scope(scope), transaction.atomic(using=scope.database_alias):
        yield


@contextmanager
def transaction_entered_by(
    statement: str, parameters: Sequence[Any], scope_of: Callable[[Row], TenantScope | None]
) -> Iterator[Row | None]:
    """A transaction whose opening asks `statement` in the same message, in public; gives the row that it finds.

    The statement may enter the row's tenant by `postgres.base.ENTER_TENANT`; `scope_of` says of the row which it is.
    """
    connection = _connection(DEFAULT_DB_ALIAS)
    with public_scope(), connection.transaction_opened_by(statement, parameters) as row:
        if row is not None and (scope := scope_of(row)) is not None:
            connection.adopt_scope(scope)
        yield row


def read_at_once(*asked: tuple[Any, Sequence[object]]) -> list[list[Row]]:
    """The rows of each of `asked` (statements of `postgres.pipeline`), in one message and a transaction of its own.

    It begins in public and cannot write; what one of the statements enters by `ENTER_TENANT` ends with it.

    Raises:
        django.db.Error: one was refused, or the server has gone.
        RuntimeError: a transaction is open.
    """
    return _connection(DEFAULT_DB_ALIAS).read_at_once(asked)


def is_in_transaction() -> bool:
    """Whether a transaction is open on this thread's connection."""
    return connections[DEFAULT_DB_ALIAS].in_atomic_block


@contextmanager
def owner_transaction(schema_name: str = "public", *, using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """A transaction as the role that owns the tables, with `schema_name` alone on the path.

    For provisioning, migrating and removing; the process's login must be allowed to become the owner.
    """
    with tenant_transaction(TenantScope(None, schema_name, using, as_owner=True)):
        yield


@contextmanager
def public_scope() -> Iterator[None]:
    """Leave the tenant for a while, for example to write rows that belong to the platform alone."""
    with tenant_scope(PUBLIC):
        yield


def assert_no_transaction(what: str) -> None:
    """Refuse to do `what` (a call to the outside) while a transaction is open.

    Raises:
        RuntimeError: a transaction is open, so the call could outlive a rollback or hold locks while it waits.
    """
    # Django's TestCase wraps every test in transactions of its own; they are not the caller's.
    blocks = transaction.get_connection().atomic_blocks
    if any(not block._from_testcase for block in blocks):
        raise RuntimeError(f"{what} must not run inside a database transaction.")


@async_unsafe("A tenant cannot be entered in an event loop, whose tasks share the thread: use sync_to_async().")
def _switch(connection: ScopedConnection, scope: TenantScope) -> None:
    connection.set_scope(scope)


def _connection(alias: str) -> ScopedConnection:
    return cast(ScopedConnection, connections[alias])
