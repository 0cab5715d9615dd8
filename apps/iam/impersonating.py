"""Operators in the name of members: with a reason, for some minutes, in one browser, and seen by the tenant."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core import ids
from apps.core.actor import Actor, ActorKind, Origin, system
from apps.core.clock import utcnow
from apps.core.errors import IllegalState, NotFound, PermissionRefused, ValidationFailed
from apps.core.events import publish
from apps.core.tenants import public_scope
from apps.iam import entering, identity, signins, standing
from apps.iam.errors import InvalidToken
from apps.iam.events import ImpersonationStarted
from apps.iam.identity import Identity
from apps.iam.impersonation_models import Impersonation
from apps.iam.models import Channel, Membership, MembershipStatus, PlatformRole, TokenFamily, User
from apps.tenancy import selectors as tenancy
from apps.tenancy.selectors import TenantView

MAX_MINUTES = 30
# Long enough for the redirects from the admin to the tenant's host and back.
BEGIN_WITHIN = timedelta(minutes=2)


def ask_to_impersonate(
    *, actor: Actor, user_id: UUID, tenant_id: UUID, reason: str, minutes: int, now: datetime | None = None
) -> tuple[UUID, TenantView]:
    """Note that the operator is about to be this member; his browser goes on to the tenant's host. Returns the id.

    Raises:
        PermissionRefused: the actor is no platform admin, or the other is an operator, too.
        ValidationFailed: no reason, or not 1 to 30 minutes.
        NotFound: no active member there.
        TenantNotAvailable: the tenant is being prepared, failed, or is deleted.
    """
    _require_admin(actor)
    if not reason.strip():
        raise ValidationFailed.one("reason", "required", _("Say why."))
    if not 1 <= minutes <= MAX_MINUTES:
        raise ValidationFailed.one("minutes", "out_of_range", _("Between 1 and 30 minutes."))
    moment = now or utcnow()
    with public_scope(), transaction.atomic():
        user = User.objects.filter(pk=user_id).first()
        if user is None:
            raise NotFound
        if user.platform_role or user.id == actor.user_id:
            raise PermissionRefused(_("Nobody acts in the name of an operator."))
        is_member = Membership.objects.filter(user=user, tenant_id=tenant_id, status=MembershipStatus.ACTIVE).exists()
        if not is_member or not user.may_sign_in:
            raise NotFound(_("This person is not an active member of that workspace."))
        target = entering.enterable(user, tenancy.tenant_by_id(tenant_id))
        row = Impersonation.objects.create(
            tenant_id=tenant_id,
            user=user,
            operator_id=standing.person(actor),
            reason=reason.strip()[:300],
            minutes=minutes,
            created_at=moment,
            redeem_before=moment + BEGIN_WITHIN,
        )
        return row.id, target


def issue_token(
    *, actor: Actor, impersonation_id: UUID, browser: str, now: datetime | None = None
) -> tuple[TenantView, str]:
    """The token that the operator's browser brings to the tenant's host; `browser` is the digest of its secret there.

    Raises:
        PermissionRefused: the actor is no platform admin any more.
        NotFound: he did not ask for this, or too long ago, or has begun it.
    """
    _require_admin(actor)
    moment = now or utcnow()
    with public_scope(), transaction.atomic():
        waiting = Impersonation.objects.select_for_update(of=("self",)).filter(
            operator_id=actor.user_id, started_at=None, redeem_before__gt=moment
        )
        row = waiting.filter(pk=impersonation_id).first()
        if row is None or not browser:
            raise NotFound(_("This took too long. Begin again."))
        token = ids.secret_token()
        row.digest, row.browser_digest = ids.token_digest(token), browser
        row.save(update_fields=["digest", "browser_digest"])
        return tenancy.tenant_by_id(row.tenant_id), token


def begin(*, token: str, browser_secret: str, tenant_id: UUID, origin: Origin, now: datetime | None = None) -> Identity:
    """Be the member from now on; the caller puts it into the session of the tenant's host.

    Raises:
        InvalidToken: unknown, used, expired, another tenant's or another browser's; or one of the two may not any more.
    """
    moment = now or utcnow()
    with public_scope(), transaction.atomic():
        row = (
            Impersonation.objects.select_for_update(of=("self",))
            .select_related("user", "operator")
            .filter(
                digest=ids.token_digest(token),
                browser_digest=ids.token_digest(browser_secret),
                tenant_id=tenant_id,
                started_at=None,
                redeem_before__gt=moment,
            )
            .first()
        )
        if row is None or not token:
            raise InvalidToken(_("This sign-in link was used or has expired."))
        family = signins.start_family(row.user, tenant_id, Channel.BROWSER, origin, now=moment, methods=())
        ends_at = moment + timedelta(minutes=row.minutes)
        TokenFamily.objects.filter(pk=family.pk).update(impersonator_id=row.operator_id, ends_at=ends_at)
        row.family, row.started_at, row.ends_at = family, moment, ends_at
        row.save(update_fields=["family", "started_at", "ends_at"])
        found = identity.identify(
            family_id=family.id, user_id=row.user_id, tenant_id=tenant_id, channel=Channel.BROWSER, origin=origin
        )
        if found is None:
            raise InvalidToken(_("This sign-in link was used or has expired."))
        after: dict[str, object] = {"operator": row.operator.name, "reason": row.reason, "until": ends_at.isoformat()}
        _record(found.actor, row, "iam.impersonation.start", after)
        publish(
            ImpersonationStarted(
                tenant_id=tenant_id,
                impersonation_id=row.id,
                user_id=row.user_id,
                member=row.user.name,
                operator=row.operator.name,
                reason=row.reason,
                ends_at=ends_at,
            )
        )
        return found


def stop(*, present: Identity, now: datetime | None = None) -> UUID | None:
    """End it before its time; returns whose name it was. Nothing when nobody acts in another's name.

    Raises:
        IllegalState: the identity is a person's own.
    """
    if present.actor.impersonator_id is None:
        raise IllegalState(_("You act in your own name."), allowed_actions=[])
    with public_scope(), transaction.atomic():
        row = Impersonation.objects.select_for_update().filter(family_id=present.family_id, stopped_at=None).first()
        signins.revoke([present.family_id], "impersonation")
        if row is not None:
            row.stopped_at = now or utcnow()
            row.save(update_fields=["stopped_at"])
            _record(present.actor, row, "iam.impersonation.stop", None)
    return present.actor.user_id


def note_ended(*, now: datetime | None = None) -> int:
    """Write down what ran out, or ended with its session, without anybody saying so, each once; returns how many."""
    moment, noted = now or utcnow(), 0
    is_over = Q(ends_at__lte=moment) | Q(family=None) | Q(family__revoked_at__isnull=False)
    with public_scope():
        over = Impersonation.objects.filter(is_over, started_at__isnull=False, stopped_at=None)
        for row_id in list(over.values_list("pk", flat=True)[:500]):
            with transaction.atomic():
                rows = over.select_for_update(skip_locked=True, of=("self",)).select_related("user", "family")
                row = rows.filter(pk=row_id).first()
                if row is not None:
                    _end(row, moment)
                    noted += 1
    return noted


def _end(row: Impersonation, now: datetime) -> None:
    revoked_at = row.family.revoked_at if row.family else None
    row.stopped_at = min(moment for moment in (row.ends_at, revoked_at, now) if moment)
    row.save(update_fields=["stopped_at"])
    if row.family_id:
        signins.revoke([row.family_id], "impersonation")
    _record(system(row.tenant_id), row, "iam.impersonation.end", {"ended_at": row.stopped_at.isoformat()})


def _require_admin(actor: Actor) -> None:
    actor.require("platform:write")
    if actor.kind is not ActorKind.OPERATOR or PlatformRole.PLATFORM_ADMIN not in actor.roles:
        raise PermissionRefused


def _record(actor: Actor, row: Impersonation, action: str, after: dict[str, object] | None) -> None:
    audit.record(
        actor=replace(actor, impersonator_id=row.operator_id),
        action=action,
        entity_type="membership",
        entity_id=row.user_id,
        entity_label=row.user.email,
        after=after,
        severity=Severity.CRITICAL,
        tenant_id=row.tenant_id,
    )
