"""The database itself keeps grants, groups, entries and invitations within one tenant."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, models, transaction

from apps.core.clock import utcnow
from apps.iam.models import Invitation, Membership
from apps.iam.role_models import CustomRole, RoleGrant
from apps.iam.scim.models import DirectoryEntry, DirectoryGroup, GroupPlace
from apps.tenancy.selectors import TenantView


class Rows:
    """A member, a role and a group of one tenant."""

    def __init__(self, tenant: TenantView) -> None:
        self.tenant_id = tenant.id
        self.member = Membership.objects.get(tenant_id=tenant.id, role="MEMBER")
        self.role = CustomRole.objects.create(tenant_id=tenant.id, name="Clerk", permissions=["clients:read"])
        self.group = DirectoryGroup.objects.create(tenant_id=tenant.id, display_name="Clerks")


def _invitation(own: Rows, role: CustomRole) -> Invitation:
    now = utcnow()
    return Invitation(
        tenant_id=own.tenant_id,
        email="new@acme.test",
        role="",
        custom_role=role,
        digest="d",
        created_at=now,
        expires_at=now + timedelta(hours=72),
    )


CASES: dict[str, Callable[[Rows, Rows], models.Model]] = {
    "role": lambda own, other: RoleGrant(tenant_id=own.tenant_id, membership=own.member, role=other.role),
    "holder": lambda own, other: RoleGrant(tenant_id=own.tenant_id, membership=other.member, role=own.role),
    "place": lambda own, other: GroupPlace(tenant_id=own.tenant_id, group=own.group, membership=other.member),
    "group": lambda own, other: GroupPlace(tenant_id=own.tenant_id, group=other.group, membership=own.member),
    "entry": lambda own, other: DirectoryEntry(tenant_id=own.tenant_id, membership=other.member),
    "invitation": lambda own, other: _invitation(own, other.role),
}


@pytest.mark.parametrize("build", CASES.values(), ids=CASES.keys())
def test_nothing_refers_to_another_tenants(
    acme: TenantView, globex: TenantView, build: Callable[[Rows, Rows], models.Model]
) -> None:
    own, other = Rows(acme), Rows(globex)

    with transaction.atomic():
        build(own, own).save(force_insert=True)
        connection.check_constraints()
        transaction.set_rollback(True)
    with pytest.raises(IntegrityError, match="of_tenant"), transaction.atomic():
        build(own, other).save(force_insert=True)
        connection.check_constraints()
