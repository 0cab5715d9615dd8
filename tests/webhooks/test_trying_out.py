"""Trying endpoints out: one call, before all others, from which nothing follows."""

from uuid import UUID

import pytest

from apps.core.breaker import BreakerState
from apps.core.clock import utcnow
from apps.core.tenants import tenant_scope
from apps.tenancy.selectors import TenantView
from apps.webhooks import selectors, sending, services
from apps.webhooks.errors import AlreadyTesting
from apps.webhooks.models import Delivery
from tests.factories.webhooks import Receiver, deliveries, make_due, make_endpoint, owe, states, stored, turn
from tests.fixtures.tenants import actor_of, in_tenant


def ask(tenant: TenantView, endpoint_id: UUID) -> UUID:
    """Somebody tries an endpoint out."""
    with in_tenant(tenant):
        return services.send_test_event(actor=actor_of(tenant), endpoint_id=endpoint_id).id


def test_a_test_event_is_sent_once_and_nothing_follows(acme: TenantView, receiver: Receiver) -> None:
    endpoint_id, actor = make_endpoint(acme, receiver.url, event_types=["client.created"]).endpoint.id, actor_of(acme)
    receiver.answers = [410, 200]
    with in_tenant(acme):
        services.disable_endpoint(actor=actor, endpoint_id=endpoint_id)
    for state, status in (("DEAD", 410), ("SUCCEEDED", 200)):
        with in_tenant(acme):
            asked = services.send_test_event(actor=actor, endpoint_id=endpoint_id)
        assert (asked.state, asked.is_test, asked.attempts) == ("PENDING", True, 0)
        turn(acme, endpoint_id)
        with in_tenant(acme):
            detail = selectors.get_delivery(actor=actor, delivery_id=asked.id)
        found = detail.delivery
        assert (found.state, found.last_status, found.is_test, found.attempts) == (state, status, True, 1)
        assert found.allowed_actions == () and len(detail.log) == 1
        assert receiver.calls[-1].event["type"] == "webhook.test"
    endpoint = stored(acme, endpoint_id)
    assert (endpoint.disabled_reason, endpoint.failing_since) == ("BY_MEMBER", None)


def test_a_workspace_has_one_test_at_a_time(acme: TenantView, globex: TenantView, receiver: Receiver) -> None:
    first, second = (make_endpoint(acme, f"{receiver.url}/{name}").endpoint.id for name in "ab")
    foreign = make_endpoint(globex, f"{receiver.url}/c").endpoint.id
    ask(acme, first)
    for endpoint_id in (first, second):
        with pytest.raises(AlreadyTesting):
            ask(acme, endpoint_id)
    ask(globex, foreign)
    with tenant_scope(acme.scope):
        assert sending.claim(endpoint_id=first) is not None
    with pytest.raises(AlreadyTesting):
        ask(acme, second)
    # Its worker died: the lease ends.
    make_due(acme)
    ask(acme, second)
    for tenant, endpoint_id in ((acme, first), (acme, second), (globex, foreign)):
        turn(tenant, endpoint_id)
    assert states(acme) == ["DEAD", "SUCCEEDED"] and states(globex) == ["SUCCEEDED"]
    assert sorted(call.path for call in receiver.calls) == ["/b", "/c"]


def test_a_test_goes_before_what_waits_and_past_the_breaker(acme: TenantView, receiver: Receiver) -> None:
    receiver.answers = [500] * 10
    endpoint_id = owe(acme, receiver.url, 12)
    turn(acme, endpoint_id)
    assert sending.breaker_of(endpoint_id).state() is BreakerState.OPEN
    made = len(receiver.calls)
    ask(acme, endpoint_id)
    turn(acme, endpoint_id)
    assert len(receiver.calls) == made + 1 and receiver.calls[-1].event["type"] == "webhook.test"
    assert sending.breaker_of(endpoint_id).state() is BreakerState.OPEN
    assert stored(acme, endpoint_id).failing_since is not None


def test_disabling_an_endpoint_leaves_its_test(acme: TenantView, receiver: Receiver) -> None:
    endpoint_id = owe(acme, receiver.url)
    ask(acme, endpoint_id)
    with in_tenant(acme):
        services.disable_endpoint(actor=actor_of(acme), endpoint_id=endpoint_id)
    turn(acme, endpoint_id)
    assert states(acme) == ["DEAD", "SUCCEEDED"] and len(receiver.calls) == 1


def test_a_test_that_no_worker_sent_in_time_is_not_sent(acme: TenantView, receiver: Receiver) -> None:
    endpoint_id = make_endpoint(acme, receiver.url).endpoint.id
    late = ask(acme, endpoint_id)
    with in_tenant(acme):
        Delivery.objects.update(created_at=utcnow() - sending.TEST_PATIENCE)
    fresh = ask(acme, endpoint_id)
    turn(acme, endpoint_id)
    found = {row.id: row for row in deliveries(acme)}
    assert (found[late].state, found[late].last_error) == ("DEAD", "The test could not be sent in time.")
    assert found[fresh].state == "SUCCEEDED" and len(receiver.calls) == 1
