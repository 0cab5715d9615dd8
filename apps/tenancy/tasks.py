"""Background work of the tenancy app."""

from uuid import UUID

from apps.core.jobs import platform_task
from apps.tenancy import domains, pool, purging, schema_drift, selectors, services
from apps.tenancy.migrating_tenants import Options, migrate_tenants
from apps.tenancy.progress import silent

# 250 an hour are 6,000 a day: more than a database should hold.
SCHEMAS_AT_A_TIME = 250


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


@platform_task("tenancy.check_domains", queue="default")
def check_domains() -> None:
    """Ask DNS about the domains whose time has come."""
    domains.check_due_domains()


@platform_task("tenancy.migrate_tenant", queue="provisioning")
def migrate_tenant(key: str) -> None:
    """Migrate one tenant that failed; what comes of it stands in its report."""
    migrate_tenants(silent(), Options(key=key))


@platform_task("tenancy.check_schemas", queue="default")
def check_schemas() -> None:
    """Compare the tenants whose turn it is with the template."""
    schema_drift.check_schemas(SCHEMAS_AT_A_TIME)
