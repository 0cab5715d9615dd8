"""From a person who is known to a sign-in: which workspace, and its first tokens or session."""

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.actor import Actor, Origin
from apps.core.errors import NotFound, ValidationFailed
from apps.core.events import publish
from apps.iam import devices, factors, familiarity, identity, selectors, signins, standing
from apps.iam.errors import InvalidCredentials, MfaRequired, NotAMember, NoWorkspace
from apps.iam.events import RefreshTokenReused, SignedInFromNew
from apps.iam.identity import Identity
from apps.iam.models import Channel, Membership, User
from apps.iam.proofs import FEDERATED, PASSWORD, Proof, is_vouched_for
from apps.iam.signins import TokenPair
from apps.iam.sso import enforcing
from apps.iam.sso.errors import FederatedSession
from apps.tenancy import selectors as tenancy_selectors
from apps.tenancy.errors import TenantNotAvailable
from apps.tenancy.selectors import TenantView


def named_workspace(user: User, name: str) -> TenantView:
    """The tenant with this key or slug, if the person may enter it. Raises as `enterable`."""
    try:
        tenant = tenancy_selectors.tenant_by_key_or_slug(name.strip().lower())
    except NotFound as error:
        raise NotAMember from error
    return enterable(user, tenant)


def only_workspace(user: User) -> TenantView:
    """The only tenant that the person may enter.

    Raises:
        NoWorkspace: there is none.
        ValidationFailed: there are several.
    """
    workspaces = selectors.workspaces_of(user.id)
    if not workspaces:
        raise NoWorkspace
    if len(workspaces) > 1:
        raise ValidationFailed.one("tenant", "required", "You belong to several workspaces: name one of them.")
    return workspaces[0].tenant


def enterable(user: User, tenant: TenantView) -> TenantView:
    """`tenant`, if the person may enter it.

    Raises:
        NotAMember: no active membership.
        TenantNotAvailable: it is being prepared, failed, or is deleted.
    """
    is_member = Membership.objects.filter(standing.may_enter(), user=user, tenant_id=tenant.id).exists()
    if not is_member:
        raise NotAMember
    if not (tenant.is_readable and tenant.is_served):
        raise TenantNotAvailable
    return tenant


def pair_for(
    user: User,
    tenant: TenantView | None,
    origin: Origin,
    now: datetime | None = None,
    *,
    methods: tuple[str, ...] = (PASSWORD,),
    proof: Proof | None = None,
) -> TokenPair:
    """Sign a program in, in the caller's transaction; `methods` and `proof` as in `start`."""
    found = start(user, tenant, Channel.API, origin, now, methods=methods, proof=proof)
    return signins.issue_pair(found, now=found.last_seen_at)


def start(
    user: User,
    tenant: TenantView | None,
    channel: Channel,
    origin: Origin,
    now: datetime | None = None,
    *,
    methods: tuple[str, ...] = (PASSWORD,),
    proof: Proof | None = None,
) -> Identity:
    """Start a sign-in, in the caller's transaction.

    `methods` were shown this moment (``mfa`` among them vouches for a second factor); `proof` instead is one that was
    given earlier and goes along, as from one workspace to another.

    Raises:
        InvalidCredentials: the person may not enter any more, or his password was changed or a second factor of his
            removed since he was looked up.
        MfaRequired: he has a second factor, and nothing of it was shown.
        SsoRequired: the tenant wants its own sign-in of him.
        FederatedSession: another workspace's provider vouched for him, which counts there alone.
    """
    if proof is not None and is_vouched_for(proof.methods):
        raise FederatedSession
    proof = proof.own() if proof else None
    if tenant is not None:
        enforcing.require_allowed_methods(user, tenant, () if proof else methods)
    family = signins.start_family(
        user, tenant.id if tenant else None, channel, origin, now=now, methods=methods, proof=proof
    )
    # What was checked must still be so: a reset, or the end of a second factor, may have committed in between.
    same = User.objects.filter(pk=user.pk, password=user.password, factors_removed_at=user.factors_removed_at)
    if not same.update(last_login=family.started_at):
        raise InvalidCredentials(_("E-mail or password is wrong."))
    # From here on nobody else changes this person. He may have set a second factor up since he was asked for none.
    if family.strong_at is None and FEDERATED not in family.methods and factors.has_any(user.id):
        raise MfaRequired(
            _("You have a second factor by now. Sign in again."), methods=list(factors.of(user.id).methods)
        )
    found = identity.identify(
        family_id=family.id, user_id=user.id, tenant_id=family.tenant_id, channel=channel, origin=origin
    )
    if found is None:
        # Banned, removed or switched off between the check and now.
        raise InvalidCredentials
    record_session(found.actor, "iam.session.start", family.id, Severity.MEDIUM, after={"channel": channel.value})
    is_first = user.last_login is None
    if familiarity.is_news(
        user_id=user.id, family_id=family.id, channel=channel.value, origin=origin, is_first=is_first
    ):
        publish(
            SignedInFromNew(
                family_id=family.id,
                user_id=user.id,
                email=user.email,
                name=user.name,
                locale=user.locale,
                device=devices.device_of(origin.user_agent, channel.value),
                ip=origin.ip,
                occurred_at=family.started_at,
            )
        )
    return found


def tell_of_reuse(found: Identity) -> None:
    """Publish that a spent refresh token of this sign-in was used again, from where the caller is now."""
    assert found.actor.user_id is not None
    origin = found.actor.origin
    publish(
        RefreshTokenReused(
            family_id=found.family_id,
            user_id=found.actor.user_id,
            email=found.actor.email,
            name=found.actor.name,
            locale=found.locale,
            device=devices.device_of(origin.user_agent, Channel.API.value),
            ip=origin.ip,
        )
    )


def record_session(
    actor: Actor,
    action: str,
    entity_id: UUID,
    severity: Severity,
    *,
    entity_type: str = "session",
    after: dict[str, str] | None = None,
) -> None:
    """Audit what happened to a sign-in, or to all of a person's."""
    audit.record(
        actor=actor,
        action=action,
        entity_type=entity_type,
        entity_id=entity_id,
        entity_label=actor.email,
        after=after,
        severity=severity,
    )
