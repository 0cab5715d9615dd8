"""Changing tenants: creating, provisioning, suspending, and the ids by which the outside knows their objects."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import Error, IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.core import events
from apps.core.actor import Actor, system
from apps.core.clock import utcnow
from apps.core.errors import DomainError, IllegalState, NotFound
from apps.core.tenants import public_scope, tenant_transaction
from apps.tenancy import pool, selectors, transitions
from apps.tenancy.errors import NameTaken
from apps.tenancy.events import TenantCreated, TenantProvisioned
from apps.tenancy.models import Domain, ExternalRef, ProvisioningStep, Tenant, TenantStatus
from apps.tenancy.schema_building import build_schemas
from apps.tenancy.template_schema import held_template

logger = structlog.get_logger(__name__)

STUCK_AFTER = timedelta(minutes=5)
RESERVED_SLUGS = frozenset({"www", "api", "admin", "app", "mail", "static", "media", "ws", "docs", "status", "help"})


@transaction.atomic
def create_tenant(
    *, actor: Actor, name: str, currency: str = "EUR", locale: str = "en", time_zone: str = "UTC"
) -> selectors.TenantView:
    """Write a tenant that waits for its schema; the slug follows from the name.

    Raises:
        NameTaken: another tenant has this name.
    """
    name = " ".join(name.split())
    tenant = Tenant(name=name, currency=currency, locale=locale, time_zone=time_zone)
    tenant.provisioning_started_at = utcnow()
    try:
        with transaction.atomic():
            tenant.slug = _free_slug(name, tenant.key)
            tenant.save(force_insert=True)
            Domain.objects.create(domain=f"{tenant.slug}.{settings.PLATFORM_HOST}", tenant=tenant, is_primary=True)
    except IntegrityError as error:
        raise NameTaken(_("This organisation name is already taken.")) from error
    audit.record(
        actor=actor,
        action="tenancy.tenant.create",
        entity_type="tenant",
        entity_id=tenant.id,
        entity_label=name,
        after={"name": name, "slug": tenant.slug, "key": tenant.key},
        tenant_id=tenant.id,
    )
    events.publish(TenantCreated(tenant_id=tenant.id))
    return selectors.view(tenant)


def provision_tenant(*, tenant_id: UUID) -> None:
    """Make the tenant usable: schema from the script, defaults by the apps' handlers, state ACTIVE.

    May run twice, late or at once in two workers: the row's lock lets one through and each step looks first. A
    failure is written to the row as PROVISIONING_FAILED with its reason.
    """
    actor = system(tenant_id)
    try:
        _make_schema(tenant_id)
        _fill_schema(actor, tenant_id)
    except (Error, DomainError) as error:
        logger.exception("tenancy.provisioning_failed", tenant_id=str(tenant_id))
        _fail(actor, tenant_id, f"{type(error).__name__}: {error}"[:500])


def fail_stuck_tenants() -> int:
    """Give up on tenants that have been provisioning for over five minutes; returns how many.

    One runner at a time does the work, whichever worker holds the advisory lock.
    """
    with transaction.atomic():
        with transaction.get_connection().cursor() as cursor:
            cursor.execute("select pg_try_advisory_xact_lock(hashtext('tenancy.reaper'))")
            if not cursor.fetchone()[0]:
                return 0
        stuck = Tenant.objects.select_for_update(skip_locked=True).filter(
            status=TenantStatus.PROVISIONING, provisioning_started_at__lt=utcnow() - STUCK_AFTER
        )
        failed = 0
        for tenant in stuck:
            transitions.move(system(tenant.id), tenant, TenantStatus.PROVISIONING_FAILED, "Provisioning took too long.")
            failed += 1
    return failed


def retry_provisioning(*, actor: Actor, tenant_id: UUID, reason: str = "") -> None:
    """Queue a failed tenant again; the caller wakes the task.

    Raises:
        IllegalState: the tenant is not in PROVISIONING_FAILED.
    """
    _change_status(actor, tenant_id, TenantStatus.PROVISIONING, reason)


def suspend_tenant(*, actor: Actor, tenant_id: UUID, reason: str = "") -> None:
    """Make a tenant read-only.

    Raises:
        PermissionRefused: neither the tenant's owner nor an operator who may write.
        EmailNotVerified: an owner whose e-mail is not verified.
        IllegalState: the tenant is not active.
    """
    _change_status(actor, tenant_id, TenantStatus.SUSPENDED, reason)


def reactivate_tenant(*, actor: Actor, tenant_id: UUID, reason: str = "") -> None:
    """End a suspension; what waited goes on.

    Raises:
        PermissionRefused, EmailNotVerified: as `suspend_tenant`.
        SuspendedByPlatform: somebody else imposed it and the actor is no operator.
        IllegalState: the tenant is not suspended.
    """
    _change_status(actor, tenant_id, TenantStatus.ACTIVE, reason)


def link(*, kind: str, ref: str, tenant_id: UUID, object_id: UUID) -> None:
    """Remember that the outside calls `object_id` by `ref`; the same fact twice is one fact."""
    ExternalRef.objects.bulk_create(
        [ExternalRef(kind=kind, ref=ref, tenant_id=tenant_id, object_id=object_id)], ignore_conflicts=True
    )


def _make_schema(tenant_id: UUID) -> None:
    with transaction.atomic():
        tenant = Tenant.objects.select_for_update().get(pk=tenant_id)
        if tenant.status != TenantStatus.PROVISIONING or tenant.provisioning_step != ProvisioningStep.QUEUED:
            return
        template = held_template()
        if pooled := pool.claim(template, tenant.database_alias):
            tenant.schema_name = pooled
        else:
            build_schemas([tenant.schema_name], template.script, using=tenant.database_alias)
        tenant.schema_version = template.version
        tenant.provisioning_step = ProvisioningStep.DEFAULTS
        tenant.save(update_fields=["schema_name", "schema_version", "provisioning_step", "updated_at"])


def _fill_schema(actor: Actor, tenant_id: UUID) -> None:
    with transaction.atomic():
        tenant = Tenant.objects.select_for_update().get(pk=tenant_id)
        if tenant.status != TenantStatus.PROVISIONING or tenant.provisioning_step != ProvisioningStep.DEFAULTS:
            return
        with tenant_transaction(tenant.scope):
            events.publish(TenantProvisioned(tenant_id=tenant_id))
        tenant.provisioning_step = ProvisioningStep.READY
        tenant.save(update_fields=["provisioning_step", "updated_at"])
        transitions.move(actor, tenant, TenantStatus.ACTIVE, "")


def _fail(actor: Actor, tenant_id: UUID, reason: str) -> None:
    with transaction.atomic():
        tenant = Tenant.objects.select_for_update().get(pk=tenant_id)
        if tenant.status == TenantStatus.PROVISIONING:
            transitions.move(actor, tenant, TenantStatus.PROVISIONING_FAILED, reason)


def _change_status(actor: Actor, tenant_id: UUID, after: str, reason: str) -> None:
    # An operator may be inside another tenant, where rows of tenants cannot be saved.
    with public_scope(), transaction.atomic():
        tenant = Tenant.objects.select_for_update().filter(pk=tenant_id).first()
        if tenant is None:
            raise NotFound("There is no such workspace.")
        transitions.require_authority(actor, tenant, "tenant:suspend")
        if after == TenantStatus.PROVISIONING:
            tenant.provisioning_started_at = utcnow()
        elif after == TenantStatus.ACTIVE:
            if tenant.status == TenantStatus.PROVISIONING:
                # Only provisioning itself makes a tenant usable.
                raise IllegalState(_("This workspace is still being prepared."), allowed_actions=[])
            transitions.require_same_hand(actor, tenant)
        transitions.move(actor, tenant, after, reason)


def _free_slug(name: str, key: str) -> str:
    wanted = slugify(name)[:40].strip("-") or key
    host = f"{wanted}.{settings.PLATFORM_HOST}"  # may still lead to who had the slug before
    if wanted in RESERVED_SLUGS or Domain.objects.filter(domain=host).exists():
        return f"{wanted[:40]}-{key[:4]}"
    return wanted
