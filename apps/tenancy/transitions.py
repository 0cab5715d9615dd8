"""Moving a tenant from one state to another: who may, what is written, who hears of it."""

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core import events
from apps.core.actor import Actor, ActorKind
from apps.core.errors import PermissionRefused
from apps.tenancy import lifecycle, selectors
from apps.tenancy.errors import EmailNotVerified, SuspendedByPlatform
from apps.tenancy.events import TenantStatusChanged
from apps.tenancy.models import Tenant, TenantStatus

_GRAVE = (TenantStatus.SUSPENDED, TenantStatus.DELETED)
FIELDS = (
    "status",
    "status_reason",
    "suspended_by",
    "provisioning_started_at",
    "deleted_at",
    "status_before_deletion",
    "purge_after",
    "is_default",
    "updated_at",
)


def require_authority(actor: Actor, tenant: Tenant, permission: str) -> None:
    """Check that `actor` may change the state of `tenant`: its own people with `permission`, operators who may write.

    Raises:
        PermissionRefused: he may not.
        EmailNotVerified: he may, once his e-mail is verified.
    """
    if actor.kind is ActorKind.OPERATOR:
        actor.require("platform:write")
        return
    if actor.kind is not ActorKind.SYSTEM and actor.tenant_id != tenant.id:
        raise PermissionRefused
    actor.require(permission)
    if not actor.is_verified:
        raise EmailNotVerified(_("Verify your e-mail address first; then you can change the state of your workspace."))


def require_same_hand(actor: Actor, tenant: Tenant) -> None:
    """Check that a suspension is lifted by whoever imposed it; operators lift any.

    Raises:
        SuspendedByPlatform: the platform suspended the tenant, so its people cannot lift it; nor does what the
            platform does by itself lift what a person imposed.
    """
    if tenant.status != TenantStatus.SUSPENDED or actor.kind is ActorKind.OPERATOR:
        return
    if tenant.suspended_by not in ("", actor.kind.value):
        raise SuspendedByPlatform(_("Only whoever suspended this workspace can reactivate it."))


def move(actor: Actor, tenant: Tenant, after: str, reason: str) -> None:
    """Write the new state of a locked row, and all that follows from it, in the caller's transaction.

    Raises:
        IllegalState: the table of transitions does not hold it.
    """
    lifecycle.check(tenant.status, after)
    apply(actor, tenant, after, reason, action="tenancy.tenant.change_status")


def apply(actor: Actor, tenant: Tenant, after: str, reason: str, *, action: str) -> None:
    """As `move`, for a change that the caller has checked."""
    before = tenant.status
    tenant.status, tenant.status_reason = after, reason
    if after == TenantStatus.SUSPENDED and not tenant.suspended_by:
        tenant.suspended_by = actor.kind.value
    elif after == TenantStatus.ACTIVE:
        tenant.suspended_by = ""
    tenant.save(update_fields=FIELDS)
    audit.record(
        actor=actor,
        action=action,
        entity_type="tenant",
        entity_id=tenant.id,
        entity_label=tenant.name,
        before={"status": before},
        after={"status": after, "reason": reason},
        severity=Severity.HIGH if after in _GRAVE else Severity.INFO,
        tenant_id=tenant.id,
    )
    forget_hosts(tenant)
    events.publish(TenantStatusChanged(tenant_id=tenant.id, before=before, after=after))


def forget_hosts(tenant: Tenant) -> None:
    """Drop what is cached of the tenant's hosts once the transaction commits."""
    hosts = [*tenant.domains.values_list("domain", flat=True), settings.PLATFORM_HOST]

    def forget() -> None:
        for host in hosts:
            selectors.forget_host(host)

    transaction.on_commit(forget, robust=True)
