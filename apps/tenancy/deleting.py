"""Deleting a tenant so that it can be restored for a while, and restoring it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from apps.core.actor import Actor, ActorKind
from apps.core.clock import utcnow
from apps.core.errors import IllegalState, NotFound
from apps.core.tenants import public_scope
from apps.tenancy import lifecycle, rollout, transitions
from apps.tenancy.errors import OnlyWorkspace
from apps.tenancy.models import Tenant, TenantStatus


@dataclass(frozen=True, slots=True)
class DeletionView:
    """A tenant that was deleted: since when, and until when it can be restored."""

    tenant_id: UUID
    name: str
    deleted_at: datetime
    purge_after: datetime
    is_restorable: bool


def delete_tenant(*, actor: Actor, tenant_id: UUID, reason: str = "", now: datetime | None = None) -> datetime:
    """Close a tenant to everybody at once; returns when everything of it will be removed.

    Name, slug and hosts stay taken until then, so that it can come back as it was.

    Raises:
        PermissionRefused: neither the tenant's owner nor an operator who may write.
        EmailNotVerified: an owner whose e-mail is not verified.
        IllegalState: the tenant is being provisioned, or deleted already.
        OnlyWorkspace: the installation has this one alone.
    """
    now = now or utcnow()
    with public_scope(), transaction.atomic():
        tenant = _locked(tenant_id)
        transitions.require_authority(actor, tenant, "tenant:delete")
        lifecycle.check(tenant.status, TenantStatus.DELETED)
        if tenant.is_default and rollout.is_single():
            raise OnlyWorkspace(_("This installation has only this workspace; it cannot be deleted."))
        purge_after = now + timedelta(days=grace_days())
        tenant.status_before_deletion = tenant.status
        tenant.deleted_at, tenant.purge_after, tenant.is_default = now, purge_after, False
        transitions.move(actor, tenant, TenantStatus.DELETED, reason)
        return purge_after


def restore_tenant(*, actor: Actor, tenant_id: UUID, reason: str = "", now: datetime | None = None) -> None:
    """Undo a deletion: the tenant is what it was before, suspended if it was suspended.

    Raises:
        PermissionRefused, EmailNotVerified: as `delete_tenant`.
        IllegalState: the tenant is not deleted, its time is over, or its removal has begun.
    """
    now = now or utcnow()
    with public_scope(), transaction.atomic():
        tenant = _locked(tenant_id)
        transitions.require_authority(actor, tenant, "tenant:delete")
        if tenant.status != TenantStatus.DELETED:
            raise IllegalState(
                _("Only a deleted workspace can be restored."), allowed_actions=lifecycle.allowed_actions(tenant.status)
            )
        if not _is_restorable(tenant, now, by_operator=actor.kind is ActorKind.OPERATOR):
            raise IllegalState(_("The time to restore this workspace is over."), allowed_actions=[])
        after = tenant.status_before_deletion or TenantStatus.ACTIVE
        tenant.deleted_at = tenant.purge_after = None
        tenant.status_before_deletion = ""
        transitions.apply(actor, tenant, after, reason, action="tenancy.tenant.restore")


def deletion(tenant_id: UUID, *, now: datetime | None = None) -> DeletionView:
    """What a deleted tenant's owner and operators may know of it.

    Raises:
        NotFound: there is no such tenant, or it is not deleted.
    """
    with public_scope():
        tenant = Tenant.objects.filter(pk=tenant_id, status=TenantStatus.DELETED).exclude(deleted_at=None).first()
    if tenant is None or tenant.deleted_at is None or tenant.purge_after is None:
        raise NotFound("There is no deleted workspace here.")
    is_restorable = _is_restorable(tenant, now or utcnow(), by_operator=False)
    return DeletionView(tenant.id, tenant.name, tenant.deleted_at, tenant.purge_after, is_restorable)


def grace_days() -> int:
    """How many days a deleted tenant can be restored."""
    return int(settings.TENANT_PURGE_GRACE_DAYS)


def _is_restorable(tenant: Tenant, now: datetime, *, by_operator: bool) -> bool:
    if tenant.purge_started_at is not None or tenant.purge_after is None:
        return False
    # After the grace an operator may still be quicker than the sweep.
    return by_operator or now < tenant.purge_after


def _locked(tenant_id: UUID) -> Tenant:
    tenant: Tenant | None = Tenant.objects.select_for_update().filter(pk=tenant_id).first()
    if tenant is None:
        raise NotFound("There is no such workspace.")
    return tenant
