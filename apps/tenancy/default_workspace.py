"""The one workspace of an installation in SINGLE_TENANT: found, adopted, or made."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from apps.audit import services as audit
from apps.core.actor import system
from apps.core.tenants import public_scope
from apps.tenancy import selectors, services, transitions
from apps.tenancy.errors import NameTaken
from apps.tenancy.models import Tenant, TenantStatus
from apps.tenancy.selectors import TenantView


def default_workspace() -> TenantView:
    """The workspace that everybody shares; made when there is none, once however many processes start at a time.

    ``DEFAULT_WORKSPACE_KEY`` names it; without that it is the one of last time, else a new one. Nothing changes for
    the other tenants: they are only not served while the mode lasts.

    Raises:
        ImproperlyConfigured: the setting names no tenant, or a deleted one.
    """
    with public_scope():
        found = Tenant.objects.filter(is_default=True).first()
        if found is None or not _is_wanted(found):
            with transaction.atomic():
                found = _settle()
        return selectors.view(found)


def _is_wanted(tenant: Tenant) -> bool:
    return settings.DEFAULT_WORKSPACE_KEY in ("", tenant.key)


def _settle() -> Tenant:
    with transaction.get_connection().cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext('tenancy.default_workspace'))")
    before: Tenant | None = Tenant.objects.select_for_update().filter(is_default=True).first()
    if before is not None and _is_wanted(before):
        return before
    tenant = _named(settings.DEFAULT_WORKSPACE_KEY) if settings.DEFAULT_WORKSPACE_KEY else _new()
    if before is not None:
        _mark(before, is_default=False)
    _mark(tenant, is_default=True)
    return tenant


def _named(key: str) -> Tenant:
    tenant: Tenant | None = (
        Tenant.objects.select_for_update().filter(key=key).exclude(status=TenantStatus.DELETED).first()
    )
    if tenant is None:
        raise ImproperlyConfigured(f"DEFAULT_WORKSPACE_KEY is {key!r}, and there is no such workspace.")
    return tenant


def _new() -> Tenant:
    name = settings.DEFAULT_WORKSPACE_NAME
    for attempt in range(1, 100):
        try:
            made = services.create_tenant(actor=system(), name=name if attempt == 1 else f"{name} {attempt}")
        except NameTaken:
            # From the time of many workspaces.
            continue
        tenant: Tenant = Tenant.objects.select_for_update().get(pk=made.id)
        return tenant
    raise ImproperlyConfigured(f"DEFAULT_WORKSPACE_NAME is {name!r}, and many workspaces are called so already.")


def _mark(tenant: Tenant, *, is_default: bool) -> None:
    tenant.is_default = is_default
    tenant.save(update_fields=["is_default", "updated_at"])
    audit.record(
        actor=system(tenant.id),
        action="tenancy.tenant.mark_default",
        entity_type="tenant",
        entity_id=tenant.id,
        entity_label=tenant.name,
        before={"is_default": not is_default},
        after={"is_default": is_default},
        tenant_id=tenant.id,
    )
    transitions.forget_hosts(tenant)
