"""Which tenants something waits in, so that a sweep visits those alone and not all that there are.

The work itself is rows in the tenant's schema; a note in a shared table says from when on some of it is due. Whoever
makes work due writes a note in the same transaction; nobody changes one, so writers never wait for each other. A sweep
takes the tenant's notes, then reads the work, then leaves one note for what still waits, all in one transaction. It
reads after it has taken, so that work whose note it took is seen, and whoever commits later has a note of his own. So
there is a note wherever work waits, whoever dies.
"""

from datetime import datetime

from django.db import connection, transaction

from apps.core.clock import utcnow
from apps.core.tenants import current_tenant_id
from apps.tenancy import selectors
from apps.tenancy.models import DueWork, Tenant, TenantStatus
from apps.tenancy.selectors import TenantView

# In one statement, whoever listens to deletions: a million facts leave a million notes.
_TAKE = "delete from public.tenancy_due_work where tenant_id = %s and kind = %s"


def note(kind: str, *, due_at: datetime) -> None:
    """Note, in the running transaction, that work of this kind is due in the current tenant from `due_at` on.

    Raises:
        RuntimeError: no transaction is open, so note and work could part.
    """
    _require_transaction()
    DueWork.objects.create(tenant_id=current_tenant_id(), kind=kind, due_at=due_at)


def take(kind: str) -> int:
    """Remove the current tenant's notes of this kind, in the running transaction; returns how many there were.

    The caller then reads what waits and notes when the first of it is due.

    Raises:
        RuntimeError: no transaction is open.
    """
    _require_transaction()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [current_tenant_id(), kind])
        return int(cursor.rowcount)


def tenants_with(kind: str, *, now: datetime | None = None) -> list[TenantView]:
    """The active tenants in which work of this kind is due. Notes of others stay until they are active again."""
    due = DueWork.objects.filter(kind=kind, due_at__lte=now or utcnow()).values("tenant_id")
    rows = Tenant.objects.filter(status=TenantStatus.ACTIVE, pk__in=due).order_by("pk")
    return [selectors.view(tenant) for tenant in rows.iterator()]


def _require_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("Notes of due work belong into the transaction of the work.")
