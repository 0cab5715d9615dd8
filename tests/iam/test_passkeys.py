"""Passkeys: added, used as second factor and instead of a password, and what is refused."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.core.actor import Origin
from apps.iam import factors, passkeys, proving
from apps.iam.errors import PasskeyRefused
from apps.iam.factor_models import Passkey
from apps.iam.models import TokenFamily
from apps.tenancy.selectors import TenantView
from tests.fixtures.clients import ApiFor, BrowserFor
from tests.iam.authenticator import USER_PRESENT, Authenticator
from tests.iam.handover import credentials
from tests.iam.second_factors import with_passkey


def _shown(device: Authenticator, user_id: UUID | None, begun: dict[str, Any] | None = None) -> proving.Shown:
    begun = begun or passkeys.begin_proof(user_id=user_id, bound_to="here", host=device.origin)
    return proving.check_passkey(
        ceremony=UUID(begun["ceremony"]),
        bound_to="here",
        credential=device.get(begun["options"]),
        user_id=user_id,
        origin=Origin(),
    )


def test_a_passkey_is_more_than_one_factor(acme: TenantView) -> None:
    user_id, _, device = with_passkey(acme)

    assert _shown(device, user_id) == proving.Shown(user_id, ("hwk", "mfa"))
    assert _shown(device, None).user_id == user_id
    assert factors.of(user_id).methods == ("passkey", "recovery_code")
    assert Passkey.objects.get(user_id=user_id).sign_count == 2


def test_a_challenge_is_good_once(acme: TenantView) -> None:
    user_id, _, device = with_passkey(acme)
    begun = passkeys.begin_proof(user_id=user_id, bound_to="here", host=device.origin)
    _shown(device, user_id, begun)

    with pytest.raises(PasskeyRefused):
        _shown(device, user_id, begun)


def test_a_refused_answer_uses_the_challenge_up(acme: TenantView) -> None:
    user_id, _, device = with_passkey(acme)
    begun = passkeys.begin_proof(user_id=user_id, bound_to="here", host=device.origin)
    with pytest.raises(PasskeyRefused):
        _shown(Authenticator(credential_id=device.credential_id), user_id, begun)

    with pytest.raises(PasskeyRefused):
        _shown(device, user_id, begun)


def test_a_challenge_is_bound_to_its_browser(acme: TenantView) -> None:
    user_id, _, device = with_passkey(acme)
    elsewhere = passkeys.begin_proof(user_id=user_id, bound_to="elsewhere", host=device.origin)

    with pytest.raises(PasskeyRefused):
        _shown(device, user_id, elsewhere)


@pytest.mark.parametrize(
    "broken",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost.evil.example"},
        {"origin": "https://localhost"},
        {"rp_id": "evil.example"},
        {"flags": USER_PRESENT},
        {"sign_count": -1},
        {"user_handle": "c29tZWJvZHkgZWxzZQ"},
    ],
)
def test_an_answer_that_does_not_hold_is_refused(acme: TenantView, broken: dict[str, Any]) -> None:
    user_id, _, device = with_passkey(acme)
    _shown(device, user_id)
    for name, value in broken.items():
        setattr(device, name, value)

    with pytest.raises(PasskeyRefused):
        _shown(device, user_id)


def test_somebody_elses_passkey_proves_nothing(acme: TenantView) -> None:
    user_id, _, _ = with_passkey(acme)
    _, _, others = with_passkey(acme)

    with pytest.raises(PasskeyRefused):
        _shown(others, user_id)


@pytest.mark.parametrize("rubbish", [{}, {"id": "x"}, {"id": 1, "response": {"clientDataJSON": "e30"}}])
def test_rubbish_is_refused(acme: TenantView, rubbish: dict[str, Any]) -> None:
    begun = passkeys.begin_proof(user_id=None, bound_to="here", host="localhost")

    with pytest.raises(PasskeyRefused):
        proving.check_passkey(ceremony=UUID(begun["ceremony"]), bound_to="here", credential=rubbish, origin=Origin())


def _answered(client: Client, device: Authenticator) -> dict[str, str]:
    begun = client.post("/passkeys/begin/").json()
    device.origin = f"http://{client.defaults['SERVER_NAME']}"
    return {"ceremony": begun["ceremony"], "credential": json.dumps(device.get(begun["options"]))}


def test_pages_sign_in_without_a_password(acme: TenantView, platform: Client) -> None:
    user_id, _, device = with_passkey(acme)
    client = Client(SERVER_NAME=acme.host)

    answer = client.post("/sign-in/passkey/", _answered(client, device) | {"next": "/clients/"})

    assert answer["Location"] == "/clients/"
    assert client.get("/clients/").status_code == 200
    assert TokenFamily.objects.get(user_id=user_id).methods == ["hwk", "mfa"]
    landed = platform.post("/sign-in/passkey/", _answered(platform, device))
    assert landed["Location"].startswith("http://acme.localhost/sign-in/handoff/begin/")


def test_pages_take_it_as_the_second_step(acme: TenantView) -> None:
    user_id, email, device = with_passkey(acme)
    client = Client(SERVER_NAME=acme.host)
    step = client.post("/sign-in/", credentials(email))["Location"]

    assert client.post(step, {"ceremony": uuid4(), "credential": "{}"}).status_code == 401
    assert client.post(step, _answered(client, device))["Location"] == "/"
    assert TokenFamily.objects.get(user_id=user_id).methods == ["pwd", "hwk", "mfa"]


def test_one_browsers_challenge_is_worthless_in_another(acme: TenantView) -> None:
    _, _, device = with_passkey(acme)
    client, other = Client(SERVER_NAME=acme.host), Client(SERVER_NAME=acme.host)

    assert other.post("/sign-in/passkey/", _answered(client, device)).status_code == 401


def test_pages_add_rename_and_remove(acme: TenantView, browser_client: BrowserFor) -> None:
    client, device = browser_client(acme, "VIEWER"), Authenticator(origin=f"http://{acme.host}")
    begun = client.post("/account/two-step/passkeys/begin/").json()
    made = {"ceremony": begun["ceremony"], "credential": json.dumps(device.create(begun["options"]))}

    added = client.post("/account/two-step/passkeys/", made | {"name": "My key"})

    assert len(added.context["codes"]) == 10
    (row,) = Passkey.objects.all()
    client.post(f"/account/two-step/passkeys/{row.id}/rename/", {"name": "Blue key"})
    assert b"Blue key" in client.get("/account/two-step/").content
    client.post(f"/account/two-step/passkeys/{row.id}/remove/")
    assert not factors.has_any(row.user_id)
    assert factors.of(row.user_id).recovery_codes_left == 0


def test_programs_add_list_rename_remove_and_confirm(acme: TenantView, api: ApiFor) -> None:
    client, device = api(acme, "VIEWER"), Authenticator()
    begun = client.post("/api/v1/me/mfa/passkeys/begin").json()
    body = {"ceremony": begun["ceremony"], "credential": device.create(begun["options"]), "name": "Robot"}

    made = client.post("/api/v1/me/mfa/passkeys", body, format="json")

    assert (made.status_code, made["Cache-Control"], len(made.json()["recovery_codes"])) == (201, "no-store", 10)
    assert client.post("/api/v1/me/mfa/passkeys", body, format="json").json()["code"] == "passkey_refused"
    path = f"/api/v1/me/mfa/passkeys/{made.json()['id']}"
    assert client.patch(path, {"name": "Droid"}).json()["name"] == "Droid"
    assert [row["name"] for row in client.get("/api/v1/me/mfa/passkeys").json()["data"]] == ["Droid"]
    begun = client.post("/api/v1/auth/confirm/passkey").json()
    proof = {"ceremony": begun["ceremony"], "credential": device.get(begun["options"])}
    assert client.post("/api/v1/auth/confirm", {"passkey": proof}, format="json").status_code == 204
    assert client.delete(path).status_code == 204
    assert client.get("/api/v1/me/mfa").json()["methods"] == []


def test_nobody_touches_anothers_passkey(acme: TenantView, api: ApiFor) -> None:
    user_id, _, _ = with_passkey(acme)
    path = f"/api/v1/me/mfa/passkeys/{Passkey.objects.get(user_id=user_id).id}"
    client: APIClient = api(acme, "OWNER")

    assert client.patch(path, {"name": "Mine"}).status_code == 404
    assert client.delete(path).status_code == 404


def test_one_passkey_serves_the_platform_and_every_sub_domain(acme: TenantView, settings: Any) -> None:
    settings.PLATFORM_HOST = "insula.example"
    user_id, _, device = with_passkey(acme, origin="http://insula.example")

    for host in ("acme.insula.example", "globex.insula.example:8000", "insula.example"):
        begun = passkeys.begin_proof(user_id=user_id, bound_to="here", host=host)
        assert begun["options"]["rpId"] == "insula.example"
    device.origin = "http://acme.insula.example"
    assert _shown(device, user_id).user_id == user_id
    device.origin = "http://insula.example.evil.test"
    with pytest.raises(PasskeyRefused):
        _shown(device, user_id)
