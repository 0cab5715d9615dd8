"""Webhooks over REST: endpoints with their secrets, the log of deliveries, replaying, and who may do all that."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from apps.core.clock import utcnow
from apps.edge.models import IdempotencyKey
from apps.iam.models import TokenFamily
from apps.tenancy.selectors import TenantView
from apps.webhooks.catalogue import CATALOGUE
from tests.api.conftest import document as document  # noqa: PLC0414 (the fixture)
from tests.api.problem import problem
from tests.factories.invoices import make_client, make_draft, make_open
from tests.factories.webhooks import Receiver, deliveries, make_endpoint, turn
from tests.fixtures.clients import ApiFor
from tests.fixtures.tenants import actor_of, in_tenant
from tests.iam import keys

ENDPOINTS, DELIVERIES = "/api/v1/webhooks/endpoints", "/api/v1/webhooks/deliveries"
BODY = {"url": "https://books.example/hooks", "event_types": ["invoice.*", "client.created"], "description": "Books"}


@pytest.fixture
def program(acme: TenantView, api: ApiFor) -> APIClient:
    return api(acme)


def test_an_endpoint_from_its_beginning_to_its_end(program: APIClient) -> None:
    answer = program.post(ENDPOINTS, BODY)
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    body = answer.json()
    secret = body.pop("secret")
    assert secret.startswith("whsec_") and body["secret_hint"] == secret[-4:]
    path = f"{ENDPOINTS}/{body['id']}"
    assert answer["Location"] == path
    assert (body["event_types"], body["is_enabled"], body["disabled_reason"]) == (
        ["client.created", "invoice.*"],
        True,
        None,
    )
    found = program.get(path)
    assert found.json() == body and secret not in found.content.decode()
    assert program.get(ENDPOINTS).json()["data"] == [body]

    changed = program.patch(path, {"event_types": ["*"]}, headers={"If-Match": found["ETag"]})
    assert (changed.status_code, changed.json()["event_types"]) == (200, ["*"])
    assert changed.json()["url"] == body["url"]
    late = program.patch(path, {"description": "x"}, headers={"If-Match": found["ETag"]})
    assert problem(late, 412)["etag"] == changed["ETag"]

    off = program.post(f"{path}/disable").json()
    assert (off["is_enabled"], off["disabled_reason"]) == (False, "by_member")
    again = problem(program.post(f"{path}/disable"), 409)
    assert again["code"] == "illegal_state" and "enable" in again["allowed_actions"]
    assert program.post(f"{path}/enable").json()["is_enabled"] is True

    assert program.delete(path).status_code == 204
    for method in ("get", "delete"):
        assert problem(getattr(program, method)(path), 404)["code"] == "webhook_endpoint_not_found"


def test_a_secret_is_told_once_and_kept_by_no_repetition(program: APIClient) -> None:
    headers = {"Idempotency-Key": "endpoint"}
    first, again = program.post(ENDPOINTS, BODY, headers=headers), program.post(ENDPOINTS, BODY, headers=headers)
    assert again["Idempotent-Replayed"] == "true" and again.json() == first.json()
    assert len(program.get(ENDPOINTS).json()["data"]) == 1
    secret = first.json()["secret"]
    assert secret.encode() not in bytes(IdempotencyKey.objects.latest("pk").body)

    path = f"{ENDPOINTS}/{first.json()['id']}/rotate-secret"
    rotated = program.post(path, {"overlap_seconds": 3600})
    assert (rotated.status_code, rotated["Cache-Control"]) == (200, "no-store")
    assert rotated.json()["secret"] != secret and rotated.json()["former_secret_until"]
    at_once = program.post(path, {"overlap_seconds": 0}).json()
    assert at_once["secret"] != rotated.json()["secret"]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("url", "http://books.example/", "invalid"),
        ("url", "https://127.0.0.1/", "private_address"),
        ("url", "https://[::1]/", "private_address"),
        ("url", "https://user:pass@books.example/", "invalid"),
        ("url", "https://books.example/" + "x" * 500, "max_length"),
        ("url", "", "blank"),
        ("event_types", [], "min_length"),
        ("event_types", ["invoice.paid", "nothing.of.ours"], "unknown"),
        ("event_types", ["webhook.test"], "unknown"),
        ("event_types", "invoice.paid", "not_a_list"),
        ("description", "x" * 201, "max_length"),
    ],
)
def test_what_no_endpoint_can_be(program: APIClient, settings: Any, field: str, value: Any, code: str) -> None:
    settings.OUTBOUND_PRIVATE_ADDRESSES = False
    refused = problem(program.post(ENDPOINTS, {**BODY, field: value}), 400)
    assert [(error["field"].partition(".")[0], error["code"]) for error in refused["errors"]] == [(field, code)]


def test_there_are_not_more_endpoints_than_the_installation_allows(program: APIClient, settings: Any) -> None:
    settings.WEBHOOK_ENDPOINTS_PER_WORKSPACE = 1
    assert program.post(ENDPOINTS, BODY).status_code == 201
    assert problem(program.post(ENDPOINTS, BODY), 409)["code"] == "webhook_endpoint_limit"


def test_a_test_event_tells_how_the_endpoint_answers(
    program: APIClient, receiver: Receiver, run_tasks: Callable[[], Any]
) -> None:
    made = program.post(ENDPOINTS, {**BODY, "url": f"{receiver.url}/hook"}).json()
    receiver.answers, receiver.body = [200, 500], b"out of order"

    def tried() -> Any:
        with run_tasks():
            asked = program.post(f"{ENDPOINTS}/{made['id']}/test")
        assert (asked.status_code, asked.json()["state"], asked.json()["is_test"]) == (202, "pending", True)
        assert asked["Location"] == f"{DELIVERIES}/{asked.json()['id']}"
        return program.get(asked["Location"]).json()

    told, bad = tried(), tried()
    assert told["state"] == "succeeded"
    assert (bad["state"], bad["last_status"], bad["log"][0]["response_body"]) == ("dead", 500, "out of order")
    call = receiver.calls[0]
    assert (call.path, call.event["type"], call.event["id"]) == ("/hook", "webhook.test", told["event_id"])
    assert told["payload"].encode() == call.body
    attempt = told["log"][0]
    assert attempt["request_headers"]["webhook-id"] == told["event_id"] and attempt["duration_ms"] >= 0
    assert call.headers["webhook-signature"] not in str(told)
    assert _verified(call.headers, call.body, made["secret"])


def test_a_test_that_is_repeated_calls_once(
    acme: TenantView, program: APIClient, receiver: Receiver, run_tasks: Callable[[], Any]
) -> None:
    path = f"{ENDPOINTS}/{make_endpoint(acme, receiver.url).endpoint.id}/test"
    with run_tasks():
        first = program.post(path, headers={"Idempotency-Key": "try"})
        again = program.post(path, headers={"Idempotency-Key": "try"})
    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")
    assert len(receiver.calls) == 1


def test_a_second_test_waits_for_the_first(acme: TenantView, program: APIClient) -> None:
    path = f"{ENDPOINTS}/{make_endpoint(acme).endpoint.id}/test"
    assert program.post(path).status_code == 202
    assert problem(program.post(path), 409)["code"] == "webhook_test_under_way"


def test_a_key_that_may_set_webhooks_up_needs_no_other_proof(acme: TenantView) -> None:
    robot = keys.program(keys.made(acme, "webhooks:write").secret)
    assert robot.post(ENDPOINTS, BODY).status_code == 201
    assert problem(keys.program(keys.made(acme, "invoices:read").secret).get(ENDPOINTS), 403)


def test_whoever_signed_in_long_ago_proves_himself_first(acme: TenantView, program: APIClient) -> None:
    TokenFamily.objects.filter(tenant_id=acme.id).update(proved_at=utcnow() - timedelta(minutes=11))
    refused = problem(program.post(ENDPOINTS, BODY), 403)
    assert refused["code"] == "step_up_required"
    assert program.get(ENDPOINTS).json()["data"] == []


def _verified(headers: dict[str, str], body: bytes, secret: str) -> bool:
    """As the OpenAPI document tells receivers to."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = [one.removeprefix("v1,") for one in headers["webhook-signature"].split()]
    return any(hmac.compare_digest(expected, one) for one in given)


def test_the_log_by_endpoint_state_and_type(acme: TenantView, program: APIClient, receiver: Receiver) -> None:
    taken = make_endpoint(acme, f"{receiver.url}/a", event_types=["client.created"]).endpoint
    waiting = make_endpoint(acme, f"{receiver.url}/b").endpoint
    with in_tenant(acme):
        client = make_client(actor_of(acme))
        draft = make_draft(actor_of(acme), client_id=client.id)
    turn(acme, taken.id)

    def listed(**query: Any) -> list[tuple[str, str]]:
        rows = program.get(DELIVERIES, query).json()["data"]
        return [(row["event_type"], row["endpoint_url"][-2:]) for row in rows]

    assert sorted(listed()) == [("client.created", "/a"), ("client.created", "/b"), ("invoice.created", "/b")]
    assert listed(endpoint_id=str(taken.id)) == [("client.created", "/a")]
    assert listed(state="succeeded") == [("client.created", "/a")]
    assert listed(event_type="invoice.created") == [("invoice.created", "/b")]
    assert listed(state="dead") == []
    (row,) = program.get(DELIVERIES, {"event_type": "invoice.created", "fields": "state,subject_id"}).json()["data"]
    assert row == {"state": "pending", "subject_id": str(draft.id)}
    first = program.get(DELIVERIES, {"limit": 2}).json()
    rest = program.get(DELIVERIES, {"limit": 2, "cursor": first["next_cursor"]}).json()
    assert (len(first["data"]), len(rest["data"]), rest["has_more"]) == (2, 1, False)
    oldest = program.get(DELIVERIES, {"ordering": "created_at"}).json()["data"]
    assert [row["id"] for row in oldest] == [row["id"] for row in reversed([*first["data"], *rest["data"]])]
    assert program.get(f"{ENDPOINTS}/{waiting.id}").json()["waiting"] == 2
    for query in ({"state": "lost"}, {"event_type": "x"}, {"endpoint_id": "7"}):
        assert problem(program.get(DELIVERIES, query), 400)["errors"][0]["field"] == next(iter(query))


def test_replaying_one_and_all_since(acme: TenantView, program: APIClient, receiver: Receiver) -> None:
    endpoint = make_endpoint(acme, receiver.url, event_types=["client.*"]).endpoint
    path = f"{ENDPOINTS}/{endpoint.id}"
    with in_tenant(acme):
        make_client(actor_of(acme))
    (owed,) = deliveries(acme, endpoint_id=endpoint.id)
    waiting = problem(program.post(f"{DELIVERIES}/{owed.id}/replay"), 409)
    assert (waiting["code"], waiting["allowed_actions"]) == ("illegal_state", [])
    turn(acme, endpoint.id)
    again = program.post(f"{DELIVERIES}/{owed.id}/replay")
    assert (again.status_code, again.json()["state"]) == (202, "pending")
    turn(acme, endpoint.id)
    ids = {call.headers["webhook-id"] for call in receiver.calls}
    assert len(receiver.calls) == 2 and len(ids) == 1

    program.post(f"{path}/disable")
    with in_tenant(acme):
        make_client(actor_of(acme))
    since = (utcnow() - timedelta(hours=1)).isoformat()
    assert problem(program.post(f"{path}/replay", {"since": since}), 409)["code"] == "illegal_state"
    program.post(f"{path}/enable")
    missed = program.post(f"{path}/replay", {"since": since})
    assert (missed.status_code, missed.json()) == (202, {"queued": 1})
    everything = program.post(f"{path}/replay", {"since": since, "only_dead": False})
    assert everything.json() == {"queued": 1}
    later = (utcnow() + timedelta(hours=1)).isoformat()
    assert problem(program.post(f"{path}/replay", {"since": later}), 400)["errors"][0]["code"] == "in_future"


def test_what_endpoints_are_told_is_what_the_document_promises(
    acme: TenantView, program: APIClient, document: dict[str, Any]
) -> None:
    endpoint = make_endpoint(acme).endpoint
    owner = actor_of(acme)
    with in_tenant(acme):
        issued = make_open(owner)
    program.patch(f"/api/v1/clients/{issued.client.id}", {"phone": "1"})
    program.post(f"/api/v1/invoices/{issued.id}/payments", {"amount_minor": 100, "method": "cash"})
    program.post(f"/api/v1/invoices/{issued.id}/uncollectible")
    members = program.get("/api/v1/members").json()["data"]
    viewer = next(row for row in members if row["roles"] == ["VIEWER"])
    program.patch(f"/api/v1/members/{viewer['id']}", {"roles": ["MEMBER"]})
    program.post(f"/api/v1/members/{viewer['id']}/ban", {"reason": "r"})
    told = [json.loads(row.message.payload) for row in deliveries(acme, endpoint_id=endpoint.id)]
    assert {envelope["type"] for envelope in told} >= {
        *("client.created", "client.updated", "invoice.created", "invoice.finalized", "invoice.partially_paid"),
        *("payment.succeeded", "invoice.uncollectible", "member.role_changed", "member.banned"),
    }
    for envelope in told:
        operation = document["webhooks"][envelope["type"]]["post"]
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        validator = Draft202012Validator({**schema, "components": document["components"]})
        assert [error.message for error in validator.iter_errors(envelope)] == [], envelope["type"]


def test_every_event_type_is_listed(program: APIClient) -> None:
    rows = program.get("/api/v1/webhooks/event-types").json()["data"]
    assert [row["name"] for row in rows] == list(CATALOGUE)
    paid = next(row for row in rows if row["name"] == "invoice.paid")
    assert (paid["resource"], paid["patterns"]) == ("invoice", ["invoice.paid", "invoice.*", "*"])


def test_another_tenants_are_not_there(acme: TenantView, globex: TenantView, program: APIClient) -> None:
    theirs = make_endpoint(globex).endpoint
    with in_tenant(globex):
        make_client(actor_of(globex))
    (owed,) = deliveries(globex, endpoint_id=theirs.id)
    assert program.get(ENDPOINTS).json()["data"] == program.get(DELIVERIES).json()["data"] == []
    assert program.get(DELIVERIES, {"endpoint_id": str(theirs.id)}).json()["data"] == []
    one = f"{ENDPOINTS}/{theirs.id}"
    since = {"since": "2026-01-01T00:00:00Z"}
    calls: list[tuple[Callable[..., Any], str, dict[str, Any]]] = [
        (program.get, one, {}),
        (program.patch, one, {"description": "mine"}),
        (program.delete, one, {}),
        *((program.post, f"{one}/{verb}", since) for verb in ("rotate-secret", "enable", "disable", "test", "replay")),
    ]
    for call, path, body in calls:
        assert problem(call(path, body), 404)["code"] == "webhook_endpoint_not_found", path
    for call, path in ((program.get, f"{DELIVERIES}/{owed.id}"), (program.post, f"{DELIVERIES}/{owed.id}/replay")):
        assert problem(call(path), 404)["code"] == "webhook_delivery_not_found"
    assert problem(program.get(f"{DELIVERIES}/{uuid4()}"), 404)


@pytest.mark.parametrize("role", ["ACCOUNTANT", "MEMBER", "VIEWER"])
def test_who_may_not_set_webhooks_up_does_not_see_them(acme: TenantView, api: ApiFor, role: str) -> None:
    endpoint, program = make_endpoint(acme).endpoint, api(acme, role)
    for method, path in (
        *(("get", ENDPOINTS), ("post", ENDPOINTS), ("get", DELIVERIES), ("get", "/api/v1/webhooks/event-types")),
        *(("get", f"{ENDPOINTS}/{endpoint.id}"), ("post", f"{ENDPOINTS}/{endpoint.id}/test")),
    ):
        assert problem(getattr(program, method)(path, {}), 403)["code"] == "permission_refused", path
