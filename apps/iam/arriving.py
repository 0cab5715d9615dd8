"""Becoming a member by signing up: the owner of a new workspace, or a member of the only one."""

from django.utils.translation import gettext as _

from apps.core.actor import Actor
from apps.core.errors import ValidationFailed
from apps.iam import seats, standing
from apps.iam.errors import NotAMember
from apps.iam.models import Membership, MembershipStatus, Role, User
from apps.tenancy import rollout
from apps.tenancy import selectors as tenancy_selectors
from apps.tenancy import services as tenancy
from apps.tenancy.default_workspace import default_workspace
from apps.tenancy.errors import TenantNotAvailable
from apps.tenancy.selectors import TenantStatus, TenantView


def join_by_sign_up(user: User, actor: Actor, *, tenant_name: str) -> tuple[TenantView, Membership, bool]:
    """The tenant, the membership in it, and whether that is new; in the caller's transaction, in public scope.

    Raises:
        ValidationFailed: many workspaces are served and the new one has no name.
        NameTaken: another tenant has this name.
        NotAMember: the person was banned from the only workspace.
        TenantNotAvailable: the only workspace is suspended, or its preparation failed.
        PlanLimitReached: every seat of the only workspace is taken.
    """
    if rollout.is_single():
        return _join_the_one(user)
    if not tenant_name.strip():
        raise ValidationFailed.one("tenant_name", "required", _("Name your organisation."))
    tenant = tenancy.create_tenant(actor=actor, name=tenant_name, locale=user.locale)
    return tenant, Membership.objects.create(user=user, tenant_id=tenant.id, role=Role.OWNER), True


def _join_the_one(user: User) -> tuple[TenantView, Membership, bool]:
    tenant = default_workspace()
    if tenant.status not in (TenantStatus.ACTIVE, TenantStatus.PROVISIONING):
        raise TenantNotAvailable("This workspace does not take new members at the moment.")
    standing.take_turns(tenant.id)
    membership = Membership.objects.select_for_update().filter(user=user, tenant_id=tenant.id).first()
    if membership is not None and membership.status == MembershipStatus.BANNED:
        raise NotAMember
    is_new = membership is None or membership.status == MembershipStatus.REMOVED
    if is_new:
        seats.require_free_seat(tenant.id)
    if membership is None:
        membership = Membership.objects.create(user=user, tenant_id=tenant.id, role=Role.MEMBER)
    elif is_new:
        membership.role, membership.status = Role.MEMBER, MembershipStatus.ACTIVE
        membership.save(update_fields=["role", "status", "updated_at"])
    return tenancy_selectors.tenant_by_id(tenant.id), membership, is_new
