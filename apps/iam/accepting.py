"""Accepting invitations: by people with an account and by new ones, within the tenant's seats."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.core import ids
from apps.core.actor import Actor, ActorKind, Origin
from apps.core.clock import utcnow
from apps.core.errors import Conflict, FieldError, NotFound, ValidationFailed
from apps.core.tenants import public_scope
from apps.iam import assigned, credentials, entering, proving, seats, standing
from apps.iam.assigned import Assigned
from apps.iam.errors import AlreadyMember, InvitationsClosed
from apps.iam.identity import Identity
from apps.iam.models import Channel, Invitation, Membership, MembershipStatus, User
from apps.iam.signins import TokenPair
from apps.iam.sso import enforcing
from apps.tenancy import rollout
from apps.tenancy import selectors as tenancy
from apps.tenancy.selectors import TenantView


@dataclass(frozen=True, slots=True)
class InvitationPreview:
    """What the holder of a token is told before he accepts. `needs_sign_up`: the address has no account yet."""

    id: UUID
    tenant: TenantView
    email: str
    roles: tuple[str, ...]
    inviter: str
    expires_at: datetime
    needs_sign_up: bool


def preview_invitation(*, token: str, now: datetime | None = None) -> InvitationPreview:
    """What a token offers.

    Raises:
        InvitationsClosed: everybody shares one workspace here.
        NotFound: expired, revoked, used or unknown, or its workspace is closed: nobody can tell which.
    """
    with public_scope():
        return _preview(_by_token(token, now or utcnow()).first())


def invitations_to(*, user_id: UUID, now: datetime | None = None) -> list[InvitationPreview]:
    """The pending invitations to a person whose address is confirmed, the newest first."""
    with public_scope():
        user = User.objects.filter(pk=user_id, email_verified_at__isnull=False).first()
        if user is None or rollout.is_single():
            return []
        rows = list(_pending(now or utcnow()).filter(email=user.email).order_by("-pk"))
        active = {tenant.id for tenant in tenancy.tenants_by_ids([row.tenant_id for row in rows]) if tenant.is_active}
        return [_preview(row) for row in rows if row.tenant_id in active]


def accept_invitation(
    *, token: str, password: str, origin: Origin, first_name: str = "", last_name: str = "", otp: str = ""
) -> TokenPair:
    """Join by a token and sign a program in. Who has an account gives its password; a new person chooses one.

    Raises:
        NotFound, InvitationsClosed: as `preview_invitation`.
        ValidationFailed: a new person gave no names, or a password that breaks the policy.
        InvalidCredentials, AccountLocked, AccountInactive, AccountBanned, MfaRequired, WrongCode: as `sign_in`.
        PasswordChangeRequired: an operator gave him his present password.
        AlreadyMember: he belongs to it.
        PlanLimitReached: every seat is taken.
    """
    user = _person(token, password, first_name, last_name, origin=origin)
    methods = proving.methods_for_program(user=user, otp=otp, origin=origin)
    with public_scope(), transaction.atomic():
        return entering.pair_for(user, _join_by_token(user, token, origin), origin, methods=methods)


def accept_invitation_in_browser(
    *,
    token: str,
    password: str,
    tenant_id: UUID,
    origin: Origin,
    first_name: str = "",
    last_name: str = "",
    otp: str = "",
) -> Identity:
    """Join by a token on the tenant's own host and sign the browser in. Raises as `accept_invitation`."""
    if preview_invitation(token=token).tenant.id != tenant_id:
        raise NotFound
    user = _person(token, password, first_name, last_name, origin=origin)
    methods = proving.methods_for_program(user=user, otp=otp, origin=origin)
    with public_scope(), transaction.atomic():
        return entering.start(user, _join_by_token(user, token, origin), Channel.BROWSER, origin, methods=methods)


def accept_own_invitation(*, actor: Actor, invitation_id: UUID) -> TenantView:
    """Join as who is signed in elsewhere; the invitation went to his own, confirmed address.

    Raises:
        NotFound, InvitationsClosed: as `preview_invitation`; also an invitation to somebody else.
        AlreadyMember, PlanLimitReached: as `accept_invitation`.
        FederatedSession: another workspace's provider vouched for him.
    """
    now = utcnow()
    enforcing.require_own_sign_in(actor)
    if rollout.is_single():
        raise InvitationsClosed
    with public_scope(), transaction.atomic():
        user = User.objects.filter(pk=standing.person(actor), email_verified_at__isnull=False).first()
        if user is None:
            raise NotFound(_("This invitation is not valid any more."))
        return _join(user, _pending(now).filter(pk=invitation_id, email=user.email), actor.origin, now)


def _pending(now: datetime) -> QuerySet[Invitation]:
    return Invitation.objects.filter(accepted_at=None, revoked_at=None, expires_at__gt=now)


def _by_token(token: str, now: datetime) -> QuerySet[Invitation]:
    if rollout.is_single():
        raise InvitationsClosed
    return _pending(now).filter(digest=ids.token_digest(token))


def _preview(row: Invitation | None) -> InvitationPreview:
    tenant = tenancy.tenant_by_id(row.tenant_id) if row else None
    if row is None or tenant is None or not tenant.is_active:
        raise NotFound(_("This invitation is not valid any more."))
    return InvitationPreview(
        id=row.id,
        tenant=tenant,
        email=row.email,
        roles=assigned.of_invitation(row).names,
        inviter=row.invited_by_name,
        expires_at=row.expires_at,
        needs_sign_up=not User.objects.filter(email=row.email).exists(),
    )


def _person(token: str, password: str, first_name: str, last_name: str, *, origin: Origin) -> User:
    """Who accepts: a person whose password was checked, or a new one that is not stored yet."""
    found = preview_invitation(token=token)
    if not found.needs_sign_up:
        return credentials.require_own(credentials.verify(email=found.email, password=password, origin=origin))
    names = {"first_name": first_name.strip(), "last_name": last_name.strip()}
    missing = [FieldError(field, "required", _("This field is required.")) for field, name in names.items() if not name]
    if missing:
        raise ValidationFailed(missing)
    user = User(email=found.email, locale=found.tenant.locale, **names)
    credentials.check_new_password(password, user)
    # Before the transaction: hashing takes longer than everything in it.
    user.password = make_password(password)
    return user


def _join_by_token(user: User, token: str, origin: Origin) -> TenantView:
    now = utcnow()
    return _join(user, _by_token(token, now), origin, now)


def _join(user: User, rows: QuerySet[Invitation], origin: Origin, now: datetime) -> TenantView:
    """Make the person a member, in the caller's transaction. Seats are counted in the tenant's turn."""
    tenant_id = rows.values_list("tenant_id", flat=True).first()
    if tenant_id is not None:
        standing.take_turns(tenant_id)
    row = rows.select_for_update().first()
    tenant = _preview(row).tenant
    assert row is not None
    is_new = user._state.adding
    if is_new:
        _insert(user)
    actor = Actor(ActorKind.USER, tenant_id=tenant.id, user_id=user.id, name=user.name, email=user.email, origin=origin)
    if is_new:
        _record(actor, "iam.user.sign_up", ("user", user.id, user.email), {"email": user.email, "name": user.name})
    if user.email_verified_at is None:
        # The token went to this address, so whoever holds it reads its mail.
        user.email_verified_at = now
        user.save(update_fields=["email_verified_at", "updated_at"])
    offered = assigned.of_invitation(row)
    membership = _membership(user, offered, tenant.id)
    row.accepted_at, row.accepted_by_id = now, user.id
    row.save(update_fields=["accepted_at", "accepted_by_id"])
    _record(actor, "iam.invitation.accept", ("invitation", row.id, row.email))
    _record(actor, "iam.membership.create", ("membership", membership.id, user.email), {"roles": list(offered.names)})
    assigned.tell_of_joining(membership, user, offered)
    return tenant


def _membership(user: User, offered: Assigned, tenant_id: UUID) -> Membership:
    row = Membership.objects.select_for_update().filter(user=user, tenant_id=tenant_id).first()
    if row is not None and row.status != MembershipStatus.REMOVED:
        raise AlreadyMember
    seats.require_free_seat(tenant_id)
    if row is None:
        row = Membership.objects.create(user=user, tenant_id=tenant_id, role=offered.builtin)
    row.status = MembershipStatus.ACTIVE
    row.save(update_fields=["status", "updated_at"])
    assigned.assign(row, offered)
    return row


def _insert(user: User) -> None:
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(_("This address has an account since a moment ago. Accept with its password.")) from error


def _record(actor: Actor, action: str, entity: tuple[str, UUID, str], after: dict[str, object] | None = None) -> None:
    kind, row_id, label = entity
    audit.record(actor=actor, action=action, entity_type=kind, entity_id=row_id, entity_label=label, after=after)
