"""What somebody may do counts at the moment of writing, not at the moment when his request began."""

from collections.abc import Callable

import pytest

from apps.core.actor import Actor
from apps.core.errors import PermissionRefused
from apps.iam import invitations, mfa_policy
from apps.iam.models import Membership, Role
from apps.iam.scim import tokens
from apps.iam.sso import mail_domains
from apps.tenancy.selectors import TenantView
from tests.fixtures.tenants import actor_of
from tests.iam.second_factors import enrol

Write = Callable[[], object]


def _policy(actor: Actor, tenant: TenantView) -> Write:
    assert actor.user_id is not None
    enrol(tenant, actor.user_id, actor.email)
    return lambda: mfa_policy.change(actor=actor, required=True)


def _new_domain(actor: Actor, tenant: TenantView) -> Write:
    return lambda: mail_domains.add_domain(actor=actor, domain="acme-mail.example.com")


def _old_domain(actor: Actor, tenant: TenantView) -> Write:
    known = mail_domains.add_domain(actor=actor, domain="acme-mail.example.com")
    return lambda: mail_domains.remove_domain(actor=actor, domain_id=known.id)


def _token(actor: Actor, tenant: TenantView) -> Write:
    made, _secret = tokens.create_token(actor=actor, name="Directory")
    return lambda: tokens.revoke_token(actor=actor, token_id=made.id)


def _invitation(actor: Actor, tenant: TenantView) -> Write:
    sent = invitations.invite(actor=actor, email="new@acme.test", role="VIEWER")
    return lambda: invitations.revoke_invitation(actor=actor, invitation_id=sent.id)


@pytest.mark.parametrize("prepare", [_policy, _new_domain, _old_domain, _token, _invitation])
def test_who_was_demoted_meanwhile_writes_nothing(
    acme: TenantView, prepare: Callable[[Actor, TenantView], Write]
) -> None:
    actor = actor_of(acme)
    write = prepare(actor, acme)
    Membership.objects.filter(tenant_id=acme.id, user_id=actor.user_id).update(role=Role.VIEWER)

    with pytest.raises(PermissionRefused):
        write()
