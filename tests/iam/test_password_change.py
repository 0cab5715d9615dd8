"""Changing one's password: the present one is asked, the same is refused, other devices are signed out."""

from typing import Any

from rest_framework.test import APIClient

from apps.audit.models import AuditEntry
from apps.tenancy.selectors import TenantView
from tests.api.problem import problem
from tests.factories.iam import PASSWORD, person
from tests.iam.mailbox import RunTasks, mails_to

NEW = "Fresh-password-2"


def _signed_in(anonymous_api: APIClient, email: str, password: str = PASSWORD) -> APIClient:
    body = anonymous_api.post("/api/v1/auth/signin", {"email": email, "password": password}).json()
    client = APIClient(SERVER_NAME="localhost", raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {body['access']}")
    return client


def _change(client: APIClient, current: str = PASSWORD, new: str = NEW) -> Any:
    return client.post("/api/v1/auth/password/change", {"current_password": current, "new_password": new})


def test_this_sign_in_goes_on_and_others_end(acme: TenantView, anonymous_api: APIClient, run_tasks: RunTasks) -> None:
    user_id, email = person(acme)
    here, there = _signed_in(anonymous_api, email), _signed_in(anonymous_api, email)

    with run_tasks():
        assert _change(here).status_code == 204

    assert here.get("/api/v1/me").status_code == 200
    assert there.get("/api/v1/me").status_code == 401
    assert _signed_in(anonymous_api, email, NEW).get("/api/v1/me").status_code == 200
    assert [message.subject for message in mails_to(email)] == ["Your password was changed"]
    entry = AuditEntry.objects.get(action="iam.password.change", entity_id=str(user_id))
    assert (entry.severity, NEW in str(entry.__dict__)) == ("HIGH", False)


def test_what_is_refused(acme: TenantView, anonymous_api: APIClient) -> None:
    _, email = person(acme)
    client = _signed_in(anonymous_api, email)

    def error(**values: str) -> tuple[str, str]:
        found = problem(_change(client, **values), 400)["errors"][0]
        return found["field"], found["code"]

    assert error(current="Wrong-pass-1") == ("current_password", "wrong")
    assert error(new=PASSWORD) == ("new_password", "password_unchanged")
    assert error(new="short") == ("new_password", "password_too_short")


def test_wrong_guesses_lock_but_the_session_lives(acme: TenantView, anonymous_api: APIClient) -> None:
    _, email = person(acme)
    client = _signed_in(anonymous_api, email)
    for _ in range(5):
        problem(_change(client, current="Wrong-pass-1"), 400)

    assert problem(_change(client), 403)["code"] == "account_locked"
    assert client.get("/api/v1/me").status_code == 200
