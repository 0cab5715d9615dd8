"""What the fuzz does: one small piece of tenants' work each, which knows what it must and must not see."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import Error, close_old_connections, connection, transaction
from psycopg import errors

from apps.core.postgres.base import ENTER_TENANT, TenantTransactionRequired
from apps.core.postgres.pipeline import Statement
from apps.core.tenants import current_scope, public_scope, read_at_once, tenant_scope, tenant_transaction
from apps.invoices.models import Client
from apps.notifications.models import Notification
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from tests.factories.notifications import tell

CLIENTS = 3
_ENTERING = Statement.of(f"SELECT {ENTER_TENANT.format(t='t')} FROM public.tenancy_tenant t WHERE t.id = %s")
_NAMES = Statement.of("SELECT name FROM invoices_client")
_SHARED = Statement.of(
    "SELECT DISTINCT tenant_id FROM public.notifications_notification UNION SELECT id FROM public.tenancy_tenant"
)


class Crossing(AssertionError):
    """Somebody saw or changed what is another tenant's."""


@dataclass(frozen=True)
class World:
    """The tenants that the fuzz runs in; each has three clients and one notification, all named by its key."""

    tenants: tuple[TenantView, ...]

    def work(self, seed: int) -> None:
        """One operation, chosen by `seed`.

        Raises:
            Crossing: a wall does not hold.
        """
        dice = random.Random(seed)
        mine, other = dice.sample(self.tenants, 2)
        try:
            dice.choices(list(OPERATIONS), list(OPERATIONS.values()))[0](mine, other, dice)
        finally:
            # As at the end of a request or a task; a pool's connection goes back.
            close_old_connections()


def furnish(tenant: TenantView) -> None:
    """Give a tenant the rows that the operations look for."""
    with tenant_transaction(tenant.scope):
        Client.objects.all().delete()
        Client.objects.bulk_create([Client(name=tenant.key, currency="EUR") for _ in range(CLIENTS)])
        tell(tenant, tenant.key, roles=("OWNER",))


def _expect(condition: bool, what: object) -> None:
    if not condition:
        raise Crossing(str(what))


def _see(tenant: TenantView) -> None:
    names = list(Client.objects.values_list("name", flat=True))
    _expect(names == [tenant.key] * CLIENTS, f"{tenant.key} sees {names}")


def _see_shared(tenant: TenantView) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select distinct tenant_id from notifications_notification union select id from tenancy_tenant")
        found = cursor.fetchall()
    _expect(found == [(tenant.id,)], f"{tenant.key} sees rows of {found}")


def read(mine: TenantView, other: TenantView, dice: random.Random) -> None:
    with tenant_transaction(mine.scope):
        _see(mine)


def read_shared(mine: TenantView, other: TenantView, dice: random.Random) -> None:
    with tenant_transaction(mine.scope):
        _see_shared(mine)


def read_in_one_message(mine: TenantView, other: TenantView, dice: random.Random) -> None:
    for tenant in (mine, other):
        _entered, names, shared = read_at_once((_ENTERING, [tenant.id]), (_NAMES, []), (_SHARED, []))
        _expect(names == [(tenant.key,)] * CLIENTS, f"{tenant.key} sees {names}")
        _expect(shared == [(tenant.id,)], f"{tenant.key} sees rows of {shared}")
    if dice.random() < 0.2:
        _refused(lambda: read_at_once((_NAMES, [])))
    _expect(current_scope().id is None, "the scope outlived its transaction")


def write_without_a_filter(mine: TenantView, other: TenantView, dice: random.Random) -> None:
    with tenant_transaction(mine.scope):
        changed = Client.objects.update(notes=str(dice.random())), Notification.objects.update(body=str(dice.random()))
        _expect(changed[0] == CLIENTS and changed[1] >= 1, f"{mine.key} changed {changed}")
        _see_shared(mine)
        if dice.random() < 0.3:
            transaction.set_rollback(True)


def nest_and_fail(mine: TenantView, other: TenantView, dice: random.Random) -> None:
    with tenant_transaction(mine.scope):
        _see(mine)
        try:
            with tenant_transaction(other.scope):
                _see(other)
                if dice.random() < 0.5:
                    raise KeyError
        except KeyError:
            pass
        _see(mine)
        _see_shared(mine)


def fail_in_the_database(mine: TenantView, other: TenantView, dice: random.Random) -> None:
    try:
        with tenant_transaction(mine.scope), connection.cursor() as cursor:
            cursor.execute("select 1 / 0")
    except Error:
        pass
    _expect(current_scope().id is None, "the scope outlived its transaction")


def forget_the_transaction(mine: TenantView, other: TenantView, dice: random.Random) -> None:
    with tenant_scope(mine.scope):
        _refused(lambda: list(Client.objects.all()))


def read_too_late(mine: TenantView, other: TenantView, dice: random.Random) -> None:
    with tenant_transaction(mine.scope):
        lazy = Client.objects.all()
    _refused(lambda: list(lazy))


def take_a_raw_cursor(mine: TenantView, other: TenantView, dice: random.Random) -> None:
    with tenant_scope(mine.scope):
        connection.ensure_connection()
        _refused(lambda: connection.connection.execute("select * from invoices_client").fetchall())


def step_out(mine: TenantView, other: TenantView, dice: random.Random) -> None:
    with tenant_transaction(mine.scope):
        with public_scope():
            _expect(Tenant.objects.filter(pk__in=[mine.id, other.id]).count() == 2, "the platform misses tenants")
        _see(mine)


def name_the_others_schema(mine: TenantView, other: TenantView, dice: random.Random) -> None:
    statements = (
        f"select * from {other.schema_name}.invoices_client",
        f"set local search_path = {other.schema_name}; select * from invoices_client",
        f"update {other.schema_name}.invoices_client set notes = 'taken'",
    )

    def attempt() -> Any:
        with tenant_transaction(mine.scope), connection.cursor() as cursor:
            cursor.execute(dice.choice(statements))
            return "done"

    _refused(attempt)


def write_for_the_other(mine: TenantView, other: TenantView, dice: random.Random) -> None:
    with tenant_transaction(mine.scope):
        changed = Notification.objects.filter(tenant_id=other.id).update(title=mine.key)
        removed = Notification.objects.filter(tenant_id=other.id).delete()[0]
    _expect((changed, removed) == (0, 0), f"{mine.key} changed {changed} and removed {removed} of {other.key}")


def work_after_the_commit(mine: TenantView, other: TenantView, dice: random.Random) -> None:
    def later() -> None:
        with tenant_transaction(other.scope):
            _see(other)

    with tenant_transaction(mine.scope):
        transaction.on_commit(later)
        _see(mine)


def stream(mine: TenantView, other: TenantView, dice: random.Random) -> None:
    def rows() -> Iterator[str]:
        with tenant_transaction(mine.scope):
            yield from Client.objects.values_list("name", flat=True).iterator(chunk_size=1)

    answer = rows()
    _expect(next(answer) == mine.key, "a stream began with another tenant's row")
    if dice.random() < 0.5:
        answer.close()
    else:
        _expect(list(answer) == [mine.key] * (CLIENTS - 1), "a stream went over to another tenant")


def _refused(attempt: Callable[[], Any]) -> None:
    try:
        found = attempt()
    except TenantTransactionRequired:
        return
    except (Error, errors.Error) as error:
        cause = error if isinstance(error, errors.Error) else error.__cause__
        _expect(isinstance(cause, errors.UndefinedTable | errors.InsufficientPrivilege), repr(error))
        return
    raise Crossing(f"answered: {found}")


OPERATIONS: dict[Callable[[TenantView, TenantView, random.Random], None], int] = {
    read: 30,
    read_shared: 15,
    read_in_one_message: 15,
    write_without_a_filter: 10,
    nest_and_fail: 10,
    fail_in_the_database: 5,
    forget_the_transaction: 4,
    read_too_late: 4,
    take_a_raw_cursor: 4,
    step_out: 5,
    name_the_others_schema: 5,
    write_for_the_other: 4,
    work_after_the_commit: 4,
    stream: 4,
}
