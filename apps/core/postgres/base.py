"""PostgreSQL backend: the tenant is a property of a transaction, never of a session.

Entering a transaction sends ``BEGIN; SET LOCAL search_path …; SET LOCAL app.tenant_id …; SET LOCAL ROLE …`` in one
message, so nothing survives ``COMMIT`` and a connection may be pooled, persistent or behind PgBouncer in transaction
mode. A statement in a tenant's context outside a transaction is refused here rather than answered from ``public``.
"""

import select
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.utils import ProgrammingError
from django.utils.functional import cached_property
from django_prometheus.db.common import DatabaseWrapperMixin
from django_tenants.postgresql_backend import base as tenants_base
from django_tenants.utils import get_public_schema_name, quote_schema_name
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.types.datetime import TimestamptzLoader

from apps.core.postgres import pipeline
from apps.core.tenants import PUBLIC, Row, TenantScope

# The settings of `DatabaseWrapper._local_settings`, made by the very statement that reads the tenant's row `t`.
ENTER_TENANT = (
    "set_config('search_path', quote_ident({t}.schema_name) || ', public', true)"
    " || set_config('app.tenant_id', {t}.id::text, true)"
    " || set_config('role', {t}.schema_name, true)"
)


class TenantTransactionRequired(ProgrammingError):
    """A statement was sent in a tenant's context while no transaction was open."""


class DatabaseWrapper(DatabaseWrapperMixin, tenants_base.DatabaseWrapper):
    """Carries a `TenantScope` and writes it into every transaction as transaction-local settings.

    django-prometheus counts the connections that are opened and refused.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.scope: TenantScope = PUBLIC
        self._pinned_schema: str | None = None
        self._opening: tuple[str, Sequence[Any]] | None = None
        self._opened: list[Row] | None = None
        super().__init__(*args, **kwargs)

    # -- what a tenant means to the session -------------------------------------------------------------------

    def set_scope(self, scope: TenantScope) -> None:
        """Make `scope` current: at once inside a transaction, otherwise with the next one."""
        self.scope = scope
        self.schema_name = scope.schema_name
        self.tenant = scope
        if self.in_atomic_block and self._transaction_status() == TransactionStatus.INTRANS:
            self._send(self._local_settings())

    def adopt_scope(self, scope: TenantScope) -> None:
        """Take over `scope`, which a statement of the running transaction has entered (`ENTER_TENANT`)."""
        self.scope = scope
        self.schema_name = scope.schema_name
        self.tenant = scope

    @contextmanager
    def transaction_opened_by(self, statement: str, parameters: Sequence[Any]) -> Iterator[Row | None]:
        """A transaction in whose first message `statement` is asked, too; gives its row, if it has one.

        Inside a running transaction it is a savepoint and a statement.
        """
        self._opening, self._opened = (statement, parameters), None
        try:
            with transaction.atomic(using=self.alias):
                rows, self._opened = self._opened, None
                if rows is None:
                    with self.cursor() as cursor:
                        cursor.execute(statement, parameters)
                        rows = cursor.fetchall()
                yield rows[0] if rows else None
        finally:
            self._opening = None

    def read_at_once(self, asked: Sequence[pipeline.Asked]) -> list[list[Row]]:
        """The rows of each of `asked`, in one message and a transaction of its own that cannot write.

        Raises:
            django.db.Error: one was refused, or the server has gone. The connection is closed.
            RuntimeError: a transaction is open.
        """
        if self.in_atomic_block:
            raise RuntimeError("A read of its own must not run inside a transaction.")
        self.close_if_health_check_failed()
        self.ensure_connection()
        assert self.connection is not None
        try:
            with self.wrap_database_errors:
                return pipeline.ask(self.connection, asked, prepares=bool(self.settings_dict.get("PREPARES")))
        except BaseException:
            # A pool must not hand on what may still be in the middle of something.
            self.connection.close()
            self.close()
            raise

    def set_tenant(self, tenant: Any, include_public: bool = True) -> None:
        """django-tenants' entry point; the same as `set_scope`, without its session-level statement."""
        if isinstance(tenant, TenantScope):
            self.set_scope(tenant)
        elif tenant.schema_name == get_public_schema_name():
            self.set_scope(PUBLIC)
        else:
            self.set_scope(TenantScope(getattr(tenant, "id", None), tenant.schema_name))

    def _handle_search_path(self, cursor: Any = None) -> None:
        if self._pinned_schema or self.in_atomic_block or not self.autocommit:
            return
        if self.scope is PUBLIC and not self._is_read_only:
            return
        raise TenantTransactionRequired(
            f"No transaction is open in the context of {self.scope.schema_name}; "
            "enter it with tenant_transaction() or transaction.atomic()."
        )

    def _local_settings(self) -> sql.Composable:
        if self._pinned_schema:
            return sql.SQL("")
        scope = self.scope
        path = [scope.schema_name]
        if scope is PUBLIC:
            role: sql.Composable = sql.SQL("NONE")
        elif scope.as_owner:
            role = sql.Identifier(settings.DATABASE_OWNER_ROLE)
        else:
            path.append(get_public_schema_name())
            role = sql.Identifier(scope.schema_name)
        return sql.SQL(
            "SET LOCAL search_path = {path}; SET LOCAL app.tenant_id = {tenant}; SET LOCAL ROLE {role}"
        ).format(
            path=sql.SQL(", ").join(sql.Identifier(name) for name in path),
            tenant=sql.Literal(_text(scope.id)),
            role=role,
        )

    @cached_property
    def pg_version(self) -> int:
        """The server's version number, as it said when it was connected to; no statement, which a scope may refuse."""
        self.ensure_connection()
        assert self.connection is not None
        return int(self.connection.info.server_version)

    # -- transactions --------------------------------------------------------------------------------------------

    def _set_autocommit(self, autocommit: bool) -> None:
        # psycopg stays in autocommit and the transaction is opened by hand: that is what lets BEGIN and the
        # tenant's settings travel in one message.
        with self.wrap_database_errors:
            assert self.connection is not None
            if not self.connection.autocommit:
                self.connection.autocommit = True
            if not autocommit and self._transaction_status() == TransactionStatus.IDLE:
                self._begin()
            elif autocommit and self._transaction_status() != TransactionStatus.IDLE:
                self.connection.commit()

    def _begin(self) -> None:
        begin = sql.SQL("BEGIN READ ONLY" if self._is_read_only else "BEGIN")
        if self._opening is not None:
            (statement, parameters), self._opening = self._opening, None
            self._opened = self._ask(f"{begin.as_string()}; {statement}", parameters)
            return
        if self.scope is PUBLIC or self._pinned_schema:
            self._send(begin)
            return
        with self._ended_when_refused():
            self._send(sql.SQL("{}; {}").format(begin, self._local_settings()))

    def _ask(self, statements: str, parameters: Sequence[Any]) -> list[Row]:
        """Send several statements in one message; the rows of the last."""
        assert self.connection is not None
        with self._ended_when_refused(), self.wrap_database_errors:
            cursor = self.connection.execute(statements, parameters)
            while cursor.nextset():
                pass
            return list(cursor.fetchall())

    @contextmanager
    def _ended_when_refused(self) -> Iterator[None]:
        try:
            yield
        except Exception:
            # A role that is gone, or not here yet: Django does not know of the transaction and would not end it.
            if self.connection is not None and self._transaction_status() == TransactionStatus.INERROR:
                self.connection.rollback()
            raise

    def _savepoint_rollback(self, sid: str) -> None:
        # ROLLBACK TO undoes every SET LOCAL made since the savepoint; the scope that Python sees is written anew.
        super()._savepoint_rollback(sid)
        if not self._pinned_schema:
            self._send(self._local_settings())

    def is_usable(self) -> bool:
        """Whether the server is still there, which Django asks before each request.

        A server that has gone away has closed the socket, and one that has something to say has written to it; both
        show without a round trip. Otherwise nothing is known that the next statement would not find out.
        """
        if self.connection is None or self.connection.closed or self.errors_occurred or self._has_spoken():
            return bool(super().is_usable())
        return True

    def _has_spoken(self) -> bool:
        assert self.connection is not None
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
        return bool(poll.poll(0))

    @property
    def _is_read_only(self) -> bool:
        # A replica's alias: transactions that cannot write are all that it offers, whatever its URL leads to.
        return bool(self.settings_dict.get("READ_ONLY"))

    def _transaction_status(self) -> TransactionStatus:
        if self.connection is None:
            return TransactionStatus.UNKNOWN
        return TransactionStatus(self.connection.info.transaction_status)

    def _send(self, statements: sql.Composable) -> None:
        assert self.connection is not None
        with self.wrap_database_errors:
            self.connection.execute(statements)

    # -- migrations -----------------------------------------------------------------------------------------------

    @contextmanager
    def pinned_to(self, schema_name: str) -> Iterator[None]:
        """Reconnect with `schema_name` as the connection's own search path (migrations of one schema only).

        Schema editors work outside transactions as well, so they need a path that is the connection's; it is
        given at connect time and the connection is closed afterwards, so it can never be handed to a request.
        """
        schema = self.schema_name
        self.close()
        self._pinned_schema, self.schema_name = schema_name, schema_name
        try:
            yield
        finally:
            self.close()
            self._pinned_schema, self.schema_name = None, schema

    def get_connection_params(self) -> dict[str, Any]:
        """Django's, and while pinned the path and the owner's role as properties of the connection."""
        parameters: dict[str, Any] = super().get_connection_params()
        if self._pinned_schema:
            # Not in settings_dict: every thread shares that.
            path, role = quote_schema_name(self._pinned_schema), settings.DATABASE_OWNER_ROLE
            direct = self.settings_dict.get("DIRECT", {})
            parameters |= {name: value for name, value in direct.items() if value}
            parameters["options"] = f"-c search_path={path} -c role={role}"
        return parameters

    def create_cursor(self, name: str | None = None) -> Any:
        """Django's, whose instants psycopg's own C reads: Django's reader in Python only names the same zone, UTC."""
        if name is not None or self.timezone_name != "UTC":
            # Past django-prometheus, which would make a class for each cursor.
            return super(DatabaseWrapperMixin, self).create_cursor(name)
        assert self.connection is not None
        cursor = self.connection.cursor()
        cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
        return cursor

    @property
    def pool(self) -> Any:
        """psycopg's pool when the settings ask for one; a pinned connection never comes from it."""
        return None if self._pinned_schema else super().pool


def _text(tenant_id: UUID | None) -> str:
    return str(tenant_id) if tenant_id else ""
