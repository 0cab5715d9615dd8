"""Five failures close an e-mail for a quarter of an hour, whoever asks and however many at once."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.test import Client
from rest_framework.test import APIClient

from apps.audit.models import AuditEntry
from apps.core.actor import Origin
from apps.core.clock import utcnow
from apps.core.errors import DomainError
from apps.iam import credentials, lockout
from apps.iam.attempt_models import AttemptOutcome, SignInAttempt, SignInGuard
from apps.iam.errors import AccountLocked, InvalidCredentials
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, operator, person
from tests.fixtures.clients import ApiFor
from tests.fixtures.tenants import NewTenant
from tests.iam.threads import at_once


def _try(email: str, password: str = "Wrong-pass-1", **more: Any) -> str:
    try:
        credentials.verify(email=email, password=password, origin=Origin(), **more)
    except DomainError as error:
        return error.code
    return "ok"


def _lock(email: str) -> None:
    assert [_try(email) for _ in range(5)] == ["invalid_credentials"] * 5


def test_the_sixth_attempt_is_not_checked(acme: TenantView) -> None:
    _, email = person(acme)
    _lock(email)

    assert _try(email, PASSWORD) == "account_locked"


def test_it_opens_after_a_quarter_of_an_hour(acme: TenantView) -> None:
    _, email = person(acme)
    _lock(email)
    later = utcnow() + timedelta(minutes=14, seconds=59)

    assert _try(email, PASSWORD, now=later) == "account_locked"
    assert _try(email, PASSWORD, now=later + timedelta(seconds=2)) == "ok"


def test_attempts_during_the_lock_do_not_prolong_it(acme: TenantView) -> None:
    _, email = person(acme)
    _lock(email)
    _try(email, now=utcnow() + timedelta(minutes=14))

    assert _try(email, PASSWORD, now=utcnow() + timedelta(minutes=15, seconds=1)) == "ok"


def test_failures_older_than_a_quarter_of_an_hour_do_not_count(acme: TenantView) -> None:
    _, email = person(acme)
    for _ in range(4):
        _try(email, now=utcnow() - timedelta(minutes=16))

    _try(email)
    assert _try(email, PASSWORD) == "ok"


def test_a_success_starts_anew(acme: TenantView) -> None:
    _, email = person(acme)
    for _ in range(2):
        assert [_try(email) for _ in range(4)] == ["invalid_credentials"] * 4
        assert _try(email, PASSWORD) == "ok"


def test_letter_case_does_not_matter(acme: TenantView) -> None:
    _, email = person(acme)
    for spelling in (email, email.upper(), email.title(), f" {email}", email.capitalize()):
        _try(spelling)

    assert _try(email, PASSWORD) == "account_locked"


def test_others_are_not_locked_out(acme: TenantView) -> None:
    _, email = person(acme)
    _, other = person(acme)
    _lock(email)

    assert _try(other, PASSWORD) == "ok"


def test_a_living_session_and_token_work_on(acme: TenantView, api: ApiFor) -> None:
    client = api(acme, "VIEWER")
    _lock("viewer@acme.test")

    assert client.get("/api/v1/me").status_code == 200


def test_an_unknown_address_is_answered_alike(acme: TenantView, anonymous_api: APIClient) -> None:
    def answers(email: str) -> list[Any]:
        found = []
        for _ in range(6):
            answer = anonymous_api.post("/api/v1/auth/signin", {"email": email, "password": "Wrong-pass-1"})
            body = answer.json()
            assert body.pop("correlation_id")
            found.append((answer.status_code, body, sorted(answer.headers)))
        return found

    _, email = person(acme)
    known, unknown = answers(email), answers("nobody@nowhere.test")

    assert known == unknown
    assert known[4][0] == 401
    assert (known[5][0], known[5][1]["code"], known[5][1]["retry_after"]) == (403, "account_locked", 900)


def test_every_door_counts(acme: TenantView, anonymous_api: APIClient) -> None:
    _, email = person(acme)
    wrong = {"email": email, "password": "Wrong-pass-1"}
    anonymous_api.post("/api/v1/auth/signin", wrong)
    anonymous_api.post("/api/v1/auth/discover", wrong)
    Client(SERVER_NAME=acme.host).post("/sign-in/", wrong)
    Client(SERVER_NAME=settings.PLATFORM_HOST).post("/sign-in/", wrong)
    Client(SERVER_NAME=settings.PLATFORM_HOST).post("/admin/login/", {**wrong, "username": email})

    page = Client(SERVER_NAME=acme.host).post("/sign-in/", {"email": email, "password": PASSWORD})
    assert page.status_code == 403
    assert "Try again in 15 minutes" in page.content.decode()


def test_an_operator_unlocks(acme: TenantView) -> None:
    user_id, email = person(acme)
    _lock(email)
    client = Client(SERVER_NAME=settings.PLATFORM_HOST)
    client.post("/admin/login/", {"username": operator(), "password": PASSWORD})

    assert email in client.get("/admin/iam/signinattempt/").content.decode()
    assert email in client.get("/admin/iam/signinguard/").content.decode()
    assert client.get(f"/admin/iam/user/{user_id}/confirm/unlock/").status_code == 200
    assert lockout.locked_until(email) is not None
    client.post(f"/admin/iam/user/{user_id}/confirm/unlock/")

    assert _try(email, PASSWORD) == "ok"
    assert AuditEntry.objects.filter(action="iam.account.unlock", entity_id=str(user_id)).exists()


def test_an_unknown_address_is_unlocked_from_the_list(acme: TenantView) -> None:
    _lock("stranger@nowhere.test")
    guard = SignInGuard.objects.get(email="stranger@nowhere.test")
    values = {"action": "unlock_selected", "_selected_action": str(guard.pk)}

    for role, expected in (("PLATFORM_SUPPORT", "account_locked"), ("PLATFORM_ADMIN", "invalid_credentials")):
        client = Client(SERVER_NAME=settings.PLATFORM_HOST)
        client.post("/admin/login/", {"username": operator(role), "password": PASSWORD})
        client.post("/admin/iam/signinguard/", values)
        assert _try("stranger@nowhere.test") == expected


def test_locking_is_audited_without_the_password(acme: TenantView) -> None:
    user_id, email = person(acme)
    _lock(email)

    entry = AuditEntry.objects.get(action="iam.account.lock", entity_id=str(user_id))
    assert (entry.severity, entry.entity_label) == ("HIGH", email)
    assert "Wrong-pass-1" not in str(list(AuditEntry.objects.filter(entity_label=email).values()))


def test_of_32_at_once_exactly_five_are_checked(committed: NewTenant) -> None:
    tenant = committed("Lockhouse")
    email = f"owner@{tenant.slug}.test"

    answers = at_once(32, lambda _: _try(email))

    assert answers.count(InvalidCredentials.code) == 5
    assert answers.count(AccountLocked.code) == 27
    tried = SignInAttempt.objects.filter(email=email)
    assert tried.filter(outcome=AttemptOutcome.WRONG).count() == 5
    assert _try(email, PASSWORD) == "account_locked"
