"""Reactions to the app's own events."""

from django.conf import settings

from apps.core.events import subscribe
from apps.core.jobs import wake
from apps.tenancy import tasks
from apps.tenancy.events import TenantCreated, TenantProvisioned, TenantStatusChanged
from apps.tenancy.models import TenantStatus


@subscribe(TenantCreated)
def start_provisioning(event: TenantCreated) -> None:
    """Hint that a new tenant waits for its schema."""
    wake(tasks.provision_tenant, event.tenant_id)


@subscribe(TenantStatusChanged)
def retry_provisioning(event: TenantStatusChanged) -> None:
    """Hint that a tenant waits for its schema once more."""
    if event.after == TenantStatus.PROVISIONING:
        wake(tasks.provision_tenant, event.tenant_id)


@subscribe(TenantProvisioned)
def refill_pool(event: TenantProvisioned) -> None:
    """Hint that a schema may have left the pool."""
    if settings.TENANT_POOL_SIZE:
        wake(tasks.refill_pool)
