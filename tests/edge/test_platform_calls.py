"""Idempotency keys where there is no workspace: operators' calls, and signing up."""

from typing import Any

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from apps.edge.idempotency import REPLAYED
from apps.edge.models import IdempotencyKey
from apps.iam.models import User
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, operator
from tests.fixtures.clients import ApiFor

ME, SIGN_UP = "/api/v1/me", "/api/v1/auth/signup"
BODY = {
    "email": "twice@newcomer.test",
    "password": "Insula-test-1",
    "first_name": "Ada",
    "last_name": "Byron",
    "tenant_name": "Twice",
}


def client_of(anonymous_api: APIClient, email: str) -> APIClient:
    answer = anonymous_api.post("/api/v1/auth/signin", {"email": email, "password": PASSWORD, "tenant": None})
    assert answer.status_code == 200, answer.content
    client = APIClient(SERVER_NAME=settings.PLATFORM_HOST, raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access']}")
    return client


@pytest.fixture
def console(anonymous_api: APIClient, db: None) -> APIClient:
    """An operator's program."""
    return client_of(anonymous_api, operator())


def rename(client: APIClient, key: str, name: str) -> Any:
    return client.patch(ME, {"first_name": name}, headers={"Idempotency-Key": key})


def test_an_operators_repeat_gets_the_first_answer(console: APIClient) -> None:
    first = rename(console, "p-1", "Grace")
    assert (first.status_code, REPLAYED in first.headers) == (200, False)
    User.objects.filter(email__endswith="@platform.test").update(first_name="Changed since")
    again = rename(console, "p-1", "Grace")
    assert (again.status_code, again.headers[REPLAYED], again.content) == (200, "true", first.content)
    assert User.objects.get(email__endswith="@platform.test").first_name == "Changed since"
    assert IdempotencyKey.objects.get().tenant_id is None


def test_another_body_and_no_key_are_refused_alike_everywhere(console: APIClient) -> None:
    rename(console, "p-2", "Grace")
    assert rename(console, "p-2", "Other").json()["code"] == "idempotency_key_reused"
    assert rename(console, "x" * 256, "Other").json()["errors"][0]["field"] == "Idempotency-Key"


def test_operators_do_not_meet_each_other_nor_members(
    console: APIClient, anonymous_api: APIClient, acme: TenantView, api: ApiFor
) -> None:
    clients = [console, client_of(anonymous_api, operator()), api(acme)]
    answers = [rename(client, "shared", "Grace") for client in clients]
    assert [REPLAYED in answer.headers for answer in answers] == [False] * 3
    assert len({answer.content for answer in answers}) == 3


def test_a_wrong_guess_stays_counted_though_its_answer_is_kept(console: APIClient) -> None:
    body = {"current_password": "Wrong-guess-1", "new_password": "Another-pass-1"}
    for number in range(6):
        answer = console.post("/api/v1/auth/password/change", body, headers={"Idempotency-Key": f"guess-{number}"})
    assert answer.json()["code"] == "account_locked"
    again = console.post("/api/v1/auth/password/change", body, headers={"Idempotency-Key": "guess-0"})
    assert again.headers[REPLAYED] == "true"


def test_signing_up_twice_with_one_key_opens_one_workspace(anonymous_api: APIClient, db: None) -> None:
    before = Tenant.objects.count()
    first, again = (anonymous_api.post(SIGN_UP, BODY, headers={"Idempotency-Key": "s-1"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.headers[REPLAYED], again.content) == ("true", first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert Tenant.objects.count() == before + 1
    other = anonymous_api.post(SIGN_UP, BODY | {"tenant_name": "Else"}, headers={"Idempotency-Key": "s-1"})
    assert other.status_code == 422


def test_the_key_of_a_sign_up_is_its_persons_own(anonymous_api: APIClient, db: None) -> None:
    anonymous_api.post(SIGN_UP, BODY, headers={"Idempotency-Key": "s-2"})
    stranger = BODY | {"email": "stranger@newcomer.test", "tenant_name": "Strange"}
    answer = anonymous_api.post(SIGN_UP, stranger, headers={"Idempotency-Key": "s-2"})
    assert (answer.status_code, REPLAYED in answer.headers) == (201, False)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"email": ["a"]}', b'{"email": null}', b'{"email": "\\ud800"}', b"[" * 5000]
)
def test_a_body_that_names_nobody_is_refused_as_ever(anonymous_api: APIClient, db: None, body: bytes) -> None:
    answer = anonymous_api.generic(
        "POST", SIGN_UP, body, content_type="application/json", headers={"Idempotency-Key": "s-3"}
    )
    assert answer.status_code == 400


def test_signing_in_keeps_no_answer(anonymous_api: APIClient, acme: TenantView) -> None:
    body = {"email": f"owner@{acme.slug}.test", "password": PASSWORD, "tenant": acme.key}
    answers = [
        anonymous_api.post("/api/v1/auth/signin", body, headers={"Idempotency-Key": "i-1"}).json() for _ in range(2)
    ]
    assert answers[0]["access"] != answers[1]["access"]
    assert not IdempotencyKey.objects.exists()
