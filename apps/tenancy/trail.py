"""What every change of a tenant's settings does: lock the actor's own tenant, write the trail, forget its hosts."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.actor import Actor
from apps.core.errors import PermissionRefused
from apps.tenancy import selectors
from apps.tenancy.models import Domain, Tenant


def own_tenant(actor: Actor, permission: str = "settings:write", *, lock: bool = False) -> Tenant:
    """The tenant that the actor works in.

    Raises:
        PermissionRefused: he lacks `permission`, or is in no tenant.
    """
    actor.require(permission)
    if actor.tenant_id is None:
        raise PermissionRefused
    rows = Tenant.objects.select_for_update() if lock else Tenant.objects.all()
    tenant: Tenant = rows.get(pk=actor.tenant_id)
    return tenant


def record_tenant(
    actor: Actor,
    tenant: Tenant,
    verb: str,
    *,
    after: dict[str, Any],
    before: dict[str, Any] | None = None,
    severity: str = Severity.INFO,
) -> None:
    """One entry on the tenant."""
    audit.record(
        actor=actor,
        action=f"tenancy.tenant.{verb}",
        entity_type="tenant",
        entity_id=tenant.id,
        entity_label=tenant.name,
        before=before,
        after=after,
        severity=severity,
        tenant_id=tenant.id,
    )


def forget_hosts(tenant: Tenant, extra: Iterable[str] = ()) -> None:
    """Drop on commit what is cached of the tenant's hosts, and of `extra` that were or become its own."""
    names = {*Domain.objects.filter(tenant=tenant).values_list("domain", flat=True), *extra}

    def forget() -> None:
        for name in names:
            selectors.forget_host(name)

    transaction.on_commit(forget, robust=True)
