"""Background work of the webhooks app. Every task may run twice, late or never: the rows say what is owed."""

from uuid import UUID

from apps.core.jobs import platform_task, wake
from apps.tenancy import due_work, jobs
from apps.tenancy import selectors as tenancy
from apps.tenancy.jobs import tenant_task
from apps.tenancy.selectors import TenantView
from apps.webhooks import owing, sending, services


@tenant_task("webhooks.deliver", queue="integrations")
def deliver(tenant_id: UUID, endpoint_id: UUID) -> None:
    """Give one endpoint its turn."""
    if sending.take_turn(endpoint_id=endpoint_id):
        wake(deliver, tenant_id, endpoint_id)


@platform_task("webhooks.sweep", queue="integrations")
def sweep() -> None:
    """Wake the turns of endpoints that lost hints, failures and dead workers left; it calls nobody itself."""
    jobs.visit(due_work.tenants_with(owing.WORK), _wake_endpoints)


@platform_task("webhooks.purge", queue="integrations")
def purge() -> None:
    """Remove what is older than it is kept, tenant by tenant, and note anew where something waits."""
    jobs.visit(tenancy.settling_tenants(), _purge_one)


def _wake_endpoints(tenant: TenantView) -> None:
    for endpoint_id in owing.survey():
        wake(deliver, tenant.id, endpoint_id)


def _purge_one(tenant: TenantView) -> None:
    services.purge()
    # Nothing loses a note; but a schema may come back from a backup without its notes.
    owing.survey()
