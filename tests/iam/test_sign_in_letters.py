"""People hear of sign-ins from new places, of copied tokens and of bans; no secret is in what is kept of that."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from rest_framework.test import APIClient

from apps.audit.models import AuditEntry
from apps.core.actor import Origin
from apps.core.clock import utcnow
from apps.iam import services, signins
from apps.iam.familiarity import network_of
from apps.iam.models import Channel, RefreshToken, TokenFamily, User
from apps.notifications.models import EmailDelivery
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, person
from tests.fixtures.tenants import actor_of
from tests.iam.mailbox import RunTasks, mails_to

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"


def _sign_in(tenant: TenantView, email: str, agent: str, ip: str) -> dict[str, Any]:
    client = APIClient(SERVER_NAME="localhost")
    body = {"email": email, "password": PASSWORD, "tenant": tenant.key}
    answer = client.post("/api/v1/auth/signin", body, HTTP_USER_AGENT=agent, REMOTE_ADDR=ip)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    ("ip", "network"), [("192.0.2.77", "192.0.2.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"), (None, "")]
)
def test_networks(ip: str | None, network: str) -> None:
    assert network_of(ip) == network


def test_a_new_device_or_network_is_told_and_a_known_one_is_not(acme: TenantView, run_tasks: RunTasks) -> None:
    _user, email = person(acme)
    seen = []
    with run_tasks():
        for agent, ip in (
            (FIREFOX, "192.0.2.7"),  # the first of all
            (FIREFOX, "192.0.2.99"),
            (CHROME, "192.0.2.7"),  # another device
            (CHROME, "192.0.2.8"),
            (FIREFOX, "198.51.100.1"),  # another network
            (CHROME, "198.51.100.2"),
        ):
            _sign_in(acme, email, agent, ip)
            seen.append((agent, ip))
    letters = mails_to(email)
    assert [letter.subject for letter in letters] == ["A new sign-in to your account"] * 2
    assert "Chrome on Windows" in letters[0].body and "198.51.100.1" in letters[1].body


def test_a_device_that_was_thrown_out_is_new_again(acme: TenantView, run_tasks: RunTasks) -> None:
    user_id, email = person(acme)
    user, own = User.objects.get(pk=user_id), replace(actor_of(acme, "MEMBER"), user_id=user_id, email=email)
    for agent in (FIREFOX, CHROME):
        for ip in ("192.0.2.7", "198.51.100.1"):
            stranger = signins.start_family(user, acme.id, Channel.API, Origin(ip=ip, user_agent=agent))
    services.end_device(actor=own, family_id=stranger.pk)
    with run_tasks():
        _sign_in(acme, email, FIREFOX, "198.51.100.1")
        assert mails_to(email) == []
        _sign_in(acme, email, CHROME, "198.51.100.2")
        _sign_in(acme, email, CHROME, "198.51.100.2")
    assert [letter.subject for letter in mails_to(email)] == ["A new sign-in to your account"]


def test_who_was_away_for_long_hears_of_any_sign_in(acme: TenantView, run_tasks: RunTasks) -> None:
    user_id, email = person(acme)
    with run_tasks():
        _sign_in(acme, email, FIREFOX, "192.0.2.7")
        TokenFamily.objects.filter(user_id=user_id).update(last_seen_at=utcnow() - timedelta(days=31))
        services.purge_expired()
        _sign_in(acme, email, CHROME, "198.51.100.1")
    assert [letter.subject for letter in mails_to(email)] == ["A new sign-in to your account"]


def test_a_copied_refresh_token_is_told(acme: TenantView, run_tasks: RunTasks, anonymous_api: APIClient) -> None:
    _user, email = person(acme)
    spent = _sign_in(acme, email, FIREFOX, "192.0.2.7")["refresh"]
    with run_tasks():
        anonymous_api.post("/api/v1/auth/refresh", {"refresh": spent})
        RefreshToken.objects.filter(used_at__isnull=False).update(used_at=utcnow() - timedelta(minutes=1))
        assert anonymous_api.post("/api/v1/auth/refresh", {"refresh": spent}).status_code == 401
    (letter,) = mails_to(email)
    assert letter.subject == "We ended one of your sign-ins"


def test_who_is_banned_hears_why_and_until_when(acme: TenantView, run_tasks: RunTasks) -> None:
    _user, email = person(acme)
    member = User.objects.get(email=email).memberships.get()
    with run_tasks():
        services.ban_member(actor=actor_of(acme), membership_id=member.id, reason="Left the firm")
    (letter,) = mails_to(email)
    assert letter.subject == "You are banned from Acme"
    assert "Left the firm" in letter.body and "Until the ban is lifted" in letter.body


def test_an_account_that_is_locked_says_when_to_try_again(acme: TenantView, anonymous_api: APIClient) -> None:
    body = {"email": "nobody@locked.test", "password": "Wrong-password-1", "tenant": acme.key}
    for _ in range(5):
        anonymous_api.post("/api/v1/auth/signin", body)
    answer = anonymous_api.post("/api/v1/auth/signin", body)
    assert (answer.json()["code"], 0 < int(answer["Retry-After"]) <= 900) == ("account_locked", True)
    for host in (acme.host, settings.PLATFORM_HOST):
        page = Client(SERVER_NAME=host).post("/sign-in/", {"email": body["email"], "password": body["password"]})
        assert (page.status_code, 0 < int(page["Retry-After"]) <= 900) == (403, True)


def test_no_secret_reaches_logs_audit_or_the_log_of_mails(
    acme: TenantView, run_tasks: RunTasks, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    user_id, email = person(acme)
    client = APIClient(SERVER_NAME="localhost")
    wrong, new = "Wrong-Secret-91", "Another-Secret-92"
    with run_tasks():
        pair = _sign_in(acme, email, FIREFOX, "192.0.2.7")
        client.post("/api/v1/auth/signin", {"email": email, "password": wrong, "tenant": acme.key})
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access']}")
        changed = client.post("/api/v1/auth/password/change", {"current_password": PASSWORD, "new_password": new})
        assert changed.status_code == 204
        client.post("/api/v1/auth/refresh", {"refresh": pair["refresh"]})
        client.post("/api/v1/auth/password/forgot", {"email": email})
        services.invite(actor=actor_of(acme), email="guest@secret.test")
        forged = APIClient(SERVER_NAME="localhost", HTTP_AUTHORIZATION=f"Bearer {pair['access']}x")
        bad = forged.get("/api/v1/me")
        assert bad.status_code == 401
    links = [word for letter in [*mails_to(email), *mails_to("guest@secret.test")] for word in letter.body.split()]
    tokens = [link.rstrip("/").rpartition("token=")[2].rpartition("/")[2] for link in links if link.startswith("http")]
    secrets = [PASSWORD, wrong, new, pair["access"], pair["refresh"], *(token for token in tokens if len(token) > 30)]
    assert len(secrets) >= 7
    user = User.objects.get(pk=user_id)
    kept = "\n".join(
        (
            caplog.text,
            *capfd.readouterr(),
            *(f"{row.before}{row.after}{row.entity_label}{row.user_agent}" for row in AuditEntry.objects.all()),
            *(str(row) for row in EmailDelivery.objects.values()),
        )
    )
    assert [secret for secret in secrets if secret in kept] == []
    assert user.password not in kept
