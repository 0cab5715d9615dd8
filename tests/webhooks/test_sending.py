"""Sending: signed, logged, tried again, given up; one endpoint never stands in another's way."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from standardwebhooks import Webhook

from apps.audit.models import AuditEntry
from apps.core import correlation, tracing
from apps.core.actor import system
from apps.core.breaker import BreakerState
from apps.core.clock import utcnow
from apps.core.tenants import tenant_scope
from apps.notifications.composing import compose
from apps.notifications.models import EmailDelivery, Notification
from apps.tenancy import deleting
from apps.tenancy.selectors import TenantView
from apps.webhooks import calling, owing, selectors, sending, services, tasks
from apps.webhooks.calling import Outcome
from apps.webhooks.ladder import MOST_ATTEMPTS, STEPS
from apps.webhooks.models import Attempt, Delivery, Endpoint, Message
from tests.factories.webhooks import (
    Receiver,
    deliveries,
    make_due,
    make_endpoint,
    owe,
    receiving,
    states,
    stored,
    tell,
    turn,
)
from tests.fixtures.tenants import actor_of, in_tenant

NewTenant = Callable[[str], TenantView]


def test_a_message_arrives_signed_and_traced(acme: TenantView, receiver: Receiver) -> None:
    made = make_endpoint(acme, f"{receiver.url}/in?key=1", event_types=["client.created"])
    correlation.bind("order-4711")
    tracing.bind("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    tell(acme)
    correlation.bind("somebody-else")
    receiver.body = b'{"ok": true}\x00'
    assert turn(acme, made.endpoint.id) is False
    (call,) = receiver.calls
    event = Webhook(made.secret).verify(call.body, call.headers)
    assert (event["type"], event["id"], call.path) == ("client.created", call.headers["webhook-id"], "/in?key=1")
    assert call.headers["content-type"] == "application/json"
    assert call.headers["x-correlation-id"] == "order-4711"
    assert call.headers["traceparent"].split("-")[1] == "0af7651916cd43dd8448eb211c80319c"
    (row,) = deliveries(acme)
    assert (row.state, row.attempts, row.last_status, row.next_attempt_at) == ("SUCCEEDED", 1, 204, None)
    with in_tenant(acme):
        detail = selectors.get_delivery(actor=actor_of(acme), delivery_id=row.id)
    assert detail.payload.encode() == call.body
    (logged,) = detail.log
    assert (logged.number, logged.status, logged.error) == (1, 204, "")
    assert logged.request_headers["webhook-id"] == event["id"] and made.secret not in str(logged)
    assert call.headers["webhook-signature"] not in str(logged)
    assert logged.response_body in ('{"ok": true}\ufffd', "")
    # The worker's own context is as it was.
    assert correlation.current() == "somebody-else"


def test_both_secrets_sign_while_they_overlap(acme: TenantView, receiver: Receiver) -> None:
    made = make_endpoint(acme, receiver.url, event_types=["client.created"])
    with in_tenant(acme):
        new = services.rotate_secret(actor=actor_of(acme), endpoint_id=made.endpoint.id)
    tell(acme)
    turn(acme, made.endpoint.id)
    (call,) = receiver.calls
    for secret in (made.secret, new.secret):
        assert Webhook(secret).verify(call.body, call.headers)
    assert call.headers["webhook-signature"].count("v1,") == 2


@pytest.mark.parametrize("status", [301, 302, 400, 404, 500, 503])
def test_whatever_is_not_2xx_is_tried_again(acme: TenantView, receiver: Receiver, status: int) -> None:
    receiver.answers, receiver.headers = [status], {"Location": f"{receiver.url}/elsewhere"}
    endpoint_id, before = owe(acme, receiver.url), utcnow()
    turn(acme, endpoint_id)
    (row,) = deliveries(acme)
    assert (row.state, row.attempts, row.last_status) == ("PENDING", 1, status)
    assert row.next_attempt_at is not None
    assert STEPS[0] * 0.9 <= row.next_attempt_at - before <= STEPS[0] * 1.1 + timedelta(seconds=60)
    assert len(receiver.calls) == 1
    assert stored(acme, endpoint_id).failing_since is not None
    make_due(acme)
    turn(acme, endpoint_id)
    assert states(acme) == ["SUCCEEDED"] and stored(acme, endpoint_id).failing_since is None
    assert {call.headers["webhook-id"] for call in receiver.calls} == {row.message.event_id}
    assert len({call.body for call in receiver.calls}) == 1


def test_a_receiver_may_ask_for_more_time(acme: TenantView, receiver: Receiver) -> None:
    receiver.answers, receiver.headers = [429], {"Retry-After": "3600"}
    turn(acme, owe(acme, receiver.url))
    (row,) = deliveries(acme)
    assert row.next_attempt_at is not None
    assert timedelta(minutes=58) < row.next_attempt_at - utcnow() <= timedelta(hours=1)


def test_after_the_last_attempt_it_is_dead(acme: TenantView, receiver: Receiver) -> None:
    receiver.answers = [500] * 20
    endpoint_id = owe(acme, receiver.url)
    for number in range(1, MOST_ATTEMPTS + 1):
        make_due(acme)
        sending.breaker_of(endpoint_id).reset()
        turn(acme, endpoint_id)
        assert len(receiver.calls) == number
    assert states(acme) == ["DEAD"]
    with in_tenant(acme):
        assert list(Attempt.objects.order_by("number").values_list("number", flat=True)) == list(range(1, number + 1))
    turn(acme, endpoint_id)
    assert len(receiver.calls) == MOST_ATTEMPTS


def test_410_ends_it_at_once(acme: TenantView, receiver: Receiver) -> None:
    receiver.answers = [410]
    endpoint_id = owe(acme, receiver.url, 3)
    turn(acme, endpoint_id)
    endpoint = stored(acme, endpoint_id)
    assert (endpoint.is_enabled, endpoint.disabled_reason) == (False, "GONE")
    assert states(acme) == ["DEAD"] * 3 and len(receiver.calls) == 1
    tell(acme)
    assert len(deliveries(acme)) == 3


def test_after_five_days_of_failure_it_is_given_up_with_notice(acme: TenantView, receiver: Receiver) -> None:
    receiver.answers = [500] * 9
    endpoint_id = owe(acme, receiver.url)
    for since, attempts in ((timedelta(days=4, hours=23), 7), (timedelta(days=7), 0)):
        # Not yet so long; or a week ago, and once now.
        with in_tenant(acme):
            Endpoint.objects.update(failing_since=utcnow() - since)
        make_due(acme, round_attempts=attempts)
        turn(acme, endpoint_id)
        assert stored(acme, endpoint_id).is_enabled
    with in_tenant(acme):
        Endpoint.objects.update(failing_since=utcnow() - timedelta(days=5))
    make_due(acme, round_attempts=4)
    turn(acme, endpoint_id)
    endpoint = stored(acme, endpoint_id)
    assert (endpoint.is_enabled, endpoint.disabled_reason, states(acme)) == (False, "FAILING", ["DEAD"])
    entry = AuditEntry.objects.filter(tenant_id=acme.id, action="webhooks.endpoint.disable").latest("occurred_at")
    assert (entry.entity_id, entry.actor_kind) == (str(endpoint_id), "SYSTEM")
    told = Notification.objects.filter(tenant_id=acme.id, kind="WEBHOOK_DISABLED")
    letters = EmailDelivery.objects.filter(tenant_id=acme.id, template="webhook_disabled")
    assert told.count() == letters.count() == 2  # OWNER and ADMIN
    assert set(letters.values_list("to", flat=True)) == {f"{role}@{acme.slug}.test" for role in ("owner", "admin")}


def test_the_letter_tells_where_and_why_in_plain_words(acme: TenantView, receiver: Receiver) -> None:
    receiver.answers = [410]
    turn(acme, owe(acme, f"{receiver.url}/hook?key=sesame"))
    letters = EmailDelivery.objects.filter(tenant_id=acme.id, template="webhook_disabled").order_by("to")
    message = compose(letters[1])
    host = receiver.url.removeprefix("http://")
    assert f"does not send webhooks to {host} any more. It answered that it is gone (410)." in str(message.body)
    assert f"{acme.home_url}/" in str(message.body) and "sesame" not in str(message.body)
    assert letters[1].subject == f"A webhook endpoint of {acme.name} was disabled"


def test_nobody_is_told_of_an_endpoint_of_a_deleted_workspace(acme: TenantView, receiver: Receiver) -> None:
    endpoint_id = owe(acme, receiver.url)
    receiver.answers = [410]
    with tenant_scope(acme.scope):
        job = sending.claim(endpoint_id=endpoint_id)
        assert job is not None
        outcome = calling.call(job)
    deleting.delete_tenant(actor=system(acme.id), tenant_id=acme.id)
    with tenant_scope(acme.scope):
        sending.settle(job, outcome)
    assert states(acme) == ["DEAD"] and stored(acme, endpoint_id).is_enabled
    assert not EmailDelivery.objects.filter(tenant_id=acme.id, template="webhook_disabled").exists()


@pytest.mark.parametrize("status", [410, 500])
def test_what_a_former_address_answers_says_nothing_of_the_new_one(
    acme: TenantView, receiver: Receiver, status: int
) -> None:
    """An endpoint moves because its old address is going; a call is under way to that one still."""
    endpoint_id = owe(acme, f"{receiver.url}/old")
    receiver.answers = [status]
    with in_tenant(acme):
        Endpoint.objects.filter(pk=endpoint_id).update(failing_since=utcnow() - timedelta(days=6))
    with tenant_scope(acme.scope):
        job = sending.claim(endpoint_id=endpoint_id)
        assert job is not None
        outcome = calling.call(job)
    with in_tenant(acme):
        changes: Any = {"url": f"{receiver.url}/new"}
        services.update_endpoint(actor=actor_of(acme), endpoint_id=endpoint_id, changes=changes)
        Delivery.objects.update(round_attempts=8)
    with tenant_scope(acme.scope):
        sending.settle(job, outcome)
    endpoint = stored(acme, endpoint_id)
    assert (endpoint.is_enabled, endpoint.failing_since, states(acme)) == (True, None, ["PENDING"])
    make_due(acme)
    turn(acme, endpoint_id)
    assert states(acme) == ["SUCCEEDED"] and [call.path for call in receiver.calls] == ["/old", "/new"]


def test_the_breaker_of_an_endpoint_is_its_own(acme: TenantView, receiver: Receiver) -> None:
    receiver.answers = [500] * 30
    dead = owe(acme, receiver.url, 14)
    for _ in range(14):
        turn(acme, dead)
    assert len(receiver.calls) == 10
    assert sending.breaker_of(dead).state() is BreakerState.OPEN
    with receiving() as other:
        alive = make_endpoint(acme, other.url, event_types=["client.created"]).endpoint.id
        tell(acme)
        turn(acme, alive)
        assert len(other.calls) == 1
    # Nothing that waits has lost an attempt by waiting.
    assert sorted(row.attempts for row in deliveries(acme, endpoint_id=dead)) == [0] * 5 + [1] * 10


def test_a_slow_receiver_gains_no_time(acme: TenantView, receiver: Receiver) -> None:
    never = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        with suppress(OSError):
            for sign in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200:
                handler.connection.send(bytes([sign]))
                never.wait(0.02)

    receiver.act = drip
    endpoint_id = owe(acme, receiver.url)
    turn(acme, endpoint_id, total_seconds=0.3)
    (row,) = deliveries(acme)
    assert (row.state, row.last_status, row.last_error) == ("PENDING", None, "The server took too long.")


def test_of_a_huge_answer_the_beginning_is_kept(acme: TenantView, receiver: Receiver) -> None:
    receiver.body, receiver.headers = b"x" * 3_000_000, {"X-Long": "y" * 5000, "Set-Cookie": "session=1"}
    receiver.answers = [200]
    turn(acme, owe(acme, receiver.url))
    with in_tenant(acme):
        attempt = Attempt.objects.get()
    assert (attempt.status, len(attempt.response_body)) == (200, calling.MOST_ANSWER)
    assert len(attempt.response_headers["x-long"]) == calling.MOST_HEADER
    assert "session" not in attempt.response_headers["set-cookie"]


def test_an_address_that_leads_inside_is_not_called(acme: TenantView, receiver: Receiver, settings: Any) -> None:
    endpoint_id = owe(acme, receiver.url.replace("http:", "https:"))
    settings.OUTBOUND_PRIVATE_ADDRESSES = False
    turn(acme, endpoint_id)
    (row,) = deliveries(acme)
    assert (row.state, row.last_status, row.last_error) == ("PENDING", None, "The server cannot be reached.")
    assert receiver.calls == []


def test_a_name_that_changes_its_meaning_is_looked_at_when_called(
    acme: TenantView, receiver: Receiver, settings: Any, monkeypatch: Any
) -> None:
    """DNS rebinding: the name was public when the endpoint was added, and means this machine now."""
    port = int(receiver.url.rpartition(":")[2])
    settings.OUTBOUND_PRIVATE_ADDRESSES = False
    endpoint_id = owe(acme, f"https://rebound.example.com:{port}/")
    asked: list[str] = []

    def rebound(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("8.8.8.8", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    turn(acme, endpoint_id)
    monkeypatch.undo()
    assert asked == ["rebound.example.com"] and receiver.calls == []
    assert deliveries(acme)[0].last_error == "The server cannot be reached."


def test_what_waits_for_a_disabled_endpoint_is_dead(acme: TenantView, receiver: Receiver) -> None:
    endpoint_id = owe(acme, receiver.url, 2)
    with in_tenant(acme):
        services.disable_endpoint(actor=actor_of(acme), endpoint_id=endpoint_id)
    turn(acme, endpoint_id)
    assert states(acme) == ["DEAD"] * 2 and receiver.calls == []


def test_a_worker_that_died_after_sending_sends_the_same_again(acme: TenantView, receiver: Receiver) -> None:
    endpoint_id = owe(acme, receiver.url)
    with tenant_scope(acme.scope):
        job = sending.claim(endpoint_id=endpoint_id)
        assert job is not None
        lost = calling.call(job)
        assert lost.is_success
    turn(acme, endpoint_id)
    assert len(receiver.calls) == 1  # the lease holds
    make_due(acme)
    turn(acme, endpoint_id)
    assert [call.headers["webhook-id"] for call in receiver.calls] == [job.event_id] * 2
    with in_tenant(acme):
        logged = list(Attempt.objects.order_by("number").values_list("number", "status", "error"))
    assert logged == [(1, None, "The worker stopped before it had noted an answer."), (2, 204, "")]
    # The dead worker was only slow: what it notes now changes nothing.
    with tenant_scope(acme.scope):
        sending.settle(job, Outcome(utcnow(), 1, {}, status=500, error="late"))
    (row,) = deliveries(acme)
    assert (row.state, row.attempts, row.last_status) == ("SUCCEEDED", 2, 204)


def test_workers_that_always_die_end_in_time(acme: TenantView) -> None:
    endpoint_id = owe(acme, "https://example.com/")
    for _ in range(MOST_ATTEMPTS):
        with tenant_scope(acme.scope):
            assert sending.claim(endpoint_id=endpoint_id) is not None
        make_due(acme)
    with tenant_scope(acme.scope):
        assert sending.claim(endpoint_id=endpoint_id) is None
    assert states(acme) == ["DEAD"]


def test_an_unknown_key_loses_nothing(acme: TenantView, receiver: Receiver, settings: Any) -> None:
    endpoint_id, keys = owe(acme, receiver.url), settings.SEALING_KEYS
    settings.SEALING_KEYS = ["another-master-key-of-the-operators-0123456789"]
    turn(acme, endpoint_id)
    assert states(acme) == ["PENDING"] and receiver.calls == []
    settings.SEALING_KEYS = keys
    turn(acme, endpoint_id)
    assert states(acme) == ["SUCCEEDED"]


def test_what_happens_is_sent_after_the_commit_and_the_sweep_does_what_is_left(
    acme: TenantView, receiver: Receiver, run_tasks: Callable[[], Any]
) -> None:
    endpoint_id = make_endpoint(acme, receiver.url, event_types=["client.created"]).endpoint.id
    receiver.answers = [204, 500]
    with run_tasks():
        tell(acme, 2)
    assert states(acme, endpoint_id=endpoint_id) == ["SUCCEEDED", "PENDING"]
    make_due(acme)
    with run_tasks():
        tasks.sweep()
    assert states(acme) == ["SUCCEEDED"] * 2 and len(receiver.calls) == 3
    with in_tenant(acme):
        Message.objects.update(occurred_at=utcnow() - timedelta(days=31))
    tasks.purge()
    assert deliveries(acme) == []


def test_the_endpoints_of_a_workspace_share_its_calls(
    acme: TenantView, globex: TenantView, receiver: Receiver, run_tasks: Callable[[], Any]
) -> None:
    for number in range(sending.IN_WORKSPACE + 2):
        make_endpoint(acme, f"{receiver.url}/{number}", event_types=["client.created"])
    tell(acme)
    other = owe(globex, receiver.url)
    with tenant_scope(acme.scope):
        found = [sending.claim(endpoint_id=one) for one in owing.survey()]
        taken = [job for job in found if job]
        assert len(taken) == sending.IN_WORKSPACE and len(found) == len(taken) + 2
    with tenant_scope(globex.scope):
        assert sending.claim(endpoint_id=other) is not None
    # Those whose hints found no call to spare are woken by who is ready, one by the other.
    with in_tenant(acme):
        held = [job.delivery_id for job in taken[1:]]
        Delivery.objects.exclude(pk__in=held).update(state="PENDING", next_attempt_at=utcnow() - timedelta(minutes=1))
    with run_tasks():
        turn(acme, taken[0].endpoint_id)
    assert sorted(states(acme)) == ["SENDING"] * len(held) + ["SUCCEEDED"] * 3
