"""Which domains of addresses a tenant has proved: its provider and its directory may speak for these and no others.

A domain is proved as a host is (`apps.tenancy.proving`) but leads nowhere: owning the addresses of a company and
serving pages under its name are different things. It belongs to one tenant at a time.
"""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core import ids
from apps.core.actor import Actor, system
from apps.core.clock import utcnow
from apps.core.errors import NotFound, ValidationFailed
from apps.core.events import publish
from apps.core.tenants import assert_no_transaction, public_scope
from apps.iam import signins, standing
from apps.iam.events import MailDomainLost, MailDomainVerified
from apps.iam.models import TokenFamily
from apps.iam.proofs import FEDERATED, is_vouched_for
from apps.iam.sso.errors import MailDomainTaken
from apps.iam.sso.models import MailDomain, MailDomainState
from apps.tenancy import hosts, proving
from apps.tenancy.proving import Proof, ProofView, Verdict

PERMISSION = "sso:write"
MOST_DOMAINS = 20
# Everybody's addresses are nobody's domain.
_PUBLIC_MAIL = frozenset(
    {
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "aol.com"),
        *("icloud.com", "me.com", "mac.com", "proton.me", "protonmail.com", "gmx.de", "gmx.net", "gmx.com", "web.de"),
        *("t-online.de", "mail.com", "mail.ru", "yandex.ru", "zoho.com", "qq.com", "163.com", "126.com", "orange.fr"),
    }
)


def domain_of(email: str) -> str:
    """The domain of an address, in DNS's form; empty when there is none."""
    name = email.rpartition("@")[2].strip().lower().removesuffix(".")
    try:
        return name.encode("idna").decode() if not name.isascii() else name
    except UnicodeError:
        return ""


def speaks_for(tenant_id: UUID, email: str) -> bool:
    """Whether the tenant has proved the domain of `email` itself; a domain above it says nothing."""
    return domain_of(email) in verified_domains(tenant_id)


def verified_domains(tenant_id: UUID) -> frozenset[str]:
    """The domains for whose addresses the tenant may speak now."""
    with public_scope():
        rows = MailDomain.objects.filter(tenant_id=tenant_id, state=MailDomainState.VERIFIED)
        return frozenset(rows.values_list("domain", flat=True))


def list_domains(*, actor: Actor) -> list[ProofView]:
    """The tenant's mail domains by name.

    Raises:
        PermissionRefused: the actor lacks ``sso:write``.
    """
    actor.require(PERMISSION)
    with public_scope():
        rows = MailDomain.objects.filter(tenant_id=standing.tenant_of(actor)).order_by("domain")
        return [ProofView.of(row) for row in rows]


def get_domain(*, actor: Actor, domain_id: UUID) -> ProofView:
    """One of them; raises as `list_domains`, and NotFound for another tenant's."""
    actor.require(PERMISSION)
    with public_scope():
        return ProofView.of(_row(actor, domain_id))


def add_domain(*, actor: Actor, domain: str, now: datetime | None = None) -> ProofView:
    """Say that a domain's addresses are the tenant's. The same domain twice is one.

    Raises:
        PermissionRefused: the actor lacks ``sso:write``.
        ValidationFailed: no domain of the public DNS, one of a public mail service, or there are twenty already.
        MailDomainTaken: another organisation has proved it.
    """
    actor.require(PERMISSION)
    tenant_id, name = standing.tenant_of(actor), hosts.claimable(domain.removeprefix("@"))
    if name in _PUBLIC_MAIL:
        raise ValidationFailed.one("domain", "public_mail", _("Everybody can have an address there."))
    with public_scope(), transaction.atomic():
        _take_turn(actor)
        known = MailDomain.objects.filter(tenant_id=tenant_id, domain=name).first()
        if known:
            return ProofView.of(known)
        if MailDomain.objects.filter(tenant_id=tenant_id).count() >= MOST_DOMAINS:
            raise ValidationFailed.one("domain", "too_many", _("An organisation has at most 20 mail domains."))
        if MailDomain.objects.filter(domain=name, state=MailDomainState.VERIFIED).exists():
            raise MailDomainTaken(_("Another organisation has verified this domain."))
        row = MailDomain.objects.create(
            tenant_id=tenant_id,
            domain=name,
            token=ids.secret_token(),
            next_check_at=(now or utcnow()) + proving.FIRST_WAIT,
        )
        _record(actor, row, "iam.mail_domain.add")
        return ProofView.of(row)


def check_domain(*, actor: Actor, domain_id: UUID, now: datetime | None = None) -> ProofView:
    """Ask DNS now; within five seconds the last answer stands. Talks to the outside: no transaction may be open.

    Raises:
        PermissionRefused, NotFound: as `get_domain`.
    """
    assert_no_transaction("Asking DNS")
    actor.require(PERMISSION)
    moment = now or utcnow()
    with public_scope(), transaction.atomic():
        row = _row(actor, domain_id, lock=True)
        if proving.was_just_asked(row, moment):
            return ProofView.of(row)
        MailDomain.objects.filter(pk=row.pk).update(next_check_at=moment + proving.LEASE)
    proof = proving.ask(row)
    with public_scope(), transaction.atomic():
        _take_turn(actor)
        return _settle(actor, _row(actor, domain_id, lock=True), proof, moment)


def check_due_domains(*, limit: int = 100, now: datetime | None = None) -> int:
    """Look at the domains whose time has come; returns how many. For the sweep."""
    moment = now or utcnow()
    with public_scope(), transaction.atomic():
        due = MailDomain.objects.select_for_update(skip_locked=True).filter(next_check_at__lte=moment)
        wanted = list(due.order_by("next_check_at")[:limit])
        MailDomain.objects.filter(pk__in=[row.pk for row in wanted]).update(next_check_at=moment + proving.LEASE)
    for seen in wanted:
        proof = proving.ask(seen)
        with public_scope(), transaction.atomic():
            row = MailDomain.objects.select_for_update().filter(pk=seen.pk).first()
            if row is not None:
                _settle(system(row.tenant_id), row, proof, moment)
    return len(wanted)


def remove_domain(*, actor: Actor, domain_id: UUID) -> None:
    """Give a domain up: from now on nobody with an address of it comes in by the provider, and who did is signed out.

    Raises:
        PermissionRefused, NotFound: as `get_domain`.
    """
    actor.require(PERMISSION)
    with public_scope(), transaction.atomic():
        _take_turn(actor)
        row = _row(actor, domain_id, lock=True)
        if row.state == MailDomainState.VERIFIED:
            _end_what_it_vouched_for(row)
            publish(MailDomainLost(tenant_id=row.tenant_id, domain=row.domain, given_up=True))
        _record(actor, row, "iam.mail_domain.remove", severity=Severity.MEDIUM)
        row.delete()


def _take_turn(actor: Actor) -> None:
    tenant_id = standing.tenant_of(actor)
    standing.take_turns(tenant_id)
    standing.held_now(actor, tenant_id, PERMISSION)


def _settle(actor: Actor, row: MailDomain, proof: Proof, now: datetime) -> ProofView:
    verdict = proving.weigh(row, proof, now)
    if verdict is Verdict.ACCEPT:
        _accept(actor, row, now)
    elif verdict is Verdict.LOSE:
        row.state = MailDomainState.LOST
        _end_what_it_vouched_for(row)
        _record(actor, row, "iam.mail_domain.lose", severity=Severity.HIGH)
        publish(MailDomainLost(tenant_id=row.tenant_id, domain=row.domain, given_up=False))
    row.next_check_at = proving.next_check(row, proof, now)
    row.save()
    return ProofView.of(row)


def _end_what_it_vouched_for(row: MailDomain) -> None:
    living = TokenFamily.objects.filter(tenant_id=row.tenant_id, revoked_at=None, methods__contains=[FEDERATED])
    found = living.filter(user__email__endswith=f"@{row.domain}").values_list("pk", "methods")
    signins.revoke([pk for pk, methods in found if is_vouched_for(methods)], "domain_lost")


def _accept(actor: Actor, row: MailDomain, now: datetime) -> None:
    try:
        with transaction.atomic():
            MailDomain.objects.filter(pk=row.pk).update(state=MailDomainState.VERIFIED)
    except IntegrityError:
        row.last_error = "taken"
        return
    row.state, row.verified_at = MailDomainState.VERIFIED, now
    _record(actor, row, "iam.mail_domain.verify", severity=Severity.MEDIUM)
    publish(MailDomainVerified(tenant_id=row.tenant_id, domain=row.domain))


def _row(actor: Actor, domain_id: UUID, *, lock: bool = False) -> MailDomain:
    rows = MailDomain.objects.select_for_update() if lock else MailDomain.objects.all()
    found = rows.filter(tenant_id=standing.tenant_of(actor), pk=domain_id).first()
    if found is None:
        raise NotFound(_("There is no such domain."))
    return found


def _record(actor: Actor, row: MailDomain, action: str, *, severity: Severity = Severity.INFO) -> None:
    audit.record(
        actor=actor,
        action=action,
        entity_type="mail_domain",
        entity_id=row.id,
        entity_label=row.domain,
        after={"domain": row.domain, "state": row.state},
        severity=severity,
        tenant_id=row.tenant_id,
    )
