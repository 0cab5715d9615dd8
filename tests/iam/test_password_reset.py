"""A forgotten password: one answer for everybody, a link good once and for an hour, and every session ends."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from rest_framework.test import APIClient

from apps.audit.models import AuditEntry
from apps.core.actor import Origin
from apps.core.clock import utcnow
from apps.iam import credentials, lockout, services
from apps.iam.attempt_models import SignInAttempt
from apps.iam.errors import InvalidCredentials, InvalidLink
from apps.iam.factor_models import Passkey
from apps.iam.models import AccountToken, User
from apps.notifications.models import EmailDelivery
from apps.tenancy.selectors import TenantView
from tests.api.problem import problem
from tests.factories.iam import PASSWORD, person
from tests.fixtures.tenants import NewTenant
from tests.iam.mailbox import RunTasks, mails_to, token_in
from tests.iam.threads import at_once

NEW = "Fresh-password-2"


def _forgot(email: str, run_tasks: RunTasks, **more: Any) -> None:
    with run_tasks():
        services.request_password_reset(email=email, origin=Origin(), **more)


def _token(email: str, run_tasks: RunTasks) -> str:
    _forgot(email, run_tasks)
    return token_in(mails_to(email)[-1])


def _sign_in(client: APIClient, email: str, password: str) -> Any:
    return client.post("/api/v1/auth/signin", {"email": email, "password": password})


def test_by_api(acme: TenantView, anonymous_api: APIClient, run_tasks: RunTasks) -> None:
    _, email = person(acme)
    with run_tasks():
        assert anonymous_api.post("/api/v1/auth/password/forgot", {"email": email.upper()}).status_code == 202
    token = token_in(mails_to(email)[0])

    answer = anonymous_api.post("/api/v1/auth/password/reset", {"token": token, "password": NEW})

    assert answer.status_code == 204
    assert _sign_in(anonymous_api, email, PASSWORD).status_code == 401
    assert _sign_in(anonymous_api, email, NEW).status_code == 200


@pytest.mark.parametrize("is_verified", [True, False])
def test_factors_of_who_never_read_the_mail_go(
    acme: TenantView, anonymous_api: APIClient, run_tasks: RunTasks, is_verified: bool
) -> None:
    user_id, email = person(acme)
    User.objects.filter(pk=user_id).update(email_verified_at=utcnow() if is_verified else None)
    Passkey.objects.create(user_id=user_id, name="Squatter's", credential_id=user_id.bytes, public_key=b"key")

    services.reset_password(token=_token(email, run_tasks), password=NEW, origin=Origin())

    assert Passkey.objects.filter(user_id=user_id).exists() is is_verified
    assert _sign_in(anonymous_api, email, NEW).status_code == (401 if is_verified else 200)


def test_by_pages(acme: TenantView, run_tasks: RunTasks) -> None:
    _, email = person(acme)
    client = Client(SERVER_NAME=settings.PLATFORM_HOST)
    with run_tasks():
        answer = client.post("/forgot-password/", {"email": email})
    assert "If this address has an account" in client.get(answer["Location"]).content.decode()
    token = token_in(mails_to(email)[0])

    page = client.get(f"/reset-password/?token={token}")
    assert page["Referrer-Policy"] == "no-referrer"
    weak = client.post("/reset-password/", {"token": token, "password": "short"})
    assert (weak.status_code, "Use at least 8 characters." in weak.content.decode()) == (400, True)
    done = client.post("/reset-password/", {"token": token, "password": NEW})

    assert done["Location"] == "/sign-in/?notice=password-reset"
    assert "Your password is set" in client.get(done["Location"]).content.decode()
    again = client.post("/reset-password/", {"token": token, "password": NEW})
    assert (again.status_code, "not valid any more" in again.content.decode()) == (400, True)


def test_unknown_addresses_get_the_same_answer_and_no_mail(
    anonymous_api: APIClient, run_tasks: RunTasks, acme: Any
) -> None:
    with run_tasks():
        answers = [
            anonymous_api.post("/api/v1/auth/password/forgot", {"email": email})
            for email in ("owner@acme.test", "nobody@nowhere.test")
        ]

    assert [(answer.status_code, answer.content) for answer in answers] == [(202, b"")] * 2
    assert mails_to("nobody@nowhere.test") == []


def test_asking_costs_the_same_for_every_address(
    acme: TenantView, django_assert_num_queries: Any, anonymous_api: APIClient
) -> None:
    _, email = person(acme)
    anonymous_api.post("/api/v1/auth/password/forgot", {"email": email})
    with django_assert_num_queries(9, exact=False) as known:
        anonymous_api.post("/api/v1/auth/password/forgot", {"email": email})
    with django_assert_num_queries(9, exact=False) as unknown:
        anonymous_api.post("/api/v1/auth/password/forgot", {"email": "nobody@nowhere.test"})

    assert [query["sql"].split()[0] for query in known] == [query["sql"].split()[0] for query in unknown]


def test_three_mails_in_a_quarter_of_an_hour(acme: TenantView, run_tasks: RunTasks) -> None:
    _, email = person(acme)
    for _ in range(5):
        _forgot(email, run_tasks)
    assert len(mails_to(email)) == 3

    AccountToken.objects.filter(email=email).update(created_at=utcnow() - timedelta(minutes=16))
    _forgot(email, run_tasks)
    assert len(mails_to(email)) == 4


def test_only_the_newest_link_counts(acme: TenantView, run_tasks: RunTasks) -> None:
    _, email = person(acme)
    first, second = _token(email, run_tasks), _token(email, run_tasks)

    with pytest.raises(InvalidLink):
        services.reset_password(token=first, password=NEW, origin=Origin())
    services.reset_password(token=second, password=NEW, origin=Origin())


def test_it_lives_for_an_hour(acme: TenantView, run_tasks: RunTasks) -> None:
    _, email = person(acme)
    token = _token(email, run_tasks)

    with pytest.raises(InvalidLink):
        services.reset_password(token=token, password=NEW, origin=Origin(), now=utcnow() + timedelta(minutes=61))
    services.reset_password(token=token, password=NEW, origin=Origin(), now=utcnow() + timedelta(minutes=59))


def test_everything_wrong_looks_alike(acme: TenantView, anonymous_api: APIClient, run_tasks: RunTasks) -> None:
    _, email = person(acme)
    token = _token(email, run_tasks)
    services.reset_password(token=token, password=NEW, origin=Origin())

    bodies = []
    for wrong in (token, "unknown", "x" * 43):
        answer = anonymous_api.post("/api/v1/auth/password/reset", {"token": wrong, "password": NEW})
        bodies.append({**problem(answer, 400), "correlation_id": ""})
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["code"] == "invalid_link"


def test_every_session_and_token_ends(acme: TenantView, anonymous_api: APIClient, run_tasks: RunTasks) -> None:
    _, email = person(acme)
    pair = _sign_in(anonymous_api, email, PASSWORD).json()
    browser = Client(SERVER_NAME=acme.host)
    browser.post("/sign-in/", {"email": email, "password": PASSWORD})

    services.reset_password(token=_token(email, run_tasks), password=NEW, origin=Origin())

    headers = {"HTTP_AUTHORIZATION": f"Bearer {pair['access']}"}
    assert anonymous_api.get("/api/v1/me", **headers).status_code == 401
    assert anonymous_api.post("/api/v1/auth/refresh", {"refresh": pair["refresh"]}).status_code == 401
    assert browser.get("/").status_code == 302


def test_it_opens_a_lock_and_confirms_the_address(acme: TenantView, run_tasks: RunTasks) -> None:
    user_id, email = person(acme)
    User.objects.filter(pk=user_id).update(email_verified_at=None)
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            credentials.verify(email=email, password="Wrong-pass-1", origin=Origin())
    assert lockout.locked_until(email)

    services.reset_password(token=_token(email, run_tasks), password=NEW, origin=Origin())

    assert credentials.verify(email=email, password=NEW, origin=Origin()).email_verified_at is not None


def test_a_switched_off_account_gets_no_mail(acme: TenantView, run_tasks: RunTasks) -> None:
    user_id, email = person(acme)
    User.objects.filter(pk=user_id).update(is_active=False)

    _forgot(email, run_tasks)
    assert mails_to(email) == []


def test_the_mail_speaks_the_persons_language(acme: TenantView, run_tasks: RunTasks) -> None:
    user_id, email = person(acme)
    User.objects.filter(pk=user_id).update(locale="de")

    _forgot(email, run_tasks)
    assert mails_to(email)[0].subject == "Neues Passwort festlegen"


def test_the_token_is_nowhere_but_in_the_mail(acme: TenantView, run_tasks: RunTasks, caplog: Any, capfd: Any) -> None:
    _, email = person(acme)
    token = _token(email, run_tasks)
    services.reset_password(token=token, password=NEW, origin=Origin())

    stored = [
        str(list(model.objects.values())) for model in (AccountToken, AuditEntry, EmailDelivery, SignInAttempt, User)
    ]
    said = capfd.readouterr()
    for place in (*stored, caplog.text, said.out, said.err):
        assert token not in place
        assert NEW not in place


def test_a_lost_hint_is_made_good_by_the_sweep(acme: TenantView, run_tasks: RunTasks) -> None:
    _, email = person(acme)
    services.request_password_reset(email=email, origin=Origin())
    assert mails_to(email) == []

    with run_tasks():
        services.mail_owed()
    assert len(mails_to(email)) == 1


def test_of_16_at_once_with_one_token_exactly_one_wins(committed: NewTenant) -> None:
    tenant = committed("Resethouse")
    email = f"member@{tenant.slug}.test"
    services.request_password_reset(email=email, origin=Origin())
    row = AccountToken.objects.get(email=email)
    token = services.mailed_link(kind="account_token", row_id=row.id).partition("token=")[2]

    def attempt(number: int) -> str:
        try:
            services.reset_password(token=token, password=f"{NEW}{number}", origin=Origin())
        except InvalidLink:
            return "refused"
        return "done"

    assert at_once(16, attempt).count("done") == 1
    AccountToken.objects.filter(email=email).delete()


def test_of_12_who_ask_at_once_three_get_a_token(committed: NewTenant) -> None:
    tenant = committed("Askhouse")
    email = f"member@{tenant.slug}.test"

    at_once(12, lambda _: services.request_password_reset(email=email, origin=Origin()))

    assert AccountToken.objects.filter(email=email).count() == 3
    assert AccountToken.objects.filter(email=email, expires_at__gt=utcnow()).count() == 1
    AccountToken.objects.filter(email=email).delete()
    mail.outbox.clear() if hasattr(mail, "outbox") else None
