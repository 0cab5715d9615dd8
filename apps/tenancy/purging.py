"""Removing a deleted tenant for good once its grace is over: schema, role, files, rows of shared tables.

Each step looks before it acts and may run again, so that a worker may die at any line; the tenant's row goes last and
says until then what is left to do. The audit trail stays, under the tenant's id and with its name.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.apps import apps as registry
from django.conf import settings
from django.core.files.storage import Storage, default_storage
from django.db import Error, models, transaction

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core import events
from apps.core.actor import system
from apps.core.clock import utcnow
from apps.core.tenants import public_scope
from apps.tenancy import roles, transitions
from apps.tenancy.events import TenantPurged
from apps.tenancy.models import Tenant, TenantStatus

logger = structlog.get_logger(__name__)

BATCH = 1000
# The one shared table that outlives a tenant (PRODUCT, audit: append-only).
KEPT = frozenset({"audit.auditentry"})


@dataclass(frozen=True, slots=True)
class _Removal:
    """One tenant's removal. Another tenant may come to have its id, but never with the same `started_at`."""

    tenant_id: UUID
    schema_name: str
    started_at: datetime


class _Overtaken(Exception):
    """Another worker has finished meanwhile; whatever has the id now is somebody else's."""


def due_tenants(*, now: datetime | None = None) -> list[UUID]:
    """Deleted tenants whose grace is over."""
    with public_scope():
        due = Tenant.objects.filter(status=TenantStatus.DELETED, purge_after__lte=now or utcnow())
        return list(due.order_by("purge_after").values_list("pk", flat=True))


def purge_tenant(*, tenant_id: UUID, now: datetime | None = None) -> bool:
    """Remove everything of a tenant; returns whether it was due. Twice or at once in two workers is once.

    Raises:
        OSError, django.db.Error: a step failed; the next run goes on with it.
    """
    with public_scope():
        removal = _begin(tenant_id, now or utcnow())
        return removal is not None and _carry_out(removal)


def purge_due(*, now: datetime | None = None) -> int:
    """Purge every tenant that is due; one that fails is logged and stops no other. Returns how many are gone."""
    purged = 0
    for tenant_id in due_tenants(now=now):
        try:
            purged += purge_tenant(tenant_id=tenant_id, now=now)
        except (OSError, ValueError, Error):
            # Whatever it is, it belongs to this one: the next must get its turn.
            logger.exception("tenancy.purge_failed", tenant_id=str(tenant_id))
    return purged


def files_of(tenant_id: UUID) -> list[str]:
    """The prefixes of everything that a tenant has in the storage: its own files, and exports of it."""
    return [f"tenants/{tenant_id}", f"archives/{tenant_id}"]


def shared_models_of_tenants() -> list[type[models.Model]]:
    """The models of shared tables whose rows belong to a tenant each, known by their column ``tenant_id``."""
    return [
        model
        for model in registry.get_models(include_auto_created=True)
        if _is_shared(model)
        and model._meta.managed
        and model._meta.label_lower not in KEPT
        and any(field.column == "tenant_id" for field in model._meta.concrete_fields)
    ]


def remove_files(storage: Storage, prefix: str) -> None:
    """Delete what lies below `prefix`, and the folders where there are such; nothing there is as good as done."""
    try:
        folders, files = storage.listdir(prefix)
    except FileNotFoundError:
        return
    for name in files:
        storage.delete(f"{prefix}/{name}")
    for name in folders:
        remove_files(storage, f"{prefix}/{name}")
    if not getattr(storage, "bucket_name", None):
        storage.delete(prefix)


def _begin(tenant_id: UUID, now: datetime) -> _Removal | None:
    """From here on the tenant cannot be restored; nothing when there is nothing to do."""
    with transaction.atomic():
        tenant = Tenant.objects.select_for_update().filter(pk=tenant_id, status=TenantStatus.DELETED).first()
        if tenant is None or tenant.purge_after is None or tenant.purge_after > now:
            return None
        if tenant.purge_started_at is None:
            tenant.purge_started_at = now
            tenant.save(update_fields=["purge_started_at", "updated_at"])
        return _Removal(tenant.id, tenant.schema_name, tenant.purge_started_at)


def _carry_out(removal: _Removal) -> bool:
    try:
        with _held(removal):
            roles.drop_schema(removal.schema_name)
        for prefix in files_of(removal.tenant_id):
            # Storage is not asked within transactions, but here nobody waits for the lock save other workers, and
            # an import under this id must not write until the last of them has looked.
            with _held(removal):
                remove_files(default_storage, prefix)
        for model in _in_deletable_order(shared_models_of_tenants()):
            _remove_rows(model, removal)
        _finish(removal)
    except _Overtaken:
        return False
    return True


@contextmanager
def _held(removal: _Removal) -> Iterator[Tenant]:
    """A transaction with the tenant's row locked, so that no other worker can finish under this one's hands.

    Raises:
        _Overtaken: one has finished already.
    """
    with transaction.atomic():
        rows = Tenant.objects.select_for_update().filter(pk=removal.tenant_id, status=TenantStatus.DELETED)
        tenant = rows.filter(purge_started_at=removal.started_at).first()
        if tenant is None:
            raise _Overtaken
        yield tenant


def _remove_rows(model: type[models.Model], removal: _Removal) -> None:
    rows: Any = model._default_manager.filter(tenant_id=removal.tenant_id)
    while True:
        with _held(removal):
            batch = list(rows.values_list("pk", flat=True)[:BATCH])
            rows.filter(pk__in=batch).delete()
        if len(batch) < BATCH:
            return


def _finish(removal: _Removal) -> None:
    with _held(removal) as tenant:
        transitions.forget_hosts(tenant)
        audit.record(
            actor=system(tenant.id),
            action="tenancy.tenant.purge",
            entity_type="tenant",
            entity_id=tenant.id,
            entity_label=tenant.name,
            before={
                "name": tenant.name,
                "slug": tenant.slug,
                "key": tenant.key,
                "created_at": tenant.created_at,
                "deleted_at": tenant.deleted_at,
            },
            severity=Severity.HIGH,
            tenant_id=tenant.id,
        )
        events.publish(TenantPurged(tenant_id=tenant.id, key=tenant.key, name=tenant.name))
        # What came in since its table was emptied goes with it, by the models' cascades.
        tenant.delete()


def _in_deletable_order(found: list[type[models.Model]]) -> Iterator[type[models.Model]]:
    """Tables before those that they refer to, so that nothing protected stands in the way."""
    waiting = list(found)
    while waiting:
        referred = {
            field.related_model for model in waiting for field in model._meta.concrete_fields if field.is_relation
        }
        ready = [model for model in waiting if model not in referred] or waiting[:1]
        yield from ready
        waiting = [model for model in waiting if model not in ready]


def _is_shared(model: type[models.Model]) -> bool:
    if model._meta.label_lower in settings.SHARED_MODELS:
        return True
    return registry.get_app_config(model._meta.app_label).name not in settings.TENANT_APPS
