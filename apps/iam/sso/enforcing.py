"""Where a tenant wants its own sign-in, and how far that sign-in reaches.

Of people with addresses of the tenant's proved domains a required connection takes no password; owners keep theirs, so
that a broken provider locks nobody out. What a provider vouched for reaches its tenant and nothing else.
"""

from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.actor import Actor
from apps.iam import assigned
from apps.iam.models import Membership, TokenFamily, User
from apps.iam.proofs import FEDERATED
from apps.iam.sso import mail_domains
from apps.iam.sso.errors import FederatedSession, SsoRequired
from apps.iam.sso.models import SsoConnection
from apps.iam.standing import OWNERSHIP
from apps.tenancy.selectors import TenantView


def require_allowed_methods(user: User, tenant: TenantView, methods: Iterable[str]) -> None:
    """Check that the tenant takes a sign-in of this member by `methods`; in public scope.

    Raises:
        SsoRequired: it wants its own sign-in.
    """
    if FEDERATED in methods or not SsoConnection.objects.filter(tenant_id=tenant.id, is_required=True).exists():
        return
    if not mail_domains.speaks_for(tenant.id, user.email):
        return
    member = Membership.objects.filter(tenant_id=tenant.id, user=user).first()
    if member is not None and OWNERSHIP in assigned.of_member(member).permissions:
        return
    raise SsoRequired(
        _("%(workspace)s asks you to sign in through your organisation.") % {"workspace": tenant.name},
        sso_url=start_url(tenant),
    )


def require_own_sign_in(who: Actor) -> None:
    """Check that the actor signed in himself, for what reaches beyond his tenant: his account, his other workspaces.

    Raises:
        FederatedSession: the tenant's provider vouched for him.
    """
    if who.is_federated:
        raise FederatedSession


def start_url(tenant: TenantView) -> str:
    """Where the tenant's own sign-in begins."""
    return f"{tenant.home_url}{reverse('iam:sso-start', urlconf=settings.TENANT_URLCONF)}"


def federated_families(tenant_id: UUID) -> list[UUID]:
    """The living sign-ins for which the tenant's provider vouched."""
    rows = TokenFamily.objects.filter(tenant_id=tenant_id, revoked_at=None, methods__contains=[FEDERATED])
    return list(rows.values_list("pk", flat=True))


def overtaken_families(tenant_id: UUID) -> list[UUID]:
    """The living sign-ins that a required connection would not have taken."""
    domains = mail_domains.verified_domains(tenant_id)
    members = Membership.objects.filter(tenant_id=tenant_id).select_related("user").prefetch_related("custom_roles")
    bound = [
        member.user_id
        for member in members
        if mail_domains.domain_of(member.user.email) in domains
        and OWNERSHIP not in assigned.of_member(member).permissions
    ]
    rows = TokenFamily.objects.filter(tenant_id=tenant_id, revoked_at=None, user_id__in=bound)
    return list(rows.exclude(methods__contains=[FEDERATED]).values_list("pk", flat=True))
