"""Where a tenant's pages are: its sub-domain, sub-domains that it had before, and domains that it proved to own.

A claim is proved as `proving` says (``_insula.<domain>`` names its token in DNS); one that is not, or not any more,
leads nowhere.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.audit.services import Severity
from apps.core import events, ids, versions
from apps.core.actor import Actor, system
from apps.core.clock import utcnow
from apps.core.errors import NotFound
from apps.core.tenants import assert_no_transaction, public_scope, tenant_scope
from apps.tenancy import hosts, proving, selectors
from apps.tenancy.errors import DomainNotVerified, DomainTaken, TooMany
from apps.tenancy.events import DomainLost, DomainVerified, TenantSettingsChanged
from apps.tenancy.models import ClaimState, Domain, DomainClaim, DomainKind, Tenant
from apps.tenancy.proving import Proof, ProofView, Verdict
from apps.tenancy.trail import forget_hosts, own_tenant, record_tenant

MOST_CLAIMS, MOST_FORMER = 20, 5


@dataclass(frozen=True, slots=True)
class ClaimView(ProofView):
    """A custom domain."""

    is_primary: bool

    @property
    def version(self) -> str:
        """The version of what people decide about it."""
        return versions.version_of({"domain": self.domain, "state": self.state, "is_primary": self.is_primary})


@dataclass(frozen=True, slots=True)
class FormerHost:
    """A sub-domain that the tenant had before; it leads to the present one."""

    id: UUID
    host: str


@dataclass(frozen=True, slots=True)
class Addresses:
    """Every host of a tenant. `primary` is the one in links."""

    slug: str
    host: str
    primary: str
    former: tuple[FormerHost, ...]
    claims: tuple[ClaimView, ...]


def addresses(*, actor: Actor) -> Addresses:
    """The actor's tenant's hosts.

    Raises:
        PermissionRefused: the actor lacks ``settings:write``.
    """
    tenant = own_tenant(actor)
    former = Domain.objects.filter(tenant=tenant, kind=DomainKind.FORMER).order_by("domain")
    claims = DomainClaim.objects.filter(tenant=tenant).order_by("pk")
    host = selectors.view(tenant).host
    return Addresses(
        slug=tenant.slug,
        host=host,
        primary=tenant.primary_domain or host,
        former=tuple(FormerHost(row.id, row.domain) for row in former),
        claims=tuple(_view(row, tenant) for row in claims),
    )


def get_claim(*, actor: Actor, claim_id: UUID) -> ClaimView:
    """One custom domain; raises as `addresses` does, and NotFound for another tenant's."""
    tenant = own_tenant(actor)
    return _view(_claim(tenant, claim_id), tenant)


def verified_hosts(*, tenant_id: UUID) -> list[tuple[UUID, str]]:
    """Ids and names of the custom domains that lead to the tenant, by name."""
    rows = Domain.objects.filter(tenant_id=tenant_id, kind=DomainKind.CUSTOM).order_by("domain")
    return list(rows.values_list("pk", "domain"))


def is_served(domain: str) -> bool:
    """Whether a certificate may be made for `domain`: the platform's, or one that leads to a living tenant."""
    host = hosts.of_request(domain)
    if host is None or ":" in domain:
        return False
    if host == settings.PLATFORM_HOST:
        return True
    tenant = selectors.tenant_by_host(host)
    return tenant is not None and tenant.status != selectors.TenantStatus.DELETED


def add_domain(*, actor: Actor, domain: str, now: datetime | None = None) -> ClaimView:
    """Say that a domain is the tenant's. It leads nowhere until DNS agrees; the same domain twice is one claim.

    Raises:
        PermissionRefused: the actor lacks ``settings:write``.
        ValidationFailed: see `hosts.claimable`.
        DomainTaken: another organisation has verified it. Waiting beside another that has not is no obstacle.
        TooMany: twenty domains are named already.
    """
    own_tenant(actor)
    name = hosts.claimable(domain)
    with transaction.atomic():
        tenant = own_tenant(actor, lock=True)
        claims = DomainClaim.objects.filter(tenant=tenant)
        known = claims.filter(domain=name).first()
        if known:
            return _view(known, tenant)
        if claims.count() >= MOST_CLAIMS:
            raise TooMany(_("An organisation has at most %(most)s domains.") % {"most": MOST_CLAIMS})
        with public_scope():
            taken = Domain.objects.filter(domain=name).exclude(tenant=tenant).exists()
        if taken:
            raise DomainTaken(_("Another organisation has verified this domain."))
        row = DomainClaim.objects.create(
            tenant=tenant, domain=name, token=ids.secret_token(), next_check_at=(now or utcnow()) + proving.FIRST_WAIT
        )
        record_tenant(actor, tenant, "add_domain", after={"domain": name})
        return _view(row, tenant)


def check_domain(*, actor: Actor, claim_id: UUID, now: datetime | None = None) -> ClaimView:
    """Ask DNS now and note what it says; asked again within five seconds, the last answer stands.

    Talks to the outside, so no transaction may be open.

    Raises:
        PermissionRefused: the actor lacks ``settings:write``.
        NotFound: unknown, or another tenant's.
    """
    assert_no_transaction("Asking DNS")
    now = now or utcnow()
    with transaction.atomic():
        tenant = own_tenant(actor)
        claim = _claim(tenant, claim_id, lock=True)
        if proving.was_just_asked(claim, now):
            return _view(claim, tenant)
        claim.next_check_at = now + proving.LEASE
        claim.save(update_fields=["next_check_at"])
    proof = proving.ask(claim)
    return _settle(actor, claim_id, proof, now)


def check_due_domains(*, limit: int = 100, now: datetime | None = None) -> int:
    """Look at the domains whose time has come; returns how many. For the sweep, outside any tenant."""
    now = now or utcnow()
    with public_scope(), transaction.atomic():
        due = DomainClaim.objects.select_for_update(skip_locked=True).filter(next_check_at__lte=now)
        wanted = list(due.order_by("next_check_at")[:limit])
        DomainClaim.objects.filter(pk__in=[seen.pk for seen in wanted]).update(next_check_at=now + proving.LEASE)
    for seen in wanted:
        proof = proving.ask(seen)
        with tenant_scope(selectors.tenant_by_id(seen.tenant_id).scope):
            try:
                _settle(system(seen.tenant_id), seen.pk, proof, now)
            except NotFound:
                continue  # given up while DNS was asked
    return len(wanted)


def remove_domain(*, actor: Actor, claim_id: UUID, expected: versions.Expected = None) -> None:
    """Give a domain up: it leads nowhere any more, and links use the sub-domain if it was the primary one.

    Raises:
        PermissionRefused: the actor lacks ``settings:write``.
        NotFound: unknown, or another tenant's.
        VersionConflict: its version is not among `expected`.
    """
    with transaction.atomic():
        tenant = own_tenant(actor, lock=True)
        claim = _claim(tenant, claim_id, lock=True)
        versions.require(expected, _view(claim, tenant).version)
        _release(actor, tenant, claim.domain, given_up=True)
        claim.delete()
        record_tenant(
            actor, tenant, "remove_domain", before={"domain": claim.domain}, after={}, severity=Severity.MEDIUM
        )


def set_primary(*, actor: Actor, claim_id: UUID | None) -> None:
    """Choose the host in links; None is the sub-domain.

    Raises:
        PermissionRefused: the actor lacks ``settings:write``.
        NotFound: unknown, or another tenant's.
        DomainNotVerified: it leads nowhere.
    """
    with transaction.atomic():
        tenant = own_tenant(actor, lock=True)
        wanted = ""
        if claim_id is not None:
            claim = _claim(tenant, claim_id)
            if claim.state != ClaimState.VERIFIED:
                raise DomainNotVerified(_("Verify this domain first."))
            wanted = claim.domain
        _make_primary(actor, tenant, wanted)


def use_in_links(*, actor: Actor, claim_id: UUID, wanted: bool, expected: versions.Expected = None) -> ClaimView:
    """Use a domain in links, or the sub-domain in its place; nothing happens if it is so already.

    Raises:
        PermissionRefused, NotFound, DomainNotVerified: as `set_primary`.
        VersionConflict: its version is not among `expected`.
    """
    with transaction.atomic():
        tenant = own_tenant(actor, lock=True)
        claim = _claim(tenant, claim_id, lock=True)
        found = _view(claim, tenant)
        versions.require(expected, found.version)
        if wanted != found.is_primary:
            set_primary(actor=actor, claim_id=claim_id if wanted else None)
    return get_claim(actor=actor, claim_id=claim_id)


def _settle(actor: Actor, claim_id: UUID, proof: Proof, now: datetime) -> ClaimView:
    with transaction.atomic():
        tenant = own_tenant(actor, lock=True)
        claim = _claim(tenant, claim_id, lock=True)
        verdict = proving.weigh(claim, proof, now)
        if verdict is Verdict.ACCEPT:
            _accept(actor, tenant, claim, now)
        elif verdict is Verdict.LOSE:
            _lose(actor, tenant, claim)
        claim.next_check_at = proving.next_check(claim, proof, now)
        claim.save()
        return _view(claim, tenant)


def _accept(actor: Actor, tenant: Tenant, claim: DomainClaim, now: datetime) -> None:
    try:
        with transaction.atomic():
            Domain.objects.create(tenant=tenant, domain=claim.domain, kind=DomainKind.CUSTOM, is_primary=False)
    except IntegrityError:
        # Whoever came first keeps it as long as DNS names him, too.
        claim.last_error = "taken"
        return
    claim.state, claim.verified_at = ClaimState.VERIFIED, now
    record_tenant(actor, tenant, "verify_domain", after={"domain": claim.domain}, severity=Severity.MEDIUM)
    events.publish(DomainVerified(tenant_id=tenant.id, domain=claim.domain))
    forget_hosts(tenant)


def _lose(actor: Actor, tenant: Tenant, claim: DomainClaim) -> None:
    claim.state = ClaimState.LOST
    _release(actor, tenant, claim.domain, given_up=False)
    record_tenant(actor, tenant, "lose_domain", before={"domain": claim.domain}, after={}, severity=Severity.HIGH)


def _release(actor: Actor, tenant: Tenant, domain: str, *, given_up: bool) -> None:
    row = Domain.objects.filter(tenant=tenant, domain=domain, kind=DomainKind.CUSTOM).first()
    if row is None:
        return
    if tenant.primary_domain == domain:
        _make_primary(actor, tenant, "")
    forget_hosts(tenant, [domain])
    row.delete()
    events.publish(DomainLost(tenant_id=tenant.id, domain=domain, given_up=given_up))


def _make_primary(actor: Actor, tenant: Tenant, domain: str) -> None:
    before = tenant.primary_domain
    if domain == before:
        return
    tenant.primary_domain = domain
    tenant.save(update_fields=["primary_domain", "updated_at"])
    own = Domain.objects.filter(tenant=tenant)
    own.update(is_primary=False)
    (own.filter(domain=domain) if domain else own.filter(kind=DomainKind.SLUG)).update(is_primary=True)
    record_tenant(actor, tenant, "set_primary_domain", before={"domain": before}, after={"domain": domain})
    events.publish(TenantSettingsChanged(tenant_id=tenant.id, changed=("primary_domain",)))
    forget_hosts(tenant)


def _claim(tenant: Tenant, claim_id: UUID, *, lock: bool = False) -> DomainClaim:
    rows = DomainClaim.objects.select_for_update() if lock else DomainClaim.objects.all()
    found = rows.filter(tenant=tenant, pk=claim_id).first()
    if found is None:
        raise NotFound
    return found


def _view(row: DomainClaim, tenant: Tenant) -> ClaimView:
    return ClaimView.of(row, is_primary=row.domain == tenant.primary_domain)
