"""One key, one effect, one answer: repeats, races, crashes and other people's keys."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from apps.core.clock import utcnow
from apps.core.tenants import tenant_transaction
from apps.edge import idempotency
from apps.edge.models import IdempotencyKey
from apps.invoices.models import Client
from apps.payments.models import Refund
from apps.tenancy.selectors import TenantView
from tests.factories.payments import make_paid
from tests.fixtures.clients import ApiFor
from tests.fixtures.processes import Sandbox, free_port
from tests.fixtures.tenants import NewTenant, in_tenant
from tests.fixtures.threads import at_once

CLIENTS = "/api/v1/clients"
REPLAYED = "Idempotent-Replayed"


def create(api: APIClient, key: str, name: str = "Twice Ltd", **more: Any) -> Any:
    return api.post(CLIENTS, {"name": name, "email": "ap@twice.test"} | more, headers={"Idempotency-Key": key})


def names(tenant: TenantView) -> list[str]:
    with in_tenant(tenant):
        return list(Client.objects.values_list("name", flat=True))


def test_a_repeat_gets_the_first_answer(acme: TenantView, api: ApiFor) -> None:
    caller = api(acme)
    first, again = create(caller, "k-1"), create(caller, "k-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert (REPLAYED in first.headers, again.headers[REPLAYED]) == (False, "true")
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert names(acme).count("Twice Ltd") == 1


def test_a_structured_string_is_the_same_key(acme: TenantView, api: ApiFor) -> None:
    caller = api(acme)
    create(caller, "k-quoted")
    assert REPLAYED in create(caller, '"k-quoted"').headers


def test_an_answer_without_a_body_says_no_more_than_it_did(acme: TenantView, api: ApiFor) -> None:
    caller = api(acme)
    path, key = f"{CLIENTS}/{create(caller, 'k-gone').json()['id']}", {"Idempotency-Key": "k-gone"}
    first, again = caller.delete(path, headers=key), caller.delete(path, headers=key)
    assert (first.status_code, again.status_code, again.headers[REPLAYED]) == (204, 204, "true")
    for name in ("Content-Type", "Content-Length"):
        assert (name in first.headers, name in again.headers) == (False, False)


def test_another_body_is_refused(acme: TenantView, api: ApiFor) -> None:
    caller = api(acme)
    create(caller, "k-2")
    refused = create(caller, "k-2", name="Other Ltd")
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert "Other Ltd" not in names(acme)


def test_a_refusal_is_replayed_and_leaves_nothing(acme: TenantView, api: ApiFor) -> None:
    caller = api(acme)
    first, again = create(caller, "k-3", email="no address"), create(caller, "k-3", email="no address")
    assert (first.status_code, again.status_code) == (400, 400)
    assert again.json() == first.json()
    assert again.headers[REPLAYED] == "true"
    assert "Twice Ltd" not in names(acme)


def test_reading_ignores_the_key(acme: TenantView, api: ApiFor) -> None:
    caller = api(acme)
    for _ in range(2):
        assert REPLAYED not in caller.get(CLIENTS, headers={"Idempotency-Key": "k-4"}).headers
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "with space", "ünïcode", "tab\tbed"])
def test_a_key_that_is_none_is_refused(acme: TenantView, api: ApiFor, key: str) -> None:
    refused = create(api(acme), key)
    assert (refused.status_code, refused.json()["code"]) == (400, "validation_failed")
    assert refused.json()["errors"][0]["field"] == "Idempotency-Key"


def test_nobody_meets_another_callers_answer(acme: TenantView, globex: TenantView, api: ApiFor) -> None:
    first = create(api(acme), "shared")
    colleague, stranger = create(api(acme, "ADMIN"), "shared"), create(api(globex), "shared")
    assert len({first.json()["id"], colleague.json()["id"], stranger.json()["id"]}) == 3
    assert names(acme).count("Twice Ltd") == 2


def test_one_key_serves_each_route(acme: TenantView, api: ApiFor) -> None:
    caller = api(acme)
    made = create(caller, "k-5").json()["id"]
    changed = caller.patch(f"{CLIENTS}/{made}", {"name": "Renamed"}, headers={"Idempotency-Key": "k-5"})
    assert (changed.status_code, REPLAYED in changed.headers) == (200, False)


def test_a_key_is_forgotten_after_a_day(acme: TenantView, api: ApiFor) -> None:
    caller = api(acme)
    create(caller, "k-6")
    assert idempotency.purge_expired() == 0
    assert idempotency.purge_expired(now=utcnow() + idempotency.KEPT_FOR) == 1
    assert REPLAYED not in create(caller, "k-6").headers


def test_an_expired_key_is_used_anew(acme: TenantView, api: ApiFor) -> None:
    caller = api(acme)
    create(caller, "k-7")
    IdempotencyKey.objects.update(expires_at=utcnow() - timedelta(seconds=1))
    assert create(caller, "k-7", name="Another body").status_code == 201


def test_a_hundred_at_once_have_one_effect(committed: NewTenant, api: ApiFor) -> None:
    tenant = committed("Hundredfold")
    with tenant_transaction(tenant.scope):
        before = Client.objects.count()
    caller = api(tenant)
    token = caller._credentials["HTTP_AUTHORIZATION"]

    def call() -> tuple[int, str]:
        mine = APIClient(SERVER_NAME=settings.PLATFORM_HOST, raise_request_exception=False)
        mine.credentials(HTTP_AUTHORIZATION=token)
        answer = create(mine, "hundred")
        return answer.status_code, answer.json().get("id", answer.json().get("code"))

    answers = [answer for _ in range(4) for answer in at_once([call] * 25)]
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    counted = Counter(answers)
    made = [answer for answer in counted if answer[0] == 201]  # type: ignore[index]
    assert len(made) == 1
    assert set(counted) - set(made) <= {(409, "idempotency_in_flight")}
    with tenant_transaction(tenant.scope):
        assert Client.objects.count() == before + 1


def test_in_flight_says_when_to_come_again(committed: NewTenant, api: ApiFor) -> None:
    tenant = committed("In flight")
    caller = api(tenant)
    refund = f"/api/v1/payments/{UUID(int=7)}/refunds"
    headers = {"Idempotency-Key": "begun"}
    assert caller.post(refund, {"reason": "duplicate"}, headers=headers).status_code == 404
    IdempotencyKey.objects.update(status=None, leased_until=utcnow() + timedelta(seconds=40))
    refused = caller.post(refund, {"reason": "duplicate"}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_in_flight")
    assert 30 <= int(refused.headers["Retry-After"]) <= 40
    IdempotencyKey.objects.update(leased_until=utcnow() - timedelta(seconds=1))
    assert caller.post(refund, {"reason": "duplicate"}, headers=headers).status_code == 404
    IdempotencyKey.objects.filter(tenant_id=tenant.id).delete()


@pytest.fixture
def refundable(
    committed: NewTenant, stripe_sandbox: Sandbox, settings: Any, api: ApiFor
) -> Callable[[str], tuple[TenantView, Callable[..., Any]]]:
    """A tenant with a paid payment, and a call that refunds 1900 of it."""
    settings.STRIPE_WEBHOOK_SECRET = "whsec_" + "t" * 32

    def make(name: str) -> tuple[TenantView, Callable[..., Any]]:
        tenant = committed(name)
        payment_id = make_paid(tenant, stripe_sandbox)
        path = f"/api/v1/payments/{payment_id}/refunds"
        body = {"amount_minor": 1900, "reason": "duplicate"}
        return tenant, partial(api(tenant).post, path, body, headers={"Idempotency-Key": "refund-1"})

    return make


def refunds(tenant: TenantView) -> list[str]:
    with in_tenant(tenant):
        return list(Refund.objects.values_list("status", flat=True))


def test_a_refund_that_is_asked_for_twice_is_one(refundable: Any) -> None:
    tenant, call = refundable("Refunded once")
    first, again = call(), call()
    assert (first.status_code, again.status_code, again.headers[REPLAYED]) == (201, 201, "true")
    assert again.json() == first.json()
    assert refunds(tenant) == ["SUCCEEDED"]


def test_a_refund_whose_answer_was_never_kept_is_carried_on(refundable: Any) -> None:
    tenant, call = refundable("Refund died")
    first = call()
    # As if the process had been killed between the refund and the note of its answer.
    row = IdempotencyKey.objects.get(tenant_id=tenant.id)
    assert str(row.pk) == first.json()["id"]
    IdempotencyKey.objects.filter(pk=row.pk).update(status=None, body=b"", leased_until=utcnow())
    again = call()
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert REPLAYED not in again.headers
    assert refunds(tenant) == ["SUCCEEDED"]


def test_a_failure_releases_the_key(refundable: Any, stripe_sandbox: Sandbox, settings: Any) -> None:
    tenant, call = refundable("Failing gateway")
    settings.STRIPE_API_HOST = f"http://127.0.0.1:{free_port()}"
    assert call().status_code == 502
    settings.STRIPE_API_HOST = stripe_sandbox.url
    assert not IdempotencyKey.objects.filter(tenant_id=tenant.id).exists()
    assert call().status_code == 201
    assert sorted(refunds(tenant)) == ["FAILED", "SUCCEEDED"]
