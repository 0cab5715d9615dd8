"""Organisations and what leads to them: hosts and providers' ids. All tables are shared (``public``)."""

from typing import ClassVar
from uuid import UUID

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django_tenants.models import DomainMixin, TenantMixin

from apps.core import ids
from apps.core.tenants import TenantScope

SLUG = RegexValidator(r"\A[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?\Z", "Lower-case letters, digits and single hyphens.")


class TenantStatus(models.TextChoices):
    """The life of a tenant; see ``lifecycle.py`` for the transitions."""

    PROVISIONING = "PROVISIONING"
    PROVISIONING_FAILED = "PROVISIONING_FAILED"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    DELETED = "DELETED"


class ProvisioningStep(models.TextChoices):
    """How far provisioning came; each step may run again."""

    QUEUED = "QUEUED"
    SCHEMA = "SCHEMA"
    DEFAULTS = "DEFAULTS"
    READY = "READY"


class Tenant(TenantMixin):
    """One organisation. `key` and `schema_name` never change; `slug` names the host."""

    auto_create_schema = False
    auto_drop_schema = False

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    key = models.CharField(max_length=8, unique=True, default=ids.tenant_key, editable=False)
    slug = models.CharField(max_length=50, unique=True, validators=[SLUG])
    name = models.CharField(max_length=100, unique=True)
    schema_name = models.CharField(max_length=63, unique=True, default=ids.schema_name, editable=False)
    database_alias = models.CharField(max_length=50, default="default", editable=False)
    primary_domain = models.CharField(max_length=253, blank=True, editable=False)  # empty: the sub-domain

    status = models.CharField(max_length=20, choices=TenantStatus, default=TenantStatus.PROVISIONING)
    status_reason = models.CharField(max_length=500, blank=True)
    suspended_by = models.CharField(max_length=10, blank=True)  # the kind of actor, who alone can lift it
    deleted_at = models.DateTimeField(null=True, blank=True)
    status_before_deletion = models.CharField(max_length=20, choices=TenantStatus, blank=True)
    purge_after = models.DateTimeField(null=True, blank=True)
    purge_started_at = models.DateTimeField(null=True, blank=True)  # from here on there is nothing to restore
    is_default = models.BooleanField(default=False)  # the one workspace of SINGLE_TENANT
    provisioning_step = models.CharField(max_length=10, choices=ProvisioningStep, default=ProvisioningStep.QUEUED)
    provisioning_started_at = models.DateTimeField(null=True)
    schema_version = models.CharField(max_length=64, blank=True)

    legal_name = models.CharField(max_length=200, blank=True)
    address = models.TextField(max_length=500, blank=True)
    tax_id = models.CharField(max_length=255, blank=True)  # as printed: every row of TaxId, see ``tax_ids.py``
    email = models.EmailField(blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    locale = models.CharField(max_length=10, default="en")
    currency = models.CharField(max_length=3, default="EUR")

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "tenancy_tenant"
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(status__in=TenantStatus.values), name="tenant_status_known"),
            models.CheckConstraint(condition=models.Q(key__regex=r"^[a-z0-9]{8}$"), name="tenant_key_form"),
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="tenant_default_is_one"
            ),
            models.CheckConstraint(
                condition=models.Q(deleted_at=None, purge_after=None, purge_started_at=None)
                | models.Q(status="DELETED", is_default=False),
                name="tenant_deletion_whole",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["status", "provisioning_started_at"], name="tenant_stuck"),
            models.Index(fields=["purge_after"], name="tenant_purge_due", condition=~models.Q(purge_after=None)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def scope(self) -> TenantScope:
        """What the database needs to enter this tenant."""
        return TenantScope(self.id, self.schema_name, self.database_alias)


class DomainKind(models.TextChoices):
    """Why a host leads to a tenant: its slug, a slug that it had before, or a domain that it proved to own."""

    SLUG = "SLUG"
    FORMER = "FORMER"
    CUSTOM = "CUSTOM"


class Domain(DomainMixin):
    """A host name that leads to a tenant; unique, so that the first who proves a domain has it."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    domain = models.CharField(max_length=253, unique=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="domains")
    kind = models.CharField(max_length=6, choices=DomainKind, default=DomainKind.SLUG)

    class Meta:
        db_table = "tenancy_domain"


class ClaimState(models.TextChoices):
    """Whether a tenant has shown that a domain is its own."""

    PENDING = "PENDING"
    VERIFIED = "VERIFIED"
    LOST = "LOST"


class DomainClaim(models.Model):
    """A tenant says that a domain is its own; DNS has to say so, too (``domains.py``)."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="domain_claims")
    domain = models.CharField(max_length=253)
    token = models.CharField(max_length=64)
    state = models.CharField(max_length=8, choices=ClaimState, default=ClaimState.PENDING)
    failures = models.PositiveSmallIntegerField(default=0)
    checked_at = models.DateTimeField(null=True)
    next_check_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=40, blank=True)
    verified_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "tenancy_domain_claim"
        constraints: ClassVar = [
            models.UniqueConstraint("tenant", "domain", name="domain_claim_once"),
            models.CheckConstraint(condition=models.Q(state__in=ClaimState.values), name="domain_claim_state_known"),
        ]
        indexes: ClassVar = [models.Index(fields=["next_check_at"], name="domain_claim_due")]


class Brand(models.Model):
    """One face that a tenant shows to its customers; see ``brands.py``."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="brands")
    name = models.CharField(max_length=60)
    is_default = models.BooleanField(default=False)
    accent = models.CharField(max_length=7)
    logo = models.CharField(max_length=64, blank=True)  # the digest that names its file
    sender_name = models.CharField(max_length=100, blank=True)
    reply_to = models.EmailField(blank=True)
    domain = models.ForeignKey(Domain, on_delete=models.SET_NULL, null=True, related_name="brands")
    locale = models.CharField(max_length=10, blank=True)
    invoice_intro = models.CharField(max_length=500, blank=True)
    payment_terms = models.CharField(max_length=500, blank=True)
    invoice_footer = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "tenancy_brand"
        constraints: ClassVar = [
            models.UniqueConstraint("tenant", Lower("name"), name="brand_name_once"),
            models.UniqueConstraint("tenant", condition=models.Q(is_default=True), name="brand_one_default"),
            models.UniqueConstraint("domain", name="brand_has_its_domain_alone"),
            models.CheckConstraint(condition=models.Q(accent__regex=r"^#[0-9a-f]{6}$"), name="brand_accent_form"),
            models.CheckConstraint(condition=models.Q(logo__regex=r"^([0-9a-f]{64})?$"), name="brand_logo_form"),
        ]


class TaxId(models.Model):
    """A number by which a tax office knows a tenant; `kind` is a key of ``tax_ids.KINDS``."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="tax_ids")
    kind = models.CharField(max_length=20)
    value = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "tenancy_tax_id"
        constraints: ClassVar = [models.UniqueConstraint("tenant", "kind", "value", name="tax_id_once")]


class ExternalRef(models.Model):
    """From an id that the outside knows (a provider's object, a hosted link) to the tenant's object behind it.

    Written in the same transaction as the object. The tenant's side is named by plain ids: no foreign key crosses
    between shared and tenant tables.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    kind = models.CharField(max_length=40)
    ref = models.CharField(max_length=255)
    tenant_id = models.UUIDField()
    object_id = models.UUIDField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "tenancy_external_ref"
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "ref"], name="external_ref_unique")]
        indexes: ClassVar = [models.Index(fields=["tenant_id", "object_id"], name="external_ref_object")]

    @property
    def target(self) -> tuple[UUID, UUID]:
        """Tenant and object."""
        return self.tenant_id, self.object_id


class SchemaTemplate(models.Model):
    """The compact DDL that makes a tenant's schema, one row per version of the tenant apps' migrations."""

    version = models.CharField(max_length=64, primary_key=True)
    script = models.TextField()
    # ``app.name`` in the order in which the template took them, and a digest of them in any order.
    migrations = models.JSONField(default=list)
    migration_digest = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "tenancy_schema_template"


class SchemaStep(models.Model):
    """What one migration did to the template, as text that does the same to every other schema."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    app = models.CharField(max_length=100)
    name = models.CharField(max_length=255)
    sql = models.TextField(blank=True)
    # False where the migration runs Python or commits in between: each schema needs Django's own executor.
    is_text = models.BooleanField()

    class Meta:
        db_table = "tenancy_schema_step"
        constraints: ClassVar = [models.UniqueConstraint(fields=["app", "name"], name="schema_step_unique")]


class PoolStatus(models.TextChoices):
    """Whether a pre-built schema still waits for a tenant."""

    READY = "READY"
    CLAIMED = "CLAIMED"


class PooledSchema(models.Model):
    """A schema that was built before anyone asked for it; a tenant that claims it takes its name."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    schema_name = models.CharField(max_length=63, unique=True)
    database_alias = models.CharField(max_length=50, default="default")
    status = models.CharField(max_length=10, choices=PoolStatus, default=PoolStatus.READY)
    version = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    claimed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "tenancy_pooled_schema"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(status=PoolStatus.READY, claimed_at=None)
                | models.Q(status=PoolStatus.CLAIMED, claimed_at__isnull=False),
                name="pooled_schema_state",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["created_at"], name="pooled_schema_ready", condition=models.Q(status=PoolStatus.READY))
        ]


class SchemaReport(models.Model):
    """What the last looks at one schema found: why its migration failed, and how it differs from the template."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    schema_name = models.CharField(max_length=63, unique=True)
    failure = models.CharField(max_length=500, blank=True)
    failed_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    # One line for each thing that only one of the two has; empty where they are alike.
    drift = models.TextField(blank=True)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "tenancy_schema_report"
        verbose_name_plural = _("Schema health")


class DueWork(models.Model):
    """A note that work of one kind is due in one tenant from a moment on (`due_work`); written and removed only."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tenant_id = models.UUIDField()
    kind = models.CharField(max_length=40)
    due_at = models.DateTimeField()

    class Meta:
        db_table = "tenancy_due_work"
        indexes: ClassVar = [
            models.Index(fields=["kind", "due_at"], name="due_work_when"),
            models.Index(fields=["tenant_id", "kind"], name="due_work_whose"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.due_at}"
