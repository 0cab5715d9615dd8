"""Signing in through a workspace's own provider: who comes in, as whom, and how far."""

from contextlib import nullcontext

import pytest
from django.test import Client

from apps.audit.models import AuditEntry
from apps.core.actor import Origin
from apps.core.clock import utcnow
from apps.core.errors import IllegalState
from apps.core.tenants import public_scope
from apps.iam import api_keys, entering, selectors
from apps.iam import services as iam
from apps.iam.api_key_models import ApiKey
from apps.iam.models import Channel, Membership, TokenFamily, User
from apps.iam.proofs import Proof
from apps.iam.sso import connections, mail_domains
from apps.iam.sso.errors import FederatedSession
from apps.iam.sso.models import MailDomain, MailDomainState, SsoConnection, SsoLink
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, person
from tests.fixtures.clients import BrowserFor
from tests.fixtures.tenants import actor_of
from tests.iam import federated, idp
from tests.iam.federated import reason


def living(tenant: TenantView, email: str) -> list[TokenFamily]:
    return list(TokenFamily.objects.filter(tenant_id=tenant.id, user__email=email, revoked_at=None))


def test_a_member_comes_in(acme, provider, visitor):
    answer = federated.go(visitor, "/sign-in/sso/?next=/clients/")
    assert (answer.status_code, answer["Location"]) == (302, "/clients/")
    assert visitor.get("/clients/").status_code == 200
    (family,) = living(acme, f"member@{acme.slug}.test")
    assert family.methods == ["fed"] and family.strong_at is None
    link = SsoLink.objects.get(tenant_id=acme.id)
    assert (link.subject, link.user.email) == ("subject-1", f"member@{acme.slug}.test")


def test_the_subject_decides_and_no_longer_the_address(acme, provider, visitor):
    federated.go(visitor)
    provider.claims = {"email": f"viewer@{acme.slug}.test"}
    federated.go(visitor)
    assert len(living(acme, f"viewer@{acme.slug}.test")) == 0
    assert len(living(acme, f"member@{acme.slug}.test")) == 1


def test_another_subject_with_the_same_address_is_refused(acme, provider, visitor):
    federated.go(visitor)
    provider.claims = {"sub": "subject-2"}
    assert reason(federated.go(Client(SERVER_NAME=acme.host))) == "other_subject"


def test_somebody_new_joins_in_the_default_role(acme, provider, visitor):
    provider.person["email"] = f"New@{acme.slug}.test"
    assert federated.go(visitor).status_code == 302
    user = User.objects.get(email=f"new@{acme.slug}.test")
    assert (user.name, user.has_usable_password(), user.email_verified_at is not None) == ("Ada B", False, True)
    assert Membership.objects.get(user=user).role == "MEMBER"
    actions = set(AuditEntry.objects.filter(actor_id=user.id).values_list("action", flat=True))
    assert {"iam.user.provision", "iam.membership.create", "iam.sso_link.create", "iam.session.start"} <= actions


def test_nobody_new_joins_where_that_is_switched_off(acme, provider, visitor):
    connections.save_connection(actor=actor_of(acme), values={"admits_new": False})
    provider.person["email"] = f"new@{acme.slug}.test"
    assert reason(federated.go(visitor)) == "not_admitted"
    assert not User.objects.filter(email=f"new@{acme.slug}.test").exists()


def test_seats_are_respected(acme, provider, visitor, settings):
    settings.SEATS_PER_WORKSPACE = 1
    provider.person["email"] = f"new@{acme.slug}.test"
    assert federated.go(visitor).status_code == 402
    assert not User.objects.filter(email=f"new@{acme.slug}.test").exists()


@pytest.mark.parametrize("email", ["owner@globex.test", "member@sub.acme.test", "member@acme.test.evil.test", "nobody"])
def test_a_provider_speaks_for_no_other_domain(acme, globex, provider, visitor, email):
    provider.person["email"] = email
    assert reason(federated.go(visitor)) in ("foreign_domain", "no_email")


def test_a_linked_person_whose_domain_was_lost_stays_out(acme, provider, visitor):
    federated.go(visitor)
    MailDomain.objects.filter(tenant_id=acme.id).update(state=MailDomainState.LOST)
    assert reason(federated.go(visitor)) == "foreign_domain"


@pytest.mark.parametrize("verified", [False, None, "no"])
def test_an_address_must_be_verified(acme, provider, visitor, verified):
    provider.person["email_verified"] = verified
    assert reason(federated.go(visitor)) == "unverified_email"


def test_a_provider_that_is_trusted_may_be_silent_about_it_but_not_deny_it(acme, provider, visitor):
    connections.save_connection(actor=actor_of(acme), values={"trusts_email": True})
    provider.person["email_verified"] = None
    assert federated.go(visitor).status_code == 302
    provider.person |= {"sub": "other", "email": f"viewer@{acme.slug}.test", "email_verified": False}
    assert reason(federated.go(visitor)) == "unverified_email"


def test_who_was_removed_or_banned_stays_out(acme, provider, visitor):
    _, email = person(acme)
    member = Membership.objects.get(user__email=email)
    provider.person["email"] = email
    iam.ban_member(actor=actor_of(acme), membership_id=member.id)
    assert reason(federated.go(visitor)) == "banned"
    iam.remove_member(actor=actor_of(acme), membership_id=member.id)
    assert reason(federated.go(visitor)) == "removed"


def test_an_administrators_provider_cannot_vouch_for_the_owner(acme, provider, visitor):
    connections.save_connection(actor=actor_of(acme, "ADMIN"), values={"client_secret": idp.CLIENT_SECRET})
    provider.person["email"] = f"owner@{acme.slug}.test"
    assert reason(federated.go(visitor)) == "too_powerful"
    assert not SsoLink.objects.filter(tenant_id=acme.id).exists()
    provider.person["email"] = f"admin@{acme.slug}.test"
    assert federated.go(visitor).status_code == 302


def test_groups_give_roles_and_take_them(acme, provider, visitor):
    connections.save_connection(
        actor=actor_of(acme), values={"group_claim": "groups", "group_roles": {"books": "ACCOUNTANT", "it": "ADMIN"}}
    )
    member = Membership.objects.get(tenant_id=acme.id, user__email=f"member@{acme.slug}.test")
    for groups, role in ((["books", "x"], "ACCOUNTANT"), (["books", "it"], "ADMIN"), ([7, None], "MEMBER")):
        provider.claims = {"groups": groups}
        assert federated.go(visitor).status_code == 302
        member.refresh_from_db()
        assert member.role == role


def test_a_factor_that_the_provider_asked_for_counts(acme, provider, visitor):
    provider.claims = {"amr": ["pwd", "mfa"]}
    federated.go(visitor)
    (family,) = living(acme, f"member@{acme.slug}.test")
    assert family.methods == ["fed", "mfa"] and family.strong_at is not None


def test_an_address_may_come_from_userinfo(acme, provider, visitor):
    provider.claims = {"email": None, "email_verified": None}
    provider.userinfo = {"sub": "subject-1", "email": f"member@{acme.slug}.test", "email_verified": True}
    assert federated.go(visitor).status_code == 302
    provider.claims |= {"sub": "subject-9"}
    assert reason(federated.go(visitor)) == "other_subject"


def test_an_account_that_was_never_verified_is_claimed(acme, provider, visitor, anonymous_api):
    email = f"squatted@{acme.slug}.test"
    squatter = {"email": email, "password": PASSWORD, "first_name": "E", "last_name": "V", "tenant_name": "Squat House"}
    assert anonymous_api.post("/api/v1/auth/signup", squatter).status_code == 201
    owner = Membership.objects.get(user__email=email)
    actor = selectors.actor_for_member(owner.user_id, owner.tenant_id, Origin())
    made = api_keys.create_api_key(actor=actor, name="Back door", scopes=["clients:read"])
    provider.person["email"] = email
    assert federated.go(visitor).status_code == 302
    user = User.objects.get(email=email)
    assert (user.has_usable_password(), user.email_verified_at is not None) == (False, True)
    assert ApiKey.objects.get(pk=made.key.pk).revoked_at is not None
    assert visitor.get("/clients/").status_code == 200


# -- how far it reaches ---------------------------------------------------------------------------------------------


def test_other_workspaces_of_the_person_are_out_of_reach(acme, globex, provider, visitor):
    email = f"member@{acme.slug}.test"
    iam.ensure_member(email=email, password=PASSWORD, tenant_id=globex.id, role="MEMBER")
    federated.go(visitor)
    switched = visitor.post("/workspaces/switch/", {"workspace": globex.key})
    given = visitor.get("/workspaces/handoff/", {"tenant": globex.key, "visitor": "x" * 64})
    assert (switched.status_code, given.status_code) == (403, 403)
    assert globex.name not in visitor.get("/account/organisations/").content.decode()
    assert visitor.post("/account/security/sign-out-everywhere/").status_code == 403
    assert visitor.post("/account/", {"first_name": "Not", "last_name": "Him", "locale": "en"}).status_code == 403
    words = {"current_password": PASSWORD, "new_password": "another-long-one-7"}
    assert visitor.post("/account/security/", words).status_code == 403
    assert Client(SERVER_NAME=globex.host, cookies=visitor.cookies).get("/clients/").status_code == 302


def test_what_a_provider_said_is_no_proof_elsewhere(globex):
    user = User.objects.get(email=f"member@{globex.slug}.test")
    for methods, is_refused in ((("fed", "mfa"), True), (("fed", "pwd"), False)):
        proof = Proof(methods, utcnow(), None)
        with pytest.raises(FederatedSession) if is_refused else nullcontext(), public_scope():
            entering.start(user, globex, Channel.BROWSER, Origin(), proof=proof)


def test_a_domain_that_is_given_up_takes_its_sessions_along(acme, provider, visitor):
    federated.go(visitor)
    assert visitor.get("/clients/").status_code == 200
    domain = MailDomain.objects.get(tenant_id=acme.id)
    mail_domains.remove_domain(actor=actor_of(acme), domain_id=domain.id)
    assert visitor.get("/clients/").status_code == 302


def test_only_what_the_person_showed_himself_goes_along(globex):
    user, now = User.objects.get(email=f"member@{globex.slug}.test"), utcnow()
    for methods, kept, is_strong in (
        (("fed", "mfa", "pwd"), ("pwd",), False),
        (("fed", "mfa", "pwd", "otp"), ("mfa", "pwd", "otp"), True),
    ):
        with public_scope():
            found = entering.start(user, globex, Channel.BROWSER, Origin(), proof=Proof(methods, now, now))
        assert (found.methods, found.strong_at is not None) == (kept, is_strong)


def test_a_provider_of_one_workspace_means_nothing_to_another(acme, globex, provider):
    stranger = Client(SERVER_NAME=globex.host)
    assert stranger.get("/sign-in/sso/")["Location"] == "/sign-in/"
    there = Client(SERVER_NAME=acme.host).get("/sign-in/sso/")
    assert federated.back(stranger, there["Location"]).status_code == 400


def test_a_required_sign_in_takes_no_password_but_an_owners(
    acme, provider, visitor, browser_client: BrowserFor, anonymous_api
):
    viewer, owner = browser_client(acme, "VIEWER"), browser_client(acme, "OWNER")
    guest = person(acme, email="guest@elsewhere.test")[1]
    connections.test_connection(actor=actor_of(acme))
    connections.save_connection(actor=actor_of(acme), values={"is_required": True})
    assert viewer.get("/clients/").status_code == 302, "signed out at once"
    assert owner.get("/clients/").status_code == 200
    refused = visitor.post("/sign-in/", {"email": f"viewer@{acme.slug}.test", "password": PASSWORD})
    assert refused.status_code == 403 and b"/sign-in/sso/" in refused.content
    body = {"email": f"viewer@{acme.slug}.test", "password": PASSWORD, "tenant": acme.key}
    problem = anonymous_api.post("/api/v1/auth/signin", body).json()
    assert problem["code"] == "sso_required" and problem["sso_url"].endswith("/sign-in/sso/")
    wrong = visitor.post("/sign-in/", {"email": f"viewer@{acme.slug}.test", "password": "Wrong-password-1"})
    assert wrong.status_code == 401
    for email in (guest, f"owner@{acme.slug}.test"):
        assert visitor.post("/sign-in/", {"email": email, "password": PASSWORD}).status_code == 302
    assert federated.go(Client(SERVER_NAME=acme.host)).status_code == 302


def test_switching_it_off_ends_what_it_vouched_for(acme, provider, visitor):
    federated.go(visitor)
    connections.save_connection(actor=actor_of(acme), values={"is_enabled": False})
    assert living(acme, f"member@{acme.slug}.test") == []
    assert visitor.get("/sign-in/sso/")["Location"] == "/sign-in/"


def test_the_platform_finds_the_entrance_by_the_domain_alone(acme, provider, platform):
    known, unknown = (platform.post("/sign-in/organisation/", {"email": f"{who}@acme.test"}) for who in ("member", "x"))
    assert known["Refresh"].partition("?")[0] == unknown["Refresh"].partition("?")[0]
    assert acme.host in known["Refresh"]
    assert "Refresh" not in platform.post("/sign-in/organisation/", {"email": "member@elsewhere.test"})


# -- what is written down -------------------------------------------------------------------------------------------


def test_the_secret_is_sealed_and_in_no_trail(acme, provider, visitor):
    row = SsoConnection.objects.get(tenant_id=acme.id)
    assert idp.CLIENT_SECRET not in row.client_secret and connections.secret_of(row) == idp.CLIENT_SECRET
    assert idp.CLIENT_SECRET not in str(list(AuditEntry.objects.filter(tenant_id=acme.id).values("before", "after")))


def test_a_refusal_is_written_down(acme, provider, visitor):
    provider.claims = {"nonce": "x"}
    federated.go(visitor)
    entry = AuditEntry.objects.filter(tenant_id=acme.id, action="iam.sso.refuse").latest("id")
    assert entry.after["reason"] == "wrong_nonce"


def test_nobody_requires_what_was_not_tested(acme, provider):
    with pytest.raises(IllegalState):
        connections.save_connection(actor=actor_of(acme), values={"is_required": True})
