"""Background work of the webhooks app. Every task may run twice, late or never: the rows say what is owed."""

from uuid import UUID

from apps.core.jobs import platform_task, wake
from apps.core.tenants import tenant_scope
from apps.tenancy import selectors as tenancy
from apps.tenancy.jobs import tenant_task
from apps.webhooks import selectors, sending, services


@tenant_task("webhooks.deliver", queue="integrations")
def deliver(tenant_id: UUID, endpoint_id: UUID) -> None:
    """Give one endpoint its turn."""
    if sending.take_turn(endpoint_id=endpoint_id):
        wake(deliver, tenant_id, endpoint_id)


@platform_task("webhooks.sweep", queue="integrations")
def sweep() -> None:
    """Wake the turns of endpoints that lost hints, failures and dead workers left; it calls nobody itself."""
    for tenant in tenancy.active_tenants():
        with tenant_scope(tenant.scope):
            for endpoint_id in selectors.endpoints_with_work():
                wake(deliver, tenant.id, endpoint_id)


@platform_task("webhooks.purge", queue="integrations")
def purge() -> None:
    """Remove what is older than it is kept, tenant by tenant."""
    for tenant in tenancy.settling_tenants():
        with tenant_scope(tenant.scope):
            services.purge()
