"""Confirming an e-mail address: a link good once and for a day, three an hour, and what waits for it."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from rest_framework.test import APIClient

from apps.audit.models import AuditEntry
from apps.core.actor import Origin
from apps.core.clock import utcnow
from apps.iam import services
from apps.iam.errors import InvalidLink
from apps.iam.models import User
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, operator, person
from tests.iam.mailbox import RunTasks, mails_to, token_in


@pytest.fixture
def newcomer(acme: TenantView) -> str:
    """A member whose address nobody has confirmed."""
    user_id, email = person(acme)
    User.objects.filter(pk=user_id).update(email_verified_at=None)
    return email


def _is_verified(email: str) -> bool:
    return User.objects.get(email=email).email_verified_at is not None


def _ask(email: str, run_tasks: RunTasks) -> str:
    with run_tasks():
        services.request_verification(email=email, origin=Origin())
    return token_in(mails_to(email)[-1])


def test_signing_up_sends_the_link(acme: TenantView, anonymous_api: APIClient, run_tasks: RunTasks) -> None:
    body = {"email": "fresh@verify.test", "password": PASSWORD, "first_name": "F", "last_name": "F"}
    with run_tasks():
        anonymous_api.post("/api/v1/auth/signup", {**body, "tenant_name": "Verify House"})
    message = next(found for found in mails_to("fresh@verify.test") if "Confirm" in found.subject)

    assert not _is_verified("fresh@verify.test")
    assert anonymous_api.post("/api/v1/auth/email/verify", {"token": token_in(message)}).status_code == 204
    assert _is_verified("fresh@verify.test")


def test_by_page_and_only_by_post(newcomer: str, run_tasks: RunTasks) -> None:
    token = _ask(newcomer, run_tasks)
    client = Client(SERVER_NAME=settings.PLATFORM_HOST)

    assert client.get(f"/verify-email/?token={token}").status_code == 200
    assert not _is_verified(newcomer)
    assert "Your address is confirmed" in client.post("/verify-email/", {"token": token}).content.decode()
    assert _is_verified(newcomer)
    again = client.post("/verify-email/", {"token": token})
    assert (again.status_code, "not valid any more" in again.content.decode()) == (400, True)
    assert AuditEntry.objects.filter(action="iam.email.verify", entity_label=newcomer).count() == 1


def test_it_lives_for_a_day(newcomer: str, run_tasks: RunTasks) -> None:
    token = _ask(newcomer, run_tasks)

    with pytest.raises(InvalidLink):
        services.verify_email(token=token, origin=Origin(), now=utcnow() + timedelta(hours=24, seconds=1))
    services.verify_email(token=token, origin=Origin(), now=utcnow() + timedelta(hours=23))


def test_three_an_hour_and_none_for_who_is_confirmed(
    newcomer: str, anonymous_api: APIClient, run_tasks: RunTasks
) -> None:
    answers = []
    for email in [newcomer] * 5 + ["owner@acme.test", "nobody@nowhere.test"]:
        with run_tasks():
            answer = anonymous_api.post("/api/v1/auth/email/resend", {"email": email})
        answers.append((answer.status_code, answer.content))

    assert set(answers) == {(202, b"")}
    assert len(mails_to(newcomer)) == 3
    assert mails_to("owner@acme.test") == mails_to("nobody@nowhere.test") == []


def test_a_reset_token_confirms_nothing(newcomer: str, run_tasks: RunTasks) -> None:
    with run_tasks():
        services.request_password_reset(email=newcomer, origin=Origin())
    token = token_in(mails_to(newcomer)[-1])

    with pytest.raises(InvalidLink):
        services.verify_email(token=token, origin=Origin())


def test_the_banner_offers_the_link_until_then(acme: TenantView, newcomer: str, run_tasks: RunTasks) -> None:
    client = Client(SERVER_NAME=acme.host)
    client.post("/sign-in/", {"email": newcomer, "password": PASSWORD})
    assert "Confirm your e-mail address" in client.get("/").content.decode()

    with run_tasks():
        assert client.post("/verify-email/resend/").status_code == 200
    services.verify_email(token=token_in(mails_to(newcomer)[0]), origin=Origin())
    assert "Confirm your e-mail address" not in client.get("/").content.decode()


def test_an_operator_confirms(newcomer: str) -> None:
    user_id = User.objects.get(email=newcomer).pk
    for role, expected in (("PLATFORM_SUPPORT", False), ("PLATFORM_ADMIN", True)):
        client = Client(SERVER_NAME=settings.PLATFORM_HOST)
        client.post("/admin/login/", {"username": operator(role), "password": PASSWORD})
        client.post(f"/admin/iam/user/{user_id}/confirm/verify/")
        assert _is_verified(newcomer) is expected


def test_the_token_tells_of_it(acme: TenantView, newcomer: str, anonymous_api: APIClient) -> None:
    body: dict[str, Any] = {"email": newcomer, "password": PASSWORD}
    access = anonymous_api.post("/api/v1/auth/signin", body).json()["access"]
    profile = anonymous_api.get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {access}").json()

    assert profile["email_verified"] is False
