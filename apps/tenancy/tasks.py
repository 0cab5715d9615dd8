"""Background work of the tenancy app."""

from uuid import UUID

from apps.core.jobs import platform_task
from apps.tenancy import pool, purging, selectors, services


@platform_task("tenancy.provision_tenant", queue="provisioning")
def provision_tenant(tenant_id: str) -> None:
    """Provision one tenant."""
    services.provision_tenant(tenant_id=UUID(tenant_id))


@platform_task("tenancy.sweep_provisioning", queue="provisioning")
def sweep_provisioning() -> None:
    """Provision what a lost hint left behind and give up on what is stuck."""
    for tenant_id in selectors.stuck_tenants(older_than_seconds=10):
        services.provision_tenant(tenant_id=tenant_id)
    services.fail_stuck_tenants()


@platform_task("tenancy.purge_deleted", queue="provisioning")
def purge_deleted() -> None:
    """Remove tenants whose grace is over."""
    purging.purge_due()


@platform_task("tenancy.refill_pool", queue="provisioning")
def refill_pool() -> None:
    """Build schemas in advance."""
    pool.refill()


@platform_task("tenancy.check_domains", queue="integrations")
def check_domains() -> None:
    """Ask DNS about the domains whose time has come."""
    domains.check_due_domains()
