"""A tenant's demand that its members use a second factor, and how long each of them has to comply."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core import versions
from apps.core.actor import Actor, ActorKind
from apps.core.clock import utcnow
from apps.core.errors import ValidationFailed
from apps.core.tenants import public_scope
from apps.iam import factors, standing
from apps.iam.errors import MfaDemanded, NoSecondFactor
from apps.iam.factor_models import MfaPolicy
from apps.iam.identity import Identity
from apps.iam.models import Membership
from apps.iam.proofs import FEDERATED, Proof

GRACE_DAYS, MAX_GRACE_DAYS = 7, 90


@dataclass(frozen=True, slots=True)
class PolicyView:
    """What a tenant demands. `required_at` is empty while it demands nothing."""

    required_at: datetime | None
    grace_days: int

    @property
    def version(self) -> str:
        """The version of what people decide."""
        return versions.version_of({"required": self.required_at is not None, "grace_days": self.grace_days})


def of(tenant_id: UUID) -> PolicyView:
    """A tenant's demand."""
    with public_scope():
        row = MfaPolicy.objects.filter(pk=tenant_id).first()
    return PolicyView(row.required_at, row.grace_days) if row else PolicyView(None, GRACE_DAYS)


def change(
    *,
    actor: Actor,
    required: bool,
    grace_days: int = GRACE_DAYS,
    expected: versions.Expected = None,
    now: datetime | None = None,
) -> PolicyView:
    """Demand a second factor of every member, or do not any more. Changed days count from when it was first demanded.

    Raises:
        PermissionRefused: the actor lacks ``settings:write``.
        NoSecondFactor: he has none himself.
        ValidationFailed: the days are not 0 to 90.
        VersionConflict: the demand's version is not among `expected`.
    """
    actor.require("settings:write")
    if not 0 <= grace_days <= MAX_GRACE_DAYS:
        raise ValidationFailed.one("mfa_grace_days", "out_of_range", _("Give 0 to 90 days."))
    tenant_id = standing.tenant_of(actor)
    with public_scope(), transaction.atomic():
        standing.take_turns(tenant_id)
        standing.held_now(actor, tenant_id, "settings:write")
        versions.require(expected, of(tenant_id).version)
        row = MfaPolicy.objects.filter(pk=tenant_id).first()
        before = _words(row)
        if not required:
            MfaPolicy.objects.filter(pk=tenant_id).delete()
            row = None
        elif actor.kind is ActorKind.USER and not factors.has_any(standing.person(actor)):
            raise NoSecondFactor(_("Set up a second factor for yourself before you demand it of others."))
        else:
            row = row or MfaPolicy(tenant_id=tenant_id, required_at=now or utcnow())
            row.grace_days = grace_days
            row.save()
        if before != _words(row):
            audit.record(
                actor=actor,
                action="iam.mfa.change_policy",
                entity_type="tenant",
                entity_id=tenant_id,
                before=before,
                after=_words(row),
                severity=Severity.HIGH,
            )
    return of(tenant_id)


def due_at(user_id: UUID, tenant_id: UUID) -> datetime | None:
    """From when a member may enter only with a second factor; never while the tenant demands none."""
    with public_scope():
        row = MfaPolicy.objects.filter(pk=tenant_id).first()
        member = Membership.objects.filter(user_id=user_id, tenant_id=tenant_id).first() if row else None
    if row is None or member is None:
        return None
    return max(row.required_at, member.created_at) + timedelta(days=row.grace_days)


def is_admitted(identity: Identity, *, now: datetime | None = None) -> bool:
    """Whether a sign-in shows as much as its tenant demands at this moment, or the platform of its operators.

    Whom the tenant's own provider signed in is admitted: what it asks of him is the tenant's own affair.
    """
    if identity.strong_at is not None or FEDERATED in identity.methods or identity.actor.impersonator_id is not None:
        return True
    if identity.tenant is None:
        return not settings.OPERATORS_MUST_USE_MFA
    return identity.mfa_due_at is None or (now or utcnow()) < identity.mfa_due_at


def is_reminded(identity: Identity) -> bool:
    """Whether a member should be told that he will need a second factor."""
    return identity.mfa_due_at is not None and identity.strong_at is None and FEDERATED not in identity.methods


def require_strength(*, user_id: UUID, tenant_id: UUID, proof: Proof, now: datetime | None = None) -> None:
    """Refuse to exchange a sign-in for one to a tenant that demands more than was shown (RFC 8693).

    Raises:
        MfaDemanded: the tenant demands a second factor, and the sign-in showed none.
    """
    due = due_at(user_id, tenant_id)
    if proof.strong_at is None and due is not None and (now or utcnow()) >= due:
        raise MfaDemanded(
            _("That workspace demands a second factor. Confirm with yours first, or set one up."),
            methods=list(factors.of(user_id).methods),
        )


def _words(row: MfaPolicy | None) -> dict[str, object]:
    return {"required": row is not None, "grace_days": row.grace_days if row else None}
