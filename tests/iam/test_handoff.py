"""Browsers sign in on the platform's host and are handed over to their workspace's."""

import pytest
from django.conf import settings
from django.test import Client

from apps.core import ids
from apps.core.clock import utcnow
from apps.iam import services
from apps.iam.models import Membership, SessionHandoff, TokenFamily, User
from apps.iam.proofs import Proof
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, operator, person
from tests.fixtures.clients import BrowserFor
from tests.fixtures.tenants import NewTenant
from tests.iam.handover import credentials, land
from tests.iam.threads import at_once

SECRET = "the-browsers-own-secret"


def test_with_one_workspace_the_password_is_the_only_step(acme: TenantView, platform: Client) -> None:
    answer = platform.post("/sign-in/", credentials(next="/clients/"))

    target = answer["Location"]
    assert target.startswith("http://acme.localhost/sign-in/handoff/begin/?")
    client = Client(SERVER_NAME=acme.host)
    landed = land(target, platform, client)
    assert landed["Location"] == "/clients/"
    assert client.get("/").status_code == 200


def test_with_several_workspaces_one_is_picked(acme: TenantView, globex: TenantView, platform: Client) -> None:
    _, email = person(acme)
    person(globex, email=email)

    step = platform.post("/sign-in/", credentials(email))
    page = platform.get(step["Location"]).content.decode()
    answer = platform.post(step["Location"], {"workspace": globex.key, "next": "/"})

    assert step["Location"].startswith("/sign-in/workspace/")
    assert acme.name in page
    assert globex.name in page
    assert answer["Location"].startswith("http://globex.localhost/sign-in/handoff/begin/?")


def test_the_choice_needs_the_password_first_and_ends_with_it(
    acme: TenantView, globex: TenantView, platform: Client
) -> None:
    assert platform.post("/sign-in/workspace/", {"workspace": acme.key})["Location"] == "/sign-in/?next=%2F"

    _, email = person(acme)
    person(globex, email=email)
    platform.post("/sign-in/", credentials(email))
    chosen = platform.post("/sign-in/workspace/", {"workspace": acme.key})
    land(chosen["Location"], platform, Client(SERVER_NAME=acme.host))

    assert platform.post("/sign-in/workspace/", {"workspace": acme.key})["Location"] == "/sign-in/?next=%2F"


def test_the_choice_is_limited_to_ones_own_workspaces(acme: TenantView, globex: TenantView, platform: Client) -> None:
    platform.post("/sign-in/", credentials(operator()))
    _, email = person(acme)
    person(acme, email=email)
    other = _third_workspace(email)
    platform.post("/sign-in/", credentials(email))

    answer = platform.post("/sign-in/workspace/", {"workspace": globex.key})

    assert answer.status_code == 403
    assert "not a member" in answer.content.decode()
    assert platform.post("/sign-in/workspace/", {"workspace": "platform"}).status_code == 403
    assert platform.post("/sign-in/workspace/", {"workspace": other}).status_code == 302


def _third_workspace(email: str) -> str:
    tenant = Tenant.objects.create(name="Third", slug="third", status="ACTIVE")
    services.ensure_member(email=email, password=PASSWORD, tenant_id=tenant.id, role="MEMBER")
    return tenant.key


def test_without_any_workspace_the_form_says_so(acme: TenantView, platform: Client) -> None:
    user_id, email = person(acme)
    Membership.objects.filter(user_id=user_id).delete()

    answer = platform.post("/sign-in/", credentials(email))

    assert answer.status_code == 403
    assert "no active workspace" in answer.content.decode()


def test_an_operator_goes_to_the_admin(acme: TenantView, platform: Client) -> None:
    answer = platform.post("/sign-in/", credentials(operator()))

    assert answer["Location"] == "/admin/"
    assert platform.get("/admin/").status_code == 200
    platform.post("/sign-out/")
    assert platform.get("/admin/").status_code == 302


def test_switching_asks_for_no_password(acme: TenantView, globex: TenantView) -> None:
    _, email = person(acme)
    person(globex, email=email)
    client = Client(SERVER_NAME=acme.host)
    client.post("/sign-in/", credentials(email))

    answer = client.post("/workspaces/switch/", {"workspace": globex.key})

    assert answer["Location"].startswith("http://globex.localhost/sign-in/handoff/begin/?")
    there = Client(SERVER_NAME=globex.host)
    assert land(answer["Location"], client, there)["Location"] == "/"
    assert there.get("/").status_code == 200
    assert client.post("/workspaces/switch/", {"workspace": "zzzzzzzz"}).status_code == 403
    assert Client(SERVER_NAME=acme.host).post("/workspaces/switch/", {"workspace": globex.key}).status_code == 302


def _handoff(tenant: TenantView, email: str = "owner@acme.test") -> str:
    digest = ids.token_digest(SECRET)
    user_id, proof = User.objects.get(email=email).id, Proof.given(("pwd",), utcnow())
    return services.hand_off(user_id=user_id, tenant=tenant.key, browser=digest, proof=proof)[1]


def _holder(tenant: TenantView, client: Client | None = None) -> Client:
    """The browser that began the handover."""
    client = client or Client(SERVER_NAME=tenant.host)
    client.cookies[settings.HANDOFF_COOKIE_NAME] = SECRET
    return client


def test_a_handoff_works_once(acme: TenantView) -> None:
    token = _handoff(acme)

    first = _holder(acme).get("/sign-in/handoff/", {"token": token})
    second = _holder(acme).get("/sign-in/handoff/", {"token": token})

    assert first.status_code == 302
    assert second.status_code == 400
    assert "was used or has expired" in second.content.decode()


def test_a_handoff_of_another_tenant_is_worthless_and_stays_good_for_its_own(
    acme: TenantView, globex: TenantView
) -> None:
    token = _handoff(acme)

    assert _holder(globex).get("/sign-in/handoff/", {"token": token}).status_code == 400
    assert _holder(acme).get("/sign-in/handoff/", {"token": token}).status_code == 302


def test_a_handoff_lives_a_minute(acme: TenantView) -> None:
    token = _handoff(acme)
    SessionHandoff.objects.update(expires_at=utcnow())

    assert _holder(acme).get("/sign-in/handoff/", {"token": token}).status_code == 400
    assert SessionHandoff.objects.order_by("-pk")[0].digest != token


@pytest.mark.parametrize("token", ["", "x", "\x00", "é" * 300])
def test_rubbish_is_no_handoff(acme: TenantView, token: str) -> None:
    assert _holder(acme).get("/sign-in/handoff/", {"token": token}).status_code == 400


def test_of_eight_browsers_with_one_handoff_one_gets_in(committed: NewTenant) -> None:
    tenant = committed("Eight Browsers")
    token = _handoff(tenant, f"owner@{tenant.slug}.test")

    answers = at_once(8, lambda _: _holder(tenant).get("/sign-in/handoff/", {"token": token}).status_code)

    assert sorted(answers) == [302] + [400] * 7


def test_a_handoff_replaces_the_session_that_was_there(acme: TenantView, browser_client: BrowserFor) -> None:
    client = _holder(acme, browser_client(acme, "VIEWER"))
    before = TokenFamily.objects.order_by("-pk")[0]

    client.get("/sign-in/handoff/", {"token": _handoff(acme)})

    before.refresh_from_db()
    assert before.revoked_reason == "signout"
    assert TokenFamily.objects.order_by("-pk")[0].user.email == "owner@acme.test"


def test_a_link_is_worthless_in_another_browser(acme: TenantView) -> None:
    victim = Client(SERVER_NAME=acme.host)
    assert victim.get("/sign-in/handoff/", {"token": _handoff(acme)}).status_code == 400
    victim.cookies[settings.HANDOFF_COOKIE_NAME] = "another-secret"
    assert victim.get("/sign-in/handoff/", {"token": _handoff(acme)}).status_code == 400
    assert victim.get("/").status_code == 302


def test_a_token_without_a_browser_is_nobodys(acme: TenantView) -> None:
    user_id = User.objects.get(email="owner@acme.test").id
    _, token = services.hand_off(user_id=user_id, tenant=acme.key, browser="", proof=Proof.given(("pwd",), utcnow()))

    assert Client(SERVER_NAME=acme.host).get("/sign-in/handoff/", {"token": token}).status_code == 400


def test_the_secret_stays_on_the_tenants_host(acme: TenantView) -> None:
    answer = Client(SERVER_NAME=acme.host).get("/sign-in/handoff/begin/", {"from": "-", "next": "/clients/"})
    cookie = answer.cookies[settings.HANDOFF_COOKIE_NAME]

    assert (cookie["httponly"], cookie["samesite"], cookie["domain"]) == (True, "Lax", "")
    assert cookie["path"] == "/"  # which browsers want of a cookie that is named __Host-
    assert answer["Location"].startswith("http://localhost/sign-in/handoff/issue/?")
    assert cookie.value not in answer["Location"]
    assert ids.token_digest(cookie.value) in answer["Location"]


@pytest.mark.parametrize("giver", ["", "zzzzzzzz", "http://evil.test", "//evil.test"])
def test_a_handover_begins_only_with_hosts_of_ours(acme: TenantView, giver: str) -> None:
    answer = Client(SERVER_NAME=acme.host).get("/sign-in/handoff/begin/", {"from": giver})

    assert answer["Location"] == "/sign-in/"


def test_the_platform_hands_over_only_whom_it_knows(acme: TenantView, platform: Client) -> None:
    answer = platform.get("/sign-in/handoff/issue/", {"tenant": acme.key, "browser": "x"})

    assert answer["Location"] == "/sign-in/"


def test_a_password_that_was_changed_since_hands_nobody_over(acme: TenantView, platform: Client) -> None:
    _, email = person(acme)
    begun = platform.post("/sign-in/", credentials(email))["Location"]
    User.objects.filter(email=email).update(password_changed_at=utcnow())
    issue = Client(SERVER_NAME=acme.host).get(begun.removeprefix("http://acme.localhost"))["Location"]

    assert platform.get(issue.removeprefix("http://localhost")).status_code == 401
