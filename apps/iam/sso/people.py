"""From what a provider vouches for to a member of its tenant.

The rules, in this order (docs/sso.md): a subject that is linked is its person, whatever address is told. Who is not
linked is found by his address, which must be verified and of a domain that the tenant has proved; a person who is
linked to another subject already is not handed over, and an account whose address was never verified is claimed first.
Somebody removed or banned stays out; somebody new joins within the seats if the connection admits new members. Nobody
comes in who may do more than who set the connection up.
"""

from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core.actor import Actor, ActorKind, Origin
from apps.core.clock import utcnow
from apps.iam import assigned, seats, standing
from apps.iam.assigned import Assigned
from apps.iam.models import Membership, MembershipStatus, User
from apps.iam.sso import claiming, mail_domains, mapped
from apps.iam.sso.errors import SsoRefused
from apps.iam.sso.id_tokens import Assertion
from apps.iam.sso.models import SsoConnection, SsoLink
from apps.iam.standing import OWNERSHIP
from apps.tenancy.selectors import TenantView


def admit(*, tenant: TenantView, row: SsoConnection, said: Assertion, origin: Origin) -> User:
    """The person whom the provider means, a member of the tenant now; in the caller's transaction, in public scope.

    Raises:
        SsoRefused: see the rules above; `reason` names the one.
        PlanLimitReached: he is new and every seat is taken.
    """
    standing.take_turns(tenant.id)
    link = SsoLink.objects.filter(tenant_id=tenant.id, issuer=said.issuer, subject=said.subject).first()
    user = User.objects.get(pk=link.user_id) if link else _by_address(tenant, row, said)
    is_new = user is None
    if user is None:
        user = _create(tenant, row, said)
    if not mail_domains.speaks_for(tenant.id, user.email):
        raise _refused("foreign_domain")
    actor = Actor(
        ActorKind.USER,
        tenant_id=tenant.id,
        user_id=user.id,
        name=user.name,
        email=user.email,
        is_federated=True,
        origin=origin,
    )
    if is_new:
        _record(actor, "iam.user.provision", "user", user, after={"email": user.email, "by": "sso"})
    claiming.claim_unproved(user, actor)
    member = _member(tenant, row, user, said, actor)
    if link is None:
        link = SsoLink.objects.create(tenant_id=tenant.id, user=user, issuer=said.issuer, subject=said.subject)
        _record(
            actor,
            "iam.sso_link.create",
            "sso_link",
            link,
            after={"issuer": said.issuer, "subject": said.subject},
            severity=Severity.MEDIUM,
        )
    link.last_used_at = utcnow()
    link.save(update_fields=["last_used_at"])
    _follow_groups(row, member, said, actor)
    if not assigned.of_member(member).permissions <= set(row.editor_permissions):
        raise _refused("too_powerful")
    return user


def _by_address(tenant: TenantView, row: SsoConnection, said: Assertion) -> User | None:
    try:
        validate_email(said.email)
    except ValidationError as error:
        raise _refused("no_email") from error
    if not mail_domains.speaks_for(tenant.id, said.email):
        raise _refused("foreign_domain")
    if said.email_verified is False or (said.email_verified is None and not row.trusts_email):
        raise _refused("unverified_email")
    user = User.objects.filter(email=said.email).first()
    if user and SsoLink.objects.filter(tenant_id=tenant.id, issuer=said.issuer, user=user).exists():
        raise _refused("other_subject")
    return user


def _create(tenant: TenantView, row: SsoConnection, said: Assertion) -> User:
    if not row.admits_new:
        raise _refused("not_admitted")
    return User.objects.get_or_create(
        email=said.email,
        defaults={
            "first_name": said.given_name,
            "last_name": said.family_name,
            "locale": tenant.locale,
            "password": make_password(None),
            # Whoever proved the domain answers for its addresses.
            "email_verified_at": utcnow(),
        },
    )[0]


def _member(tenant: TenantView, row: SsoConnection, user: User, said: Assertion, actor: Actor) -> Membership:
    if not user.may_sign_in:
        raise _refused("banned")
    member = Membership.objects.select_related("user").filter(user=user, tenant_id=tenant.id).first()
    if member is not None:
        if member.status == MembershipStatus.REMOVED:
            raise _refused("removed")
        if not Membership.objects.filter(standing.may_enter(), pk=member.pk).exists():
            raise _refused("banned")
        return member
    if not row.admits_new:
        raise _refused("not_admitted")
    seats.require_free_seat(tenant.id)
    roles = _mapped_roles(row, said.claims) or mapped.one(row.tenant_id, row.default_role)
    member = Membership.objects.create(user=user, tenant_id=tenant.id, role=roles.builtin)
    assigned.assign(member, roles)
    _record(actor, "iam.membership.create", "membership", member, after={"roles": list(roles.names), "by": "sso"})
    assigned.tell_of_joining(member, user, roles)
    return member


def _follow_groups(row: SsoConnection, member: Membership, said: Assertion, actor: Actor) -> None:
    """Give the role of the provider's groups; owners keep theirs, and who is in no named group gets the default one."""
    before = assigned.of_member(member)
    if not (row.group_claim and row.group_roles) or OWNERSHIP in before.permissions:
        return
    roles = _mapped_roles(row, said.claims) or mapped.one(row.tenant_id, row.default_role)
    if roles.names == before.names:
        return
    assigned.change(actor, member, before, roles, by="sso")


def _mapped_roles(row: SsoConnection, claims: dict[str, Any]) -> Assigned | None:
    """What the token's groups mean together, if any of them has a role."""
    told = claims.get(row.group_claim) if row.group_claim else None
    groups = [told] if isinstance(told, str) else told if isinstance(told, list) else []
    words = [row.group_roles[group] for group in groups if isinstance(group, str) and group in row.group_roles]
    return mapped.together(row.tenant_id, words) if words else None


def _refused(reason: str) -> SsoRefused:
    details = {
        "no_email": _("Your organisation’s sign-in told no e-mail address."),
        "unverified_email": _("Your organisation’s sign-in has not verified your e-mail address."),
        "foreign_domain": _("Your organisation may not vouch for this e-mail address here."),
        "other_subject": _("This address belongs to another account of your organisation. Ask an administrator."),
        "not_admitted": _("You are no member of this workspace. Ask for an invitation."),
        "removed": _("You were removed from this workspace. Ask for an invitation."),
        "banned": _("You are kept out of this workspace."),
        "too_powerful": _("Sign in with your password: this connection may not let in somebody with your rights."),
    }
    return SsoRefused(details[reason], reason=reason)


def _record(
    actor: Actor,
    action: str,
    kind: str,
    row: User | Membership | SsoLink,
    *,
    after: dict[str, Any],
    severity: Severity = Severity.INFO,
) -> None:
    audit.record(
        actor=actor,
        action=action,
        entity_type=kind,
        entity_id=row.pk,
        entity_label=actor.email,
        after=after,
        severity=severity,
    )
