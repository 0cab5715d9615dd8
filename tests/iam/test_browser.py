"""Browsers sign in on their workspace's host, and sign out."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from apps.audit.models import AuditEntry
from apps.core.clock import utcnow
from apps.iam.models import Membership, TokenFamily
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, person
from tests.fixtures.clients import BrowserFor
from tests.iam.handover import credentials, land


def _key(client: Client) -> str:
    value: str = client.cookies[settings.SESSION_COOKIE_NAME].value
    return value


def test_a_member_signs_in_and_out(acme: TenantView) -> None:
    client = Client(SERVER_NAME=acme.host)

    answer = client.post("/sign-in/", credentials())
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

    client.post("/sign-in/", credentials())
    first = _key(client)
    client.post("/sign-in/", credentials())

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

    assert client.post("/sign-in/", credentials()).status_code == 403


@pytest.mark.parametrize("wrong", [{"password": "Wrong-pass-1"}, {"email": "nobody@acme.test"}])
def test_wrong_credentials_stay_on_the_form(acme: TenantView, wrong: dict[str, str]) -> None:
    answer = Client(SERVER_NAME=acme.host).post("/sign-in/", {**credentials(), **wrong})

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

    assert client.post("/sign-in/", credentials("owner@globex.test")).status_code == 403
    assert client.post("/sign-in/", credentials("owner@globex.test") | {"password": "x"}).status_code == 401


def test_a_session_of_one_tenant_is_nobodys_on_anothers_host(
    acme: TenantView, globex: TenantView, browser_client: BrowserFor
) -> None:
    _, email = person(acme)
    person(globex, email=email)
    at_acme = Client(SERVER_NAME=acme.host)
    at_acme.post("/sign-in/", credentials(email))

    at_globex = Client(SERVER_NAME=globex.host)
    at_globex.cookies[settings.SESSION_COOKIE_NAME] = _key(at_acme)

    assert at_globex.get("/")["Location"] == "/sign-in/?next=%2F"


def test_signed_out_pages_lead_to_sign_in_and_back(acme: TenantView) -> None:
    client = Client(SERVER_NAME=acme.host)
    sent = client.get("/?tab=open&q=a%20b")
    page = client.get(sent["Location"])

    assert sent["Location"] == "/sign-in/?next=%2F%3Ftab%3Dopen%26q%3Da%2520b"
    assert 'name="next" value="/?tab=open&amp;q=a%20b"' in page.content.decode()
    answer = client.post("/sign-in/", credentials(next="/?tab=open&q=a%20b"))
    assert answer["Location"] == "/?tab=open&q=a%20b"


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://{host}/settings/danger/?a=1", "/settings/danger/?a=1"),
        ("http://{host}", "/"),
        ("https://evil.test/settings/danger/", "/"),
        ("http://[", "/"),
        ("", "/"),
    ],
)
def test_an_old_tab_leads_back_to_its_page_and_not_to_what_it_sent(acme: TenantView, referer: str, back: str) -> None:
    client, headers = Client(SERVER_NAME=acme.host), {"Referer": referer.format(host=acme.host), "Host": acme.host}
    wanted = f"/sign-in/?{urlencode({'next': back})}"

    sent = client.post("/settings/danger/delete/", {"name": "Acme"}, headers=headers)
    piece = client.get("/notifications/bell/", headers={**headers, "HX-Request": "true"})

    assert (sent["Location"], piece["HX-Redirect"]) == (wanted, wanted)
    boosted = client.get("/clients/", headers={**headers, "HX-Request": "true", "HX-Boosted": "true"})
    assert boosted["HX-Redirect"] == "/sign-in/?next=%2Fclients%2F"


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
    here = Client(SERVER_NAME=acme.host).post("/sign-in/", credentials(next=wanted))
    there = platform.post("/sign-in/", credentials(next=wanted))
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
    client.post("/sign-in/", credentials(email))

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
