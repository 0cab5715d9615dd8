"""One's own account: profile, password, devices, organisations; the same by API."""

from django.test import Client
from rest_framework.test import APIClient

from apps.iam import services
from apps.iam.devices import device_of
from apps.iam.models import Membership, User
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, person
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.fixtures.tenants import actor_of

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_profile(acme: TenantView, browser_client: BrowserFor) -> None:
    client = browser_client(acme)
    answer = client.post("/account/", {"first_name": "Olga", "last_name": "Owner", "locale": "de"})

    assert answer.cookies["django_language"].value == "de"
    assert User.objects.get(email="owner@acme.test").name == "Olga Owner"
    assert client.post("/account/", {"first_name": "", "last_name": "", "locale": "xx"}).status_code == 400


def test_the_password(acme: TenantView, browser_client: BrowserFor) -> None:
    client, other = browser_client(acme), browser_client(acme)
    wrong = client.post("/account/security/", {"current_password": "Wrong-pass-1", "new_password": "Fresh-pass-22"})
    assert (wrong.status_code, "not your present password" in wrong.content.decode()) == (400, True)

    right = client.post("/account/security/", {"current_password": PASSWORD, "new_password": "Fresh-pass-22"})
    assert right.status_code == 302
    assert client.get("/account/security/").status_code == 200
    assert other.get("/").status_code == 302


def test_devices_by_page(acme: TenantView, browser_client: BrowserFor) -> None:
    client, other, third = (browser_client(acme) for _ in range(3))
    page = client.get("/account/security/").content.decode()
    assert page.count("This device") == 1

    families = services.list_devices(actor=actor_of(acme), current=None)
    assert len(families) == 3
    client.post(f"/account/security/sessions/{families[0].id}/end/")
    assert third.get("/").status_code == 302
    client.post("/account/security/sessions/end-others/")
    assert (client.get("/").status_code, other.get("/").status_code) == (200, 302)


def test_signing_out_everywhere_spares_the_sign_in_after_it(acme: TenantView, browser_client: BrowserFor) -> None:
    client, other = browser_client(acme), browser_client(acme)
    client.post("/account/security/sign-out-everywhere/")
    fresh = browser_client(acme)

    assert [c.get("/").status_code for c in (client, other, fresh)] == [302, 302, 200]


def test_devices_by_api(acme: TenantView, api: ApiFor, anonymous_api: APIClient) -> None:
    client, other = api(acme, "VIEWER"), api(acme, "VIEWER")
    found = client.get("/api/v1/me/sessions").json()["data"]
    assert [session["is_current"] for session in found] == [True, False]
    assert (found[0]["channel"], found[0]["tenant"]) == ("API", acme.name)

    stranger = api(acme)
    assert stranger.delete(f"/api/v1/me/sessions/{found[1]['id']}").status_code == 404
    assert client.delete(f"/api/v1/me/sessions/{found[1]['id']}").status_code == 204
    assert other.get("/api/v1/me").status_code == 401
    third = api(acme, "VIEWER")
    assert client.delete("/api/v1/me/sessions").status_code == 204
    assert (third.get("/api/v1/me").status_code, client.get("/api/v1/me").status_code) == (401, 200)


def test_organisations_invitations_and_leaving(acme: TenantView, globex: TenantView) -> None:
    user_id, email = person(acme)
    services.invite(actor=actor_of(globex), email=email)
    client = Client(SERVER_NAME=acme.host)
    client.post("/sign-in/", {"email": email, "password": PASSWORD})

    assert globex.name in client.get("/account/organisations/").content.decode()
    (waiting,) = services.invitations_to(user_id=user_id)
    client.post(f"/account/organisations/invitations/{waiting.id}/accept/")
    assert Membership.objects.get(user_id=user_id, tenant_id=globex.id).status == "ACTIVE"
    assert client.post("/account/organisations/leave/").status_code == 302
    assert Membership.objects.get(user_id=user_id, tenant_id=acme.id).status == "REMOVED"
    assert client.get("/").status_code == 302


def test_devices_have_short_names() -> None:
    assert device_of(FIREFOX, "BROWSER") == "Firefox on Linux"
    assert device_of("curl/8.5.0", "API") == "curl"
    assert device_of("", "API") == "A program"
