"""Signing up, signing in and out; the accounts themselves are in ``accounts.py``."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.actor import Actor, ActorKind, Origin
from apps.core.clock import utcnow
from apps.core.errors import NotFound, PermissionRefused
from apps.core.tenants import public_scope
from apps.iam import account_tokens, arriving, credentials, entering, lockout, proving, selectors, signins
from apps.iam.accepting import (
    accept_invitation,
    accept_invitation_in_browser,
    accept_own_invitation,
    invitations_to,
    preview_invitation,
)
from apps.iam.account_tokens import mail_owed, mail_token
from apps.iam.accounts import ensure_member, ensure_operator, update_account, update_profile
from apps.iam.banning import ban_person, sign_out_person, unban_person
from apps.iam.devices import end_device, end_other_devices, list_devices
from apps.iam.errors import (
    InvalidToken,
    RefreshInProgress,
)
from apps.iam.handing_off import enter_by_browser, hand_off, redeem_handoff, workspace_to_enter
from apps.iam.invitations import invite, resend_invitation, revoke_invitation
from apps.iam.links import mailed_link
from apps.iam.lockout import unlock
from apps.iam.members import (
    ban_member,
    change_roles,
    leave,
    lift_expired_bans,
    remove_member,
    transfer_ownership,
    unban_member,
)
from apps.iam.models import (
    RefreshToken,
    SessionHandoff,
    TokenFamily,
    TokenPurpose,
    User,
    normal_email,
)
from apps.iam.passkeys import purge_ceremonies
from apps.iam.recovery import (
    change_password,
    mark_verified,
    request_password_reset,
    request_verification,
    reset_password,
    verify_email,
)
from apps.iam.roles import create_role, delete_role, get_role, holders_of, list_roles, update_role
from apps.iam.signins import Spending, TokenPair
from apps.iam.sso import attempts as sso_attempts
from apps.iam.sso import enforcing
from apps.tenancy.selectors import TenantView

__all__ = [
    "SignUpView",
    "TokenPair",
    "accept_invitation",
    "accept_invitation_in_browser",
    "accept_own_invitation",
    "ban_member",
    "ban_person",
    "change_password",
    "change_roles",
    "create_role",
    "delete_role",
    "discover",
    "end_device",
    "end_other_devices",
    "ensure_member",
    "ensure_operator",
    "enter_by_browser",
    "get_role",
    "hand_off",
    "holders_of",
    "invitations_to",
    "invite",
    "leave",
    "lift_expired_bans",
    "list_devices",
    "list_roles",
    "mail_owed",
    "mail_token",
    "mailed_link",
    "mark_verified",
    "preview_invitation",
    "purge_expired",
    "redeem_handoff",
    "refresh",
    "remove_member",
    "request_password_reset",
    "request_verification",
    "resend_invitation",
    "reset_password",
    "revoke_invitation",
    "sign_in",
    "sign_in_operator",
    "sign_out",
    "sign_out_all",
    "sign_out_person",
    "sign_up",
    "touch_session",
    "transfer_ownership",
    "unban_member",
    "unban_person",
    "unlock",
    "update_account",
    "update_profile",
    "update_role",
    "verify_email",
    "workspace_to_enter",
]

KEPT_AFTER_END = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class SignUpView:
    """What came of a sign-up: the person and the tenant, which is still being provisioned."""

    user_id: UUID
    email: str
    tenant: TenantView


def sign_up(
    *,
    email: str,
    password: str,
    first_name: str,
    last_name: str,
    tenant_name: str = "",
    origin: Origin,
    locale: str = "en",
) -> SignUpView:
    """Write person, tenant and ownership at once and have the tenant provisioned.

    An existing person with the right password gets one more workspace; password and names stay as they are. Where one
    workspace is all there is, the person joins it as MEMBER and `tenant_name` says nothing.

    Raises:
        ValidationFailed: the password breaks the policy, or a new tenant has no name.
        InvalidCredentials: the e-mail is known and the password is wrong.
        PasswordChangeRequired: the e-mail is known and an operator gave the present password.
        NameTaken: another organisation has this name.
        NotAMember, TenantNotAvailable: the only workspace does not take this person, or nobody at the moment.
    """
    email = normal_email(email)
    with public_scope():
        if User.objects.filter(email=email).exists():
            user = credentials.require_own(credentials.verify(email=email, password=password, origin=origin))
        else:
            user = User(email=email, first_name=first_name, last_name=last_name, locale=locale)
            credentials.check_new_password(password, user)
            # Before the transaction: hashing takes longer than everything in it.
            user.password = make_password(password)
        with transaction.atomic():
            is_new = user._state.adding
            if is_new and not _insert(user):
                # Somebody signed up with this address between the look and the write.
                is_new, user = False, credentials.verify(email=email, password=password, origin=origin)
            return _open_workspace(user, tenant_name, origin, is_new=is_new)


def sign_in(
    *, email: str, password: str, tenant: str | None, origin: Origin, otp: str = "", now: datetime | None = None
) -> TokenPair:
    """Sign a program in to the tenant with this key or slug, or to the only one that there is.

    `otp`: a code of the person's authenticator app, or a recovery code.

    Raises:
        InvalidCredentials: unknown address or wrong password; nobody can tell which.
        MfaRequired: all is right so far, and the person has a second factor.
        WrongCode: `otp` is not right.
        AccountInactive: the account is switched off.
        NotAMember: no active membership there, or no such tenant.
        NoWorkspace: no tenant was named and there is none.
        ValidationFailed: no tenant was named and there are several.
        TenantNotAvailable: the tenant is being prepared, failed, or is deleted.
    """
    user = credentials.verify(email=email, password=password, origin=origin)
    with public_scope():
        target = entering.named_workspace(user, tenant) if tenant else entering.only_workspace(user)
    methods = proving.methods_for_program(user=user, otp=otp, origin=origin)
    with public_scope(), transaction.atomic():
        return entering.pair_for(user, target, origin, now, methods=methods)


def sign_in_operator(
    *, email: str, password: str, origin: Origin, otp: str = "", now: datetime | None = None
) -> TokenPair:
    """Sign an operator's program in to the platform itself.

    Raises:
        InvalidCredentials, AccountInactive: as `sign_in`.
        PermissionRefused: the person is no operator.
    """
    user = credentials.verify(email=email, password=password, origin=origin)
    if not user.platform_role:
        raise PermissionRefused("This account is not an operator's.")
    methods = proving.methods_for_program(user=user, otp=otp, origin=origin)
    with public_scope(), transaction.atomic():
        return entering.pair_for(user, None, origin, now, methods=methods)


def discover(*, email: str, password: str, origin: Origin) -> list[selectors.WorkspaceView]:
    """The workspaces that these credentials open; signs nobody in. Raises as `sign_in`."""
    return selectors.workspaces_of(credentials.verify(email=email, password=password, origin=origin).id)


def refresh(*, refresh_token: str, origin: Origin, now: datetime | None = None) -> TokenPair:
    """Exchange a refresh token for a new pair; the old one is spent.

    A token that was spent more than ten seconds ago has been stolen, here or there: its whole family ends.

    Raises:
        InvalidToken: unknown, expired, revoked or spent.
        RefreshInProgress: a parallel call spent it within the last ten seconds.
    """
    now = now or utcnow()
    with public_scope(), transaction.atomic():
        outcome, family_id = signins.spend(refresh_token, now=now)
        found = signins.identity_of_family(family_id, origin) if family_id else None
        if outcome is Spending.SPENT:
            if found is None or (found.tenant and not found.tenant.is_readable):
                # Rolls the spending back: the person may be let in again, and has done no wrong.
                raise InvalidToken("The refresh token is not valid any more.")
            signins.touch(found.family_id, now=now)
            return signins.issue_pair(found, now=now)
        if outcome is Spending.REUSED and found and signins.revoke([found.family_id], "reuse"):
            entering.record_session(found.actor, "iam.session.revoke_reused", found.family_id, Severity.HIGH)
            entering.tell_of_reuse(found)
    if outcome is Spending.JUST_USED and found:
        raise RefreshInProgress("This refresh token was used a moment ago; the new pair went to that call.")
    raise InvalidToken("The refresh token is not valid any more.")


def sign_out(*, actor: Actor, family_id: UUID) -> None:
    """End one sign-in: its access and refresh tokens, or its browser session. Repeating it does nothing."""
    with public_scope(), transaction.atomic():
        if signins.revoke([family_id], "signout"):
            entering.record_session(actor, "iam.session.end", family_id, Severity.INFO)


def sign_out_all(*, actor: Actor, now: datetime | None = None) -> None:
    """End everything that the actor signed in to before this moment, in every tenant and in the admin.

    Raises:
        NotFound: the actor is no person.
        FederatedSession: his workspace's provider vouched for him, who may not end what is elsewhere.
    """
    if actor.user_id is None:
        raise NotFound
    enforcing.require_own_sign_in(actor)
    with public_scope(), transaction.atomic():
        user = User.objects.select_for_update().get(pk=actor.user_id)
        signins.end_all(user, "signout_all", now=now or utcnow())
        entering.record_session(actor, "iam.session.end_all", user.id, Severity.MEDIUM, entity_type="user")


def touch_session(*, family_id: UUID, now: datetime) -> None:
    """Note that a browser's session is in use."""
    with public_scope(), transaction.atomic():
        signins.touch(family_id, now=now)


def purge_expired(*, now: datetime | None = None) -> int:
    """Delete sign-ins and handoffs that ended a month ago or were not used for so long; returns how many."""
    moment = now or utcnow()
    before = moment - KEPT_AFTER_END
    with public_scope(), transaction.atomic():
        lockout.purge(now=moment)
        account_tokens.purge(now=moment)
        sso_attempts.purge(now=moment)
        purge_ceremonies(now=moment)
        SessionHandoff.objects.filter(expires_at__lt=before).delete()
        RefreshToken.objects.filter(expires_at__lt=before).delete()
        return TokenFamily.objects.filter(last_seen_at__lt=before).delete()[0]


def _insert(user: User) -> bool:
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def _open_workspace(user: User, tenant_name: str, origin: Origin, *, is_new: bool) -> SignUpView:
    actor = Actor(ActorKind.USER, user_id=user.id, name=user.name, email=user.email, origin=origin)
    tenant, membership, has_joined = arriving.join_by_sign_up(user, actor, tenant_name=tenant_name)
    actor = actor.within(tenant.id)
    if is_new:
        account_tokens.issue(TokenPurpose.VERIFY, user.email, now=utcnow(), is_asked=False)
        audit.record(
            actor=actor,
            action="iam.user.sign_up",
            entity_type="user",
            entity_id=user.id,
            entity_label=user.email,
            after={"email": user.email, "name": user.name},
        )
    if has_joined:
        audit.record(
            actor=actor,
            action="iam.membership.create",
            entity_type="membership",
            entity_id=membership.id,
            entity_label=user.email,
            after={"role": membership.role},
        )
    return SignUpView(user.id, user.email, tenant)
