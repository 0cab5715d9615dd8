"""Reading tenants: from a host, a key, a provider's id."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db.models import Q
from redis.exceptions import RedisError

from apps.core import versions
from apps.core.clock import utcnow
from apps.core.errors import NotFound
from apps.core.tenants import TenantScope, current_tenant_id, public_scope
from apps.tenancy import rollout
from apps.tenancy.models import Domain, ExternalRef, ProvisioningStep, Tenant, TenantStatus

__all__ = [
    "ProvisioningStep",
    "ProvisioningView",
    "SuspensionView",
    "TenantStatus",
    "TenantView",
    "active_tenants",
    "at_work",
    "current_tenant",
    "forget_host",
    "has_schema",
    "provisioning",
    "resolve_ref",
    "settling_tenants",
    "stuck_tenants",
    "suspension",
    "tenant_by_host",
    "tenant_by_id",
    "tenant_by_key_or_slug",
    "tenants_by_ids",
    "url_of",
    "view",
]

HOST_CACHE_SECONDS = 30
# Longer than any request takes between asking the database and writing down what it said.
HOST_CHANGED_SECONDS = 60
_CHANGED = "changed"
_EDITED = ("name", "legal_name", "address", "email", "currency", "locale", "time_zone", "slug")
_PROGRESS = {
    ProvisioningStep.QUEUED: 10,
    ProvisioningStep.SCHEMA: 40,
    ProvisioningStep.DEFAULTS: 80,
    ProvisioningStep.READY: 100,
}


@dataclass(frozen=True, slots=True)
class TenantView:
    """A tenant as other apps see it."""

    id: UUID
    key: str
    slug: str
    name: str
    status: str
    schema_name: str
    database_alias: str
    legal_name: str
    address: str
    tax_id: str
    email: str
    time_zone: str
    locale: str
    currency: str
    primary_domain: str
    is_default: bool

    @property
    def version(self) -> str:
        """The version of its settings, which people edit."""
        return self.version_of(_EDITED)

    def version_of(self, names: Iterable[str]) -> str:
        """The version of these settings alone: a form of some of them is not overtaken by a change of others."""
        return versions.version_of({name: getattr(self, name) for name in names})

    @property
    def scope(self) -> TenantScope:
        """What the database needs to enter this tenant."""
        return TenantScope(self.id, self.schema_name, self.database_alias)

    @property
    def is_active(self) -> bool:
        """Whether people may change things here."""
        return self.status == TenantStatus.ACTIVE

    @property
    def is_readable(self) -> bool:
        """Whether people may look: active, or suspended and so read-only."""
        return self.status in (TenantStatus.ACTIVE, TenantStatus.SUSPENDED)

    @property
    def is_served(self) -> bool:
        """Whether the installation serves it at all: of many each, of one only that."""
        return self.is_default or not rollout.is_single()

    @property
    def host(self) -> str:
        """The sub-domain, without a port; it leads here whatever other domains do."""
        return f"{self.slug}.{settings.PLATFORM_HOST}"

    @property
    def home_url(self) -> str:
        """The sub-domain's pages: where people sign in, because forms of the platform's host may lead there.

        The one workspace of SINGLE_TENANT is at home on the platform's host.
        """
        return settings.PLATFORM_URL if rollout.is_single() else url_of(self.host)

    @property
    def url(self) -> str:
        """The address for links in letters and documents: the primary domain's, the sub-domain's without one."""
        return url_of(self.primary_domain) if self.primary_domain else self.home_url


_at_work: ContextVar[TenantView | None] = ContextVar("tenant_at_work", default=None)


@dataclass(frozen=True, slots=True)
class SuspensionView:
    """Why a tenant is in its state, and the kind of actor who suspended it (empty: nobody)."""

    reason: str
    suspended_by: str


@dataclass(frozen=True, slots=True)
class ProvisioningView:
    """How far a sign-up is; tells nothing else of the tenant."""

    status: str
    step: str
    progress: int


def url_of(host: str) -> str:
    """The address of the pages on `host`."""
    return f"{settings.PUBLIC_SCHEME}://{host}{settings.PUBLIC_PORT}"


def view(tenant: Tenant) -> TenantView:
    """The plain value of a row."""
    return TenantView(**{name: getattr(tenant, name) for name in TenantView.__dataclass_fields__})


def tenant_by_id(tenant_id: UUID) -> TenantView:
    """The tenant with this id, whatever its state.

    Raises:
        NotFound: there is none.
    """
    return _one(Q(pk=tenant_id))


@contextmanager
def at_work(tenant: TenantView) -> Iterator[None]:
    """Work for a tenant whose row was just read: `current_tenant` gives it without another statement."""
    before = _at_work.set(tenant)
    try:
        yield
    finally:
        _at_work.reset(before)


def current_tenant() -> TenantView:
    """The tenant whose scope was entered, as the request found it; for what it only shows, not for what it decides.

    Raises:
        NoTenant: no tenant was entered.
        NotFound: there is none such.
    """
    tenant_id, known = current_tenant_id(), _at_work.get()
    return known if known is not None and known.id == tenant_id else tenant_by_id(tenant_id)


def tenant_by_key_or_slug(name: str) -> TenantView:
    """The tenant that people call `name`; keys win over slugs.

    Raises:
        NotFound: there is none.
    """
    found = list(Tenant.objects.filter(Q(key=name) | Q(slug=name)))
    if not found:
        raise NotFound("There is no such workspace.")
    return view(next((tenant for tenant in found if tenant.key == name), found[0]))


def tenants_by_ids(tenant_ids: list[UUID]) -> list[TenantView]:
    """The tenants among these ids, by name."""
    return [view(tenant) for tenant in Tenant.objects.filter(pk__in=tenant_ids).order_by("name")]


def tenant_by_host(host: str) -> TenantView | None:
    """The tenant behind a host name without port; cached, because every request asks.

    The database answers while the cache is down.
    """
    cached: Any = None
    with suppress(RedisError, OSError):
        cached = cache.get(_host_key(host))
    if isinstance(cached, TenantView):
        return cached
    row = _at_host(host)
    found = view(row) if row is not None else None
    if found is not None and cached != _CHANGED:
        _remember_host(host, found)
    return found


def _remember_host(host: str, found: TenantView) -> None:
    with suppress(RedisError, OSError):
        # Never over a mark of `forget_host`: what was read before the change may be written after it.
        cache.add(_host_key(host), found, HOST_CACHE_SECONDS)


def _at_host(host: str) -> Tenant | None:
    if not rollout.is_single():
        row = Domain.objects.select_related("tenant").filter(domain=host).first()
        of_domain: Tenant | None = row.tenant if row else None
        return of_domain
    found = Tenant.objects.filter(is_default=True)
    if host != settings.PLATFORM_HOST:
        found = found.filter(domains__domain=host)
    tenant: Tenant | None = found.first()
    return tenant


def forget_host(host: str) -> None:
    """Drop what is cached of a host after its tenant changed; while the cache is down, it expires by itself.

    For a minute the database alone answers, so that a request that asked it before the change brings nothing back.
    """
    with suppress(RedisError, OSError):
        cache.set(_host_key(host), _CHANGED, HOST_CHANGED_SECONDS)


def _host_key(host: str) -> str:
    # The fields are part of it: a release that adds one never reads what the one before wrote. So is the mode.
    return f"tenancy:host:{len(TenantView.__dataclass_fields__)}:{settings.ROLLOUT_MODE}:{host}"


def provisioning(key: str) -> ProvisioningView:
    """The state of a sign-up.

    Raises:
        NotFound: unknown key.
    """
    row = Tenant.objects.filter(key=key).values("status", "provisioning_step").first()
    if row is None:
        raise NotFound("There is no such sign-up.")
    step = ProvisioningStep(row["provisioning_step"])
    return ProvisioningView(row["status"], step.value, _PROGRESS[step])


def suspension(tenant_id: UUID) -> SuspensionView:
    """Who suspended a tenant and why.

    Raises:
        NotFound: there is no such tenant.
    """
    row = Tenant.objects.filter(pk=tenant_id).values("status_reason", "suspended_by").first()
    if row is None:
        raise NotFound("There is no such workspace.")
    return SuspensionView(row["status_reason"], row["suspended_by"])


def settling_tenants() -> list[TenantView]:
    """Tenants whose money is looked after: suspended ones too, for their customers may have paid."""
    usable = (TenantStatus.ACTIVE, TenantStatus.SUSPENDED)
    return [view(tenant) for tenant in Tenant.objects.filter(status__in=usable).order_by("pk").iterator()]


def resolve_ref(kind: str, ref: str) -> tuple[UUID, UUID] | None:
    """Tenant and object behind an id that the outside knows, if it is known here."""
    row = ExternalRef.objects.filter(kind=kind, ref=ref).first()
    return row.target if row else None


def active_tenants() -> list[TenantView]:
    """Every active tenant; for sweeps, which visit them one transaction each."""
    return [view(tenant) for tenant in Tenant.objects.filter(status=TenantStatus.ACTIVE).order_by("pk").iterator()]


def has_schema(tenant: TenantView) -> bool:
    """Whether the tenant still is where it was: not purged, nor about to be; its id may be another's by now."""
    with public_scope():
        rows = Tenant.objects.filter(pk=tenant.id, schema_name=tenant.schema_name, purge_started_at=None)
        return bool(rows.exists())


def stuck_tenants(older_than_seconds: int) -> list[UUID]:
    """Tenants that have been provisioning for longer than this."""
    from_time = utcnow() - timedelta(seconds=older_than_seconds)
    return list(
        Tenant.objects.filter(status=TenantStatus.PROVISIONING, provisioning_started_at__lt=from_time).values_list(
            "pk", flat=True
        )
    )


def _one(condition: Q) -> TenantView:
    tenant = Tenant.objects.filter(condition).first()
    if tenant is None:
        raise NotFound("There is no such workspace.")
    return view(tenant)
