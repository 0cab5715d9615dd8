"""People and memberships as rows: making sure they exist, changing what they say."""

from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import transaction

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core import versions
from apps.core.actor import Actor, system
from apps.core.clock import utcnow
from apps.core.errors import NotFound, PermissionRefused
from apps.core.tenants import public_scope
from apps.iam import standing
from apps.iam.models import Membership, MembershipStatus, PlatformRole, Role, User, normal_email
from apps.iam.sso.errors import FederatedSession

_PROFILE = ("first_name", "last_name", "locale")
_ACCOUNT = (*_PROFILE, "is_active", "platform_role")


def ensure_member(
    *,
    email: str,
    password: str,
    tenant_id: UUID,
    role: str,
    first_name: str = "",
    last_name: str = "",
    locale: str = "en",
    actor: Actor | None = None,
) -> UUID:
    """Make sure that a verified person with this e-mail is an active member in `role`; returns his id.

    An existing person keeps password and names. Repeating it changes nothing.

    Raises:
        ValueError: `role` is not a built-in role.
    """
    actor, role = actor or system(tenant_id), Role(role).value
    with public_scope(), transaction.atomic():
        user = _ensure_user(email, password, first_name=first_name, last_name=last_name, locale=locale)
        membership, created = Membership.objects.select_for_update().get_or_create(
            user=user, tenant_id=tenant_id, defaults={"role": role}
        )
        before = None if created else {"role": membership.role, "status": membership.status}
        after = {"role": role, "status": MembershipStatus.ACTIVE.value}
        if before == after:
            return user.id
        membership.role, membership.status = role, MembershipStatus.ACTIVE
        membership.save()
        audit.record(
            actor=actor,
            action="iam.membership.ensure",
            entity_type="membership",
            entity_id=membership.id,
            entity_label=user.email,
            before=before,
            after=after,
            tenant_id=tenant_id,
        )
        return user.id


def ensure_operator(
    *,
    email: str,
    password: str,
    platform_role: str = PlatformRole.PLATFORM_ADMIN,
    first_name: str = "",
    last_name: str = "",
    actor: Actor | None = None,
) -> UUID:
    """Make sure that a verified person with this e-mail is an operator in `platform_role`; returns his id.

    An existing person keeps password and names.

    Raises:
        ValueError: `platform_role` is not a platform role.
    """
    platform_role = PlatformRole(platform_role)
    with public_scope(), transaction.atomic():
        user = _ensure_user(email, password, first_name=first_name, last_name=last_name, platform_role=platform_role)
        if user.platform_role != platform_role:
            before, user.platform_role = user.platform_role, platform_role
            user.save(update_fields=["platform_role", "updated_at"])
            _record_change(actor or system(), user, {"platform_role": before}, {"platform_role": platform_role.value})
        return user.id


def profile_version(values: object) -> str:
    """The version of what people edit of themselves, from whatever has it as attributes."""
    return versions.version_of({name: getattr(values, name) for name in _PROFILE})


def update_profile(*, actor: Actor, changes: dict[str, str], expected: versions.Expected = None) -> None:
    """Change one's own `first_name`, `last_name` or `locale`.

    Raises:
        NotFound: the actor is no person.
        FederatedSession: a workspace's provider vouched for him, and others know him by these names.
        VersionConflict: the profile's version is not among `expected`.
    """
    if actor.user_id is None:
        raise NotFound
    if actor.is_federated and _is_known_elsewhere(actor):
        raise FederatedSession
    with public_scope(), transaction.atomic():
        user = User.objects.select_for_update().get(pk=actor.user_id)
        versions.require(expected, profile_version(user))
        _apply(actor, user, {name: changes[name] for name in _PROFILE if name in changes})


def update_account(*, actor: Actor, user_id: UUID, changes: dict[str, object]) -> None:
    """Change somebody's names, locale, `is_active` or `platform_role`, as an operator.

    Raises:
        NotFound: there is no such person.
        PermissionRefused: the actor lacks ``platform:write``, or would lock himself out.
    """
    actor.require("platform:write")
    with public_scope(), transaction.atomic():
        user = User.objects.locked(user_id)
        wanted = {name: changes[name] for name in _ACCOUNT if name in changes}
        loses_access = not wanted.get("is_active", True) or wanted.get("platform_role", user.platform_role) != (
            user.platform_role
        )
        if user.id == actor.user_id and loses_access:
            raise PermissionRefused("Nobody takes away his own access.")
        _apply(actor, user, wanted)


def _ensure_user(email: str, password: str, **values: str) -> User:
    email = normal_email(email)
    user = User.objects.filter(email=email).first()
    if user is not None:
        return user
    values |= {"password": make_password(password)}
    return User.objects.get_or_create(email=email, defaults={**values, "email_verified_at": utcnow()})[0]


def _is_known_elsewhere(actor: Actor) -> bool:
    with public_scope():
        others = Membership.objects.filter(user_id=standing.person(actor)).exclude(tenant_id=standing.tenant_of(actor))
        return others.exclude(status=MembershipStatus.REMOVED).exists()


def _apply(actor: Actor, user: User, wanted: dict[str, object]) -> None:
    before = {name: getattr(user, name) for name, value in wanted.items() if getattr(user, name) != value}
    if not before:
        return
    for name in before:
        setattr(user, name, wanted[name])
    user.save(update_fields=[*before, "updated_at"])
    _record_change(actor, user, before, {name: wanted[name] for name in before})


def _record_change(actor: Actor, user: User, before: dict[str, object], after: dict[str, object]) -> None:
    grave = "platform_role" in after or "is_active" in after
    audit.record(
        actor=actor,
        action="iam.user.update",
        entity_type="user",
        entity_id=user.id,
        entity_label=user.email,
        before=before,
        after=after,
        severity=Severity.HIGH if grave else Severity.INFO,
    )
