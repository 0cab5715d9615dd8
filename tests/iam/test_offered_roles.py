"""Roles that wait for people to come hold no more than could be given; mails take turns with those who answer them."""

from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.errors import PermissionRefused
from apps.iam import services
from apps.iam.models import Membership
from apps.iam.scim.models import DirectoryGroup
from apps.iam.sso.models import SsoConnection
from apps.tenancy.selectors import TenantView
from tests.fixtures.tenants import actor_of

GOVERNS = ["members:read", "members:write", "roles:write", "clients:read"]


@pytest.mark.parametrize("waits", ["invitation", "group", "connection"])
def test_a_role_that_waits_is_not_made_as_high_as_who_made_it(acme: TenantView, waits: str) -> None:
    owner, viewer = actor_of(acme), Membership.objects.get(tenant_id=acme.id, user__email="viewer@acme.test")
    services.create_role(actor=owner, name="Governor", permissions=GOVERNS)
    services.change_roles(actor=owner, membership_id=viewer.id, roles=["Governor"])
    governor = actor_of(acme, "VIEWER")
    bait = UUID(services.create_role(actor=governor, name="Bait", permissions=["clients:read"]).id)
    if waits == "invitation":
        services.invite(actor=governor, email="friend@bait.test", role="Bait")
    elif waits == "group":
        DirectoryGroup.objects.create(tenant_id=acme.id, display_name="Friends", role=str(bait))
    else:
        SsoConnection.objects.create(tenant_id=acme.id, group_claim="groups", group_roles={"friends": str(bait)})

    with pytest.raises(PermissionRefused):
        services.update_role(actor=governor, role_id=bait, permissions=GOVERNS)
    wider = services.update_role(actor=governor, role_id=bait, permissions=["clients:read", "members:read"])
    assert wider.permissions == {"clients:read", "members:read"}
    assert services.update_role(actor=owner, role_id=bait, permissions=GOVERNS).permissions == set(GOVERNS)


def test_a_resent_invitation_takes_its_turn_before_the_row(acme: TenantView) -> None:
    """As accepting, inviting and deleting a role do; the other way round they would wait for each other."""
    row = services.invite(actor=actor_of(acme), email="guest@resent.test")
    with CaptureQueriesContext(connection) as asked:
        services.resend_invitation(actor=actor_of(acme), invitation_id=row.id)

    locks = [query["sql"] for query in asked if "FOR NO KEY UPDATE" in query["sql"] or "FOR UPDATE" in query["sql"]]
    assert ["tenancy_tenant" in lock for lock in locks] == [True, False]
