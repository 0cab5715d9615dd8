"""Browsers sign in, are handed over between hosts, and sign out."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from apps.audit.models import AuditEntry
from apps.core import ids
from apps.core.clock import utcnow
from apps.iam import services
from apps.iam.browser import HANDOFF_COOKIE
from apps.iam.models import Membership, SessionHandoff, TokenFamily, User
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, operator, person
from tests.fixtures.clients import BrowserFor
from tests.fixtures.tenants import NewTenant
from tests.iam.handover import land
from tests.iam.threads import at_once

SECRET = "the-browsers-own-secret"


def _credentials(email: str = "owner@acme.test", **more: str) -> dict[str, str]:
    return {"email": email, "password": PASSWORD, **more}


@pytest.fixture
def platform() -> Client:
    """A browser on the platform's host."""
    return Client(SERVER_NAME=settings.PLATFORM_HOST)


def _key(client: Client) -> str:
    value: str = client.cookies[settings.SESSION_COOKIE_NAME].value
    return value


# -- on the tenant's host -------------------------------------------------------------------------------------------


def test_a_member_signs_in_and_out(acme: TenantView) -> None:
    client = Client(SERVER_NAME=acme.host)

    answer = client.post("/sign-in/", _credentials())
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.get("/").status_code == 200

    out = client.post("/sign-out/")
    assert out["Location"] == "/sign-in/"
    assert client.get("/").status_code == 302


def test_the_cookie_is_http_only_same_site_and_of_this_host(acme: TenantView, browser_client: BrowserFor) -> None:
    cookie = browser_client(acme).cookies[settings.SESSION_COOKIE_NAME]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["domain"] == ""
    assert cookie["max-age"] == 1800


def test_signing_in_changes_the_session_key(acme: TenantView) -> None:
    client = Client(SERVER_NAME=acme.host)
    client.cookies[settings.SESSION_COOKIE_NAME] = "0123456789abcdef0123456789abcdef"

    client.post("/sign-in/", _credentials())
    first = _key(client)
    client.post("/sign-in/", _credentials())

    assert first != "0123456789abcdef0123456789abcdef"
    assert _key(client) != first
    assert not Session.objects.filter(session_key=first).exists()


def test_an_old_session_is_dead_after_sign_out(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)
    old = _key(client)
    client.post("/sign-out/")

    thief = Client(SERVER_NAME=acme.host)
    thief.cookies[settings.SESSION_COOKIE_NAME] = old
    assert thief.get("/").status_code == 302


def test_signing_out_needs_post_and_the_csrf_token(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)
    client.handler.enforce_csrf_checks = True

    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").status_code == 403
    assert client.get("/").status_code == 200


def test_signing_in_needs_the_csrf_token(acme: TenantView) -> None:
    client = Client(SERVER_NAME=acme.host, enforce_csrf_checks=True)

    assert client.post("/sign-in/", _credentials()).status_code == 403


@pytest.mark.parametrize("wrong", [{"password": "Wrong-pass-1"}, {"email": "nobody@acme.test"}])
def test_wrong_credentials_stay_on_the_form(acme: TenantView, wrong: dict[str, str]) -> None:
    answer = Client(SERVER_NAME=acme.host).post("/sign-in/", {**_credentials(), **wrong})

    page = answer.content.decode()
    assert answer.status_code == 401
    assert "E-mail or password is wrong." in page
    assert f'value="{wrong.get("email", "owner@acme.test")}"' in page
    assert PASSWORD not in page
    assert AuditEntry.objects.filter(action="iam.session.refuse").exists()


def test_a_person_of_another_workspace_is_told_only_with_the_right_password(
    acme: TenantView, globex: TenantView
) -> None:
    client = Client(SERVER_NAME=acme.host)

    assert client.post("/sign-in/", _credentials("owner@globex.test")).status_code == 403
    assert client.post("/sign-in/", _credentials("owner@globex.test") | {"password": "x"}).status_code == 401


def test_a_session_of_one_tenant_is_nobodys_on_anothers_host(
    acme: TenantView, globex: TenantView, browser_client: BrowserFor
) -> None:
    _, email = person(acme)
    person(globex, email=email)
    at_acme = Client(SERVER_NAME=acme.host)
    at_acme.post("/sign-in/", _credentials(email))

    at_globex = Client(SERVER_NAME=globex.host)
    at_globex.cookies[settings.SESSION_COOKIE_NAME] = _key(at_acme)

    assert at_globex.get("/")["Location"] == "/sign-in/?next=%2F"


def test_signed_out_pages_lead_to_sign_in_and_back(acme: TenantView) -> None:
    client = Client(SERVER_NAME=acme.host)
    sent = client.get("/?tab=open&q=a%20b")
    page = client.get(sent["Location"])

    assert sent["Location"] == "/sign-in/?next=%2F%3Ftab%3Dopen%26q%3Da%2520b"
    assert 'name="next" value="/?tab=open&amp;q=a%20b"' in page.content.decode()
    answer = client.post("/sign-in/", _credentials(next="/?tab=open&q=a%20b"))
    assert answer["Location"] == "/?tab=open&q=a%20b"


OPEN_REDIRECTS = [
    "https://evil.test/",
    "//evil.test/",
    "///evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "javascript:alert(1)",
    "http:evil.test",
    "/\x00//evil.test",
    " //evil.test",
    "/" + "x" * 600,
]


@pytest.mark.parametrize("wanted", OPEN_REDIRECTS)
def test_no_open_redirect_after_signing_in(acme: TenantView, platform: Client, wanted: str) -> None:
    here = Client(SERVER_NAME=acme.host).post("/sign-in/", _credentials(next=wanted))
    there = platform.post("/sign-in/", _credentials(next=wanted))
    landed = land(there["Location"], platform, Client(SERVER_NAME=acme.host))

    assert here["Location"] == "/"
    assert landed["Location"] == "/"


def test_who_is_signed_in_needs_no_form(acme: TenantView, browser_client: BrowserFor) -> None:
    assert browser_client(acme).get("/sign-in/?next=/x/")["Location"] == "/x/"


def test_sign_out_everywhere_ends_browsers_too(acme: TenantView, browser_client: BrowserFor, api: Any) -> None:
    browser = browser_client(acme, "MEMBER")

    api(acme, "MEMBER").post("/api/v1/auth/signout-all")

    assert browser.get("/").status_code == 302


def test_a_removed_member_is_out_at_once(acme: TenantView) -> None:
    user_id, email = person(acme)
    client = Client(SERVER_NAME=acme.host)
    client.post("/sign-in/", _credentials(email))

    Membership.objects.filter(user_id=user_id).update(status="REMOVED")

    assert client.get("/").status_code == 302


def test_a_session_in_use_is_kept_alive_at_most_once_a_minute(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)
    assert settings.SESSION_COOKIE_NAME not in client.get("/").cookies

    TokenFamily.objects.update(last_seen_at=utcnow() - timedelta(minutes=2))
    Session.objects.update(expire_date=utcnow() + timedelta(minutes=5))
    renewed = client.get("/")

    assert renewed.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == 1800
    assert Session.objects.get(session_key=_key(client)).expire_date > utcnow() + timedelta(minutes=29)
    assert TokenFamily.objects.order_by("-pk")[0].last_seen_at > utcnow() - timedelta(minutes=1)


def test_an_unused_session_ends(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)

    Session.objects.update(expire_date=utcnow() - timedelta(seconds=1))

    assert client.get("/").status_code == 302


def test_pages_of_signing_in_are_never_cached(acme: TenantView) -> None:
    assert "no-store" in Client(SERVER_NAME=acme.host).get("/sign-in/")["Cache-Control"]


def test_an_htmx_request_of_a_signed_out_browser_is_redirected_as_a_whole(acme: TenantView) -> None:
    answer = Client(SERVER_NAME=acme.host).get("/", HTTP_HX_REQUEST="true")

    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/sign-in/?next=%2F")


# -- from the platform's host ---------------------------------------------------------------------------------------


def test_with_one_workspace_the_password_is_the_only_step(acme: TenantView, platform: Client) -> None:
    answer = platform.post("/sign-in/", _credentials(next="/clients/"))

    target = answer["Location"]
    assert target.startswith("http://acme.localhost/sign-in/handoff/begin/?")
    client = Client(SERVER_NAME=acme.host)
    landed = land(target, platform, client)
    assert landed["Location"] == "/clients/"
    assert client.get("/").status_code == 200


def test_with_several_workspaces_one_is_picked(acme: TenantView, globex: TenantView, platform: Client) -> None:
    _, email = person(acme)
    person(globex, email=email)

    step = platform.post("/sign-in/", _credentials(email))
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
    platform.post("/sign-in/", _credentials(email))
    chosen = platform.post("/sign-in/workspace/", {"workspace": acme.key})
    land(chosen["Location"], platform, Client(SERVER_NAME=acme.host))

    assert platform.post("/sign-in/workspace/", {"workspace": acme.key})["Location"] == "/sign-in/?next=%2F"


def test_the_choice_is_limited_to_ones_own_workspaces(acme: TenantView, globex: TenantView, platform: Client) -> None:
    platform.post("/sign-in/", _credentials(operator()))
    _, email = person(acme)
    person(acme, email=email)
    other = _third_workspace(email)
    platform.post("/sign-in/", _credentials(email))

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

    answer = platform.post("/sign-in/", _credentials(email))

    assert answer.status_code == 403
    assert "no active workspace" in answer.content.decode()


def test_an_operator_goes_to_the_admin(acme: TenantView, platform: Client) -> None:
    answer = platform.post("/sign-in/", _credentials(operator()))

    assert answer["Location"] == "/admin/"
    assert platform.get("/admin/").status_code == 200
    platform.post("/sign-out/")
    assert platform.get("/admin/").status_code == 302


def test_switching_asks_for_no_password(acme: TenantView, globex: TenantView) -> None:
    _, email = person(acme)
    person(globex, email=email)
    client = Client(SERVER_NAME=acme.host)
    client.post("/sign-in/", _credentials(email))

    answer = client.post("/workspaces/switch/", {"workspace": globex.key})

    assert answer["Location"].startswith("http://globex.localhost/sign-in/handoff/begin/?")
    there = Client(SERVER_NAME=globex.host)
    assert land(answer["Location"], client, there)["Location"] == "/"
    assert there.get("/").status_code == 200
    assert client.post("/workspaces/switch/", {"workspace": "zzzzzzzz"}).status_code == 403
    assert Client(SERVER_NAME=acme.host).post("/workspaces/switch/", {"workspace": globex.key}).status_code == 302


# -- the handoff ----------------------------------------------------------------------------------------------------


def _handoff(tenant: TenantView, email: str = "owner@acme.test") -> str:
    digest = ids.token_digest(SECRET)
    return services.hand_off(user_id=User.objects.get(email=email).id, tenant=tenant.key, browser=digest)[1]


def _holder(tenant: TenantView, client: Client | None = None) -> Client:
    """The browser that began the handover."""
    client = client or Client(SERVER_NAME=tenant.host)
    client.cookies[HANDOFF_COOKIE] = SECRET
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
    victim.cookies[HANDOFF_COOKIE] = "another-secret"
    assert victim.get("/sign-in/handoff/", {"token": _handoff(acme)}).status_code == 400
    assert victim.get("/").status_code == 302


def test_a_token_without_a_browser_is_nobodys(acme: TenantView) -> None:
    user_id = User.objects.get(email="owner@acme.test").id
    _, token = services.hand_off(user_id=user_id, tenant=acme.key, browser="")

    assert Client(SERVER_NAME=acme.host).get("/sign-in/handoff/", {"token": token}).status_code == 400


def test_the_secret_stays_on_the_tenants_host(acme: TenantView) -> None:
    answer = Client(SERVER_NAME=acme.host).get("/sign-in/handoff/begin/", {"from": "-", "next": "/clients/"})
    cookie = answer.cookies[HANDOFF_COOKIE]

    assert (cookie["httponly"], cookie["samesite"], cookie["domain"]) == (True, "Lax", "")
    assert cookie["path"] == "/sign-in/handoff/"
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
    begun = platform.post("/sign-in/", _credentials(email))["Location"]
    User.objects.filter(email=email).update(password_changed_at=utcnow())
    issue = Client(SERVER_NAME=acme.host).get(begun.removeprefix("http://acme.localhost"))["Location"]

    assert platform.get(issue.removeprefix("http://localhost")).status_code == 401
