"""Dangerous actions ask for a proof of the last ten minutes, with the second factor of who has one."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import Client
from rest_framework.test import APIClient

from apps.core.clock import utcnow
from apps.iam.api_key_models import ApiKey
from apps.iam.models import TokenFamily, User
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.iam.second_factors import Enrolled, enrol

CONFIRM = "/api/v1/auth/confirm"


def _age(**columns: Any) -> None:
    long_ago = utcnow() - timedelta(minutes=11)
    TokenFamily.objects.filter(user__email="owner@acme.test").update(proved_at=long_ago, **columns)


def _owner(acme: TenantView) -> Enrolled:
    return enrol(acme, User.objects.get(email="owner@acme.test").id, "owner@acme.test")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("delete", "tenant"),
        ("post", "tenant/exports"),
        ("post", "me/mfa/totp"),
        ("post", "me/mfa/recovery-codes"),
        ("post", "me/mfa/passkeys/begin"),
        ("post", "members/01900000-0000-7000-8000-000000000000/transfer-ownership"),
    ],
)
def test_programs_are_told_to_confirm(acme: TenantView, api: ApiFor, method: str, path: str) -> None:
    client = api(acme)
    _age()

    answer = getattr(client, method)(f"/api/v1/{path}")

    body = answer.json()
    assert (answer.status_code, body["code"], body["max_age"]) == (403, "step_up_required", 600)
    assert body["methods"] == ["pwd"]


def test_a_password_confirms_who_has_no_more(acme: TenantView, api: ApiFor) -> None:
    client: APIClient = api(acme)
    _age()

    assert client.post(CONFIRM, {"password": "Wrong-pass-1"}).json()["errors"][0]["field"] == "password"
    assert client.post(CONFIRM, {"password": PASSWORD}).status_code == 204
    assert client.post("/api/v1/me/mfa/totp").status_code == 201


def test_who_has_a_second_factor_shows_it(acme: TenantView, api: ApiFor) -> None:
    client, owner = api(acme), _owner(acme)

    asked = client.post("/api/v1/me/mfa/recovery-codes").json()
    assert (asked["code"], asked["methods"]) == ("step_up_required", ["pwd", "otp", "recovery_code"])
    for wrong in ({}, {"otp": "000000"}):
        assert client.post(CONFIRM, {"password": PASSWORD, **wrong}).json()["errors"][0]["field"] == "code"
    assert client.post(CONFIRM, {"password": PASSWORD, "otp": owner.code()}).status_code == 204
    renewed = client.post("/api/v1/me/mfa/recovery-codes")
    assert len(renewed.json()["recovery_codes"]) == 10
    assert not set(renewed.json()["recovery_codes"]) & set(owner.recovery_codes)


def test_wrong_guesses_lock_and_stay_counted(acme: TenantView, api: ApiFor) -> None:
    client = api(acme)
    codes = [client.post(CONFIRM, {"password": "Wrong-pass-1"}).json()["code"] for _ in range(6)]

    assert codes == ["validation_failed"] * 5 + ["account_locked"]


def test_the_token_says_how_it_was_made(acme: TenantView, api: ApiFor, anonymous_api: APIClient) -> None:
    owner = _owner(acme)
    body = {"email": owner.email, "password": PASSWORD, "tenant": acme.key, "otp": owner.code()}
    access = anonymous_api.post("/api/v1/auth/signin", body).json()["access"]

    claims = jwt.decode(access, options={"verify_signature": False})
    assert claims["amr"] == ["pwd", "otp", "mfa"]
    assert claims["auth_time"] == int(claims["iat"])


def test_pages_lead_to_the_confirm_page_and_back(acme: TenantView, browser_client: BrowserFor) -> None:
    client: Client = browser_client(acme)
    _age()

    asked = client.get("/account/two-step/app/")
    assert asked["Location"] == "/account/confirm/?next=%2Faccount%2Ftwo-step%2Fapp%2F"
    assert client.post(asked["Location"], {"password": "Wrong-pass-1"}).status_code == 400
    done = client.post("/account/confirm/", {"password": PASSWORD, "next": "/account/two-step/app/"})
    assert done["Location"] == "/account/two-step/app/"
    page = client.get("/account/two-step/app/")
    assert (page.status_code, "no-store" in page["Cache-Control"]) == (200, True)


def test_what_the_next_page_tells_stays_on_this_host(
    acme: TenantView, browser_client: BrowserFor, settings: Any
) -> None:
    settings.MESSAGES_COOKIE_NAME = "__Host-messages"
    client = browser_client(acme)

    told = client.post("/account/confirm/", {"password": PASSWORD, "next": "/account/two-step/"})

    cookie = told.cookies["__Host-messages"]
    assert (cookie["path"], cookie["domain"], cookie["httponly"], "messages" in told.cookies) == ("/", "", True, False)
    page = client.get(told["Location"])
    assert "Thank you. You can go on now." in page.content.decode()
    assert (page.cookies["__Host-messages"].value, page.cookies["__Host-messages"]["secure"]) == ("", True)


def test_a_form_leads_back_to_its_page(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)
    _age()
    page = f"http://{acme.host}/settings/danger/"

    answer = client.post("/settings/danger/delete/", {}, HTTP_REFERER=page, HTTP_HOST=acme.host)
    assert answer["Location"] == "/account/confirm/?next=%2Fsettings%2Fdanger%2F"
    foreign = client.post("/settings/danger/delete/", {}, HTTP_REFERER="https://evil.example/x", HTTP_HOST=acme.host)
    assert foreign["Location"] == "/account/confirm/?next=%2F"


def _kept(client: Client, path: str, typed: dict[str, Any]) -> Any:
    _age()
    asked = client.post(path, typed)
    (wanted,) = parse_qs(urlsplit(asked["Location"]).query)["next"]
    assert wanted.startswith("/account/confirm/resend/?form=")
    return client.get(client.post(asked["Location"], {"password": PASSWORD, "next": wanted})["Location"])


def _sendable(page: Any) -> str:
    """What the page's button sends, save files."""
    sent = QueryDict(mutable=True)
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.content.decode()):
        sent.appendlist(name, unescape(value))
    return str(sent.urlencode())


def test_what_was_typed_is_sent_by_a_click_and_never_before(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)
    typed = {"name": "Shop & Co", "lives": "90", "scopes": ["clients:read", "clients:write"]}

    page = _kept(client, "/settings/api-keys/new/", typed)
    assert "Shop &amp; Co" in page.content.decode()
    assert not ApiKey.objects.exists()
    action, form = page.context["kept"].action, "application/x-www-form-urlencoded"
    assert client.post(action, _sendable(page), form).status_code == 200
    assert (ApiKey.objects.get().name, ApiKey.objects.get().scopes) == (typed["name"], typed["scopes"])


def test_secrets_and_what_is_too_much_are_not_kept(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)

    page = _kept(client, "/settings/danger/delete/", {"name": "Acme", "password": PASSWORD}).content.decode()
    assert PASSWORD not in page
    assert re.search(r'<input [^>]*type="password" name="password" autocomplete="current-password" required', page)
    held = client.session["iam_kept_form"]
    (form_id,) = held
    assert "Acme" not in held[form_id]
    for other, kept in ((client, True), (browser_client(acme), False)):
        session = other.session
        session["iam_kept_form"] = held
        session.save()
        page = other.get("/account/confirm/resend/", {"form": form_id}).content.decode()
        assert ("Acme" in page.partition("<h1>")[2]) is kept
    _age()
    settings_page = _kept(client, "/settings/sso/", {"name": "Acme ID", "client_secret": "s3cret"}).content.decode()
    assert "s3cret" not in settings_page and 'type="password" name="client_secret"' in settings_page
    left_empty = _kept(client, "/settings/sso/", {"name": "Acme ID", "client_secret": ""})
    assert 'type="password"' not in left_empty.content.decode()
    _age()
    asked = client.post("/settings/api-keys/new/", {"name": "x" * 20_001})
    assert asked["Location"] == "/account/confirm/?next=%2F"


def test_what_htmx_sent_is_kept_as_well(acme: TenantView, browser_client: BrowserFor) -> None:
    client, page = browser_client(acme), f"http://{acme.host}/settings/api-keys/new/"
    _age()

    asked = client.post(
        "/settings/api-keys/new/",
        {"name": "By htmx", "lives": "90", "scopes": "clients:read"},
        headers={"HX-Request": "true", "Referer": page, "Host": acme.host},
    )
    assert asked.status_code == 401
    (wanted,) = parse_qs(urlsplit(asked["HX-Redirect"]).query)["next"]
    client.post("/account/confirm/", {"password": PASSWORD, "next": wanted})
    kept = client.get(wanted)
    assert kept.context["kept"].back_to == "/settings/api-keys/new/"
    client.post(kept.context["kept"].action, _sendable(kept), "application/x-www-form-urlencoded")
    assert ApiKey.objects.get().name == "By htmx"


def test_a_file_is_to_be_chosen_again_and_the_rest_is_kept(acme: TenantView, browser_client: BrowserFor) -> None:
    client, said = browser_client(acme), "Files are not kept."
    files = {"logo": SimpleUploadedFile('<b>"logo".png', b"-"), "papers": [SimpleUploadedFile(n, b"-") for n in "ab"]}

    page = _kept(client, "/settings/api-keys/new/", {"name": "With a file", **files})

    text = page.content.decode()
    assert "With a file" in text and text.count(said) == 2
    assert 'enctype="multipart/form-data"' in text and "&lt;b&gt;&quot;logo&quot;.png" in text
    assert re.findall(r'type="file" name="(\w+)"( multiple)? required', text) == [("logo", ""), ("papers", " multiple")]
    alone = _kept(client, "/settings/api-keys/new/", {"logo": SimpleUploadedFile("alone.png", b"-")})
    assert "alone.png" in alone.content.decode()


def test_each_tab_finds_its_own(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)

    pages = [_kept(client, "/settings/api-keys/new/", {"name": f"Tab {number}"}) for number in range(4)]

    again = [client.get(page.request["PATH_INFO"], {"form": page.wsgi_request.GET["form"]}) for page in pages]
    found = [page.context["kept"] and page.context["kept"].typed for page in again]
    assert found == [None, ["Tab 1"], ["Tab 2"], ["Tab 3"]]


def test_removing_the_last_factor_takes_the_strength_of_every_sign_in(acme: TenantView, api: ApiFor) -> None:
    client, owner = api(acme), _owner(acme)
    client.post(CONFIRM, {"password": PASSWORD, "otp": owner.code()})

    assert client.delete("/api/v1/me/mfa/totp").status_code == 204
    assert set(TokenFamily.objects.filter(user_id=owner.id).values_list("strong_at", flat=True)) == {None}
    assert client.get("/api/v1/me/mfa").json()["recovery_codes_left"] == 0
