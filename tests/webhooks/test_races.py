"""Several workers at once, workers that die, and endpoints that go while they are told something."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from uuid import UUID

from apps.core.clock import utcnow
from apps.tenancy.selectors import TenantView
from apps.webhooks import recording, services
from apps.webhooks.catalogue import CATALOGUE
from apps.webhooks.errors import AlreadyTesting
from apps.webhooks.models import Attempt, Endpoint
from tests.factories.invoices import make_client
from tests.factories.webhooks import (
    Receiver,
    deliveries,
    make_due,
    make_endpoint,
    owe,
    receiving,
    states,
    turn,
)
from tests.fixtures.processes import process, product_environment, wait_until
from tests.fixtures.tenants import actor_of, in_tenant
from tests.fixtures.threads import at_once

NewTenant = Callable[[str], TenantView]


def test_a_worker_that_is_killed_while_it_waits_leaves_the_message_to_the_next(
    committed: NewTenant, receiver: Receiver, database_name: str, tmp_path: Path
) -> None:
    tenant, hold = committed("Killed hooks"), threading.Event()
    receiver.act = _holding(hold)
    endpoint_id = owe(tenant, receiver.url)
    arguments = (sys.executable, "-m", "tests.webhooks.child", str(tenant.id), str(endpoint_id))
    environment = product_environment(database_name) | {"OUTBOUND_PRIVATE_ADDRESSES": "true"}
    log = tmp_path / "child.txt"
    with process(*arguments, env=environment, log=log) as child:

        def called() -> bool:
            assert child.poll() is None, log.read_text()
            return bool(receiver.calls)

        wait_until(called, what="the worker to call the endpoint")
        os.killpg(child.pid, signal.SIGKILL)
        child.wait(10)
    hold.set()
    receiver.act = None
    assert states(tenant) == ["SENDING"]
    assert turn(tenant, endpoint_id) is False and len(receiver.calls) == 1  # the lease holds
    make_due(tenant)
    turn(tenant, endpoint_id)
    assert states(tenant) == ["SUCCEEDED"]
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1 and len(receiver.calls) == 2
    with in_tenant(tenant):
        assert list(Attempt.objects.order_by("number").values_list("status", flat=True)) == [None, 204]


def test_two_workers_send_each_message_once(committed: NewTenant, receiver: Receiver) -> None:
    tenant = committed("Hooks at once")
    endpoint_id = make_endpoint(tenant, receiver.url, event_types=["client.created"]).endpoint.id
    with in_tenant(tenant):
        client_id = make_client(actor_of(tenant)).id
        for _ in range(11):
            recording.tell(event=CATALOGUE["client.created"], subject_id=client_id)
    outcomes = at_once([lambda: turn(tenant, endpoint_id)] * 4)
    assert outcomes == [False] * 4
    ids = [call.headers["webhook-id"] for call in receiver.calls]
    assert len(ids) == len(set(ids)) == 12
    assert states(tenant) == ["SUCCEEDED"] * 12


def _holding(hold: threading.Event) -> Callable[[BaseHTTPRequestHandler], None]:
    def wait(_: BaseHTTPRequestHandler) -> None:
        hold.wait(60)

    return wait


def test_an_endpoint_that_hangs_holds_no_other_up(committed: NewTenant, receiver: Receiver) -> None:
    slow, quick = committed("Hanging hooks"), committed("Quick hooks")
    hold = threading.Event()
    receiver.act = _holding(hold)
    dead = owe(slow, receiver.url, 8)
    with in_tenant(slow):
        Endpoint.objects.filter(pk=dead).update(failing_since=utcnow())

    def meanwhile() -> bool:
        receiver.wait_for(1)
        # Further workers that are woken for the failing endpoint do not wait for it.
        assert [turn(slow, dead) for _ in range(5)] == [False] * 5
        with receiving() as other:
            alive = owe(quick, other.url, 5)
            turn(quick, alive)
            assert len(other.calls) == 5
        assert len(receiver.calls) == 1
        hold.set()
        return True

    results = at_once([lambda: turn(slow, dead, total_seconds=60), meanwhile])
    hold.set()
    assert results[1] is True, results


def test_of_several_tests_at_once_one_is_sent(committed: NewTenant) -> None:
    tenant = committed("Tried at once")
    actor, endpoints = actor_of(tenant), [make_endpoint(tenant).endpoint.id for _ in range(2)]

    def ask(endpoint_id: UUID) -> str:
        with in_tenant(tenant):
            return services.send_test_event(actor=actor, endpoint_id=endpoint_id).state

    answers = at_once([partial(ask, endpoint_id) for endpoint_id in endpoints * 3])
    assert answers.count("PENDING") == 1 and sum(isinstance(each, AlreadyTesting) for each in answers) == 5


def test_a_removed_endpoint_loses_no_fact_that_is_being_told(committed: NewTenant) -> None:
    tenant = committed("Removed hooks")
    endpoint_id = make_endpoint(tenant, event_types=["client.created"]).endpoint.id
    told, removing = threading.Event(), threading.Event()

    def tell_slowly() -> str:
        with in_tenant(tenant):
            make_client(actor_of(tenant))
            told.set()
            assert removing.wait(60)
        return "told"

    def remove_it() -> str:
        assert told.wait(60)
        removing.set()
        with in_tenant(tenant):
            services.delete_endpoint(actor=actor_of(tenant), endpoint_id=endpoint_id)
        return "removed"

    assert at_once([tell_slowly, remove_it]) == ["told", "removed"]
    assert deliveries(tenant) == []
