"""Sending again what was missed: with the same id, in order, never twice at once, and not without end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from apps.core.clock import utcnow
from apps.core.errors import IllegalState, ValidationFailed
from apps.tenancy.selectors import TenantView
from apps.webhooks import selectors, services
from apps.webhooks.models import Attempt, Delivery, Message
from apps.webhooks.selectors import MOST_ATTEMPTS_SHOWN
from tests.factories.invoices import make_client
from tests.factories.webhooks import Receiver, deliveries, make_endpoint, turn
from tests.fixtures.tenants import actor_of, in_tenant

RunTasks = Callable[[], Any]


@pytest.fixture
def endpoint_id(acme: TenantView, receiver: Receiver) -> UUID:
    """An endpoint that listens to new clients."""
    return make_endpoint(acme, receiver.url, event_types=["client.created"]).endpoint.id


def tell(tenant: TenantView, number: int = 1) -> None:
    with in_tenant(tenant):
        for _ in range(number):
            make_client(actor_of(tenant))


def test_one_delivery_is_sent_again_with_the_same_id(
    acme: TenantView, receiver: Receiver, endpoint_id: UUID, run_tasks: RunTasks
) -> None:
    tell(acme)
    turn(acme, endpoint_id)
    (row,) = deliveries(acme)
    with run_tasks(), in_tenant(acme):
        again = services.replay(actor=actor_of(acme), delivery_id=row.id)
        assert (again.state, again.attempts, again.completed_at) == ("PENDING", 1, None)
    (row,) = deliveries(acme)
    assert (row.state, row.attempts, row.round_attempts) == ("SUCCEEDED", 2, 1)
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1 and len(receiver.calls) == 2


def test_what_is_sent_again_goes_in_the_order_in_which_it_happened(
    acme: TenantView, receiver: Receiver, endpoint_id: UUID, run_tasks: RunTasks
) -> None:
    """Also what happened while the endpoint was disabled, whose delivery is written only now."""
    tell(acme)
    with in_tenant(acme):
        services.disable_endpoint(actor=actor_of(acme), endpoint_id=endpoint_id)
    tell(acme)
    with in_tenant(acme):
        services.enable_endpoint(actor=actor_of(acme), endpoint_id=endpoint_id)
    tell(acme)
    turn(acme, endpoint_id)
    receiver.calls.clear()
    with run_tasks(), in_tenant(acme):
        services.replay_since(
            actor=actor_of(acme), endpoint_id=endpoint_id, since=utcnow() - timedelta(hours=1), only_dead=False
        )
    moments = [call.event["timestamp"] for call in receiver.calls]
    assert len(moments) == 3 and moments == sorted(moments)


def test_what_is_on_its_way_is_not_sent_again(acme: TenantView, endpoint_id: UUID) -> None:
    tell(acme)
    (row,) = deliveries(acme)
    with in_tenant(acme), pytest.raises(IllegalState):
        services.replay(actor=actor_of(acme), delivery_id=row.id)


def test_nothing_is_sent_again_to_a_disabled_endpoint(acme: TenantView, endpoint_id: UUID) -> None:
    tell(acme)
    (row,) = deliveries(acme)
    with in_tenant(acme):
        services.disable_endpoint(actor=actor_of(acme), endpoint_id=endpoint_id)
        with pytest.raises(IllegalState):
            services.replay(actor=actor_of(acme), delivery_id=row.id)
        with pytest.raises(IllegalState):
            services.replay_since(actor=actor_of(acme), endpoint_id=endpoint_id, since=utcnow())


def test_what_an_endpoint_missed_comes_in_order(acme: TenantView, receiver: Receiver, endpoint_id: UUID) -> None:
    since = utcnow()
    tell(acme)
    turn(acme, endpoint_id)
    tell(acme)
    with in_tenant(acme):
        services.disable_endpoint(actor=actor_of(acme), endpoint_id=endpoint_id)
    tell(acme, 2)
    assert len(deliveries(acme)) == 2
    with in_tenant(acme):
        services.enable_endpoint(actor=actor_of(acme), endpoint_id=endpoint_id)
        assert services.replay_since(actor=actor_of(acme), endpoint_id=endpoint_id, since=since) == 3
        # What is on its way is not queued twice.
        assert services.replay_since(actor=actor_of(acme), endpoint_id=endpoint_id, since=since) == 0
        in_order = [f"evt_{pk.hex}" for pk in Message.objects.order_by("occurred_at").values_list("pk", flat=True)]
    turn(acme, endpoint_id)
    sent = [call.headers["webhook-id"] for call in receiver.calls]
    assert sorted(sent) == sorted(in_order) and sent[0] == in_order[0]
    with in_tenant(acme):
        assert services.replay_since(actor=actor_of(acme), endpoint_id=endpoint_id, since=since) == 0
        everything = services.replay_since(actor=actor_of(acme), endpoint_id=endpoint_id, since=since, only_dead=False)
    assert everything == 4


def test_a_replay_is_bounded_and_goes_on_where_it_ended(acme: TenantView, endpoint_id: UUID, settings: Any) -> None:
    settings.WEBHOOK_REPLAY_MOST = 2
    since = utcnow()
    tell(acme, 3)
    with in_tenant(acme):
        Delivery.objects.update(state="DEAD", next_attempt_at=None, completed_at=utcnow())
        counts = [services.replay_since(actor=actor_of(acme), endpoint_id=endpoint_id, since=since) for _ in range(3)]
    assert counts == [2, 1, 0]
    assert [row.state for row in deliveries(acme)] == ["PENDING"] * 3


def test_only_what_it_listens_to_and_happened_since_is_replayed(acme: TenantView, endpoint_id: UUID) -> None:
    other = make_endpoint(acme, "https://example.com/", event_types=["client.*"]).endpoint.id
    tell(acme)
    with in_tenant(acme):
        services.update_endpoint(actor=actor_of(acme), endpoint_id=endpoint_id, changes={"event_types": ["invoice.*"]})
        Delivery.objects.update(state="DEAD", next_attempt_at=None, completed_at=utcnow())
        since = utcnow() - timedelta(hours=1)
        assert services.replay_since(actor=actor_of(acme), endpoint_id=endpoint_id, since=since) == 0
        assert services.replay_since(actor=actor_of(acme), endpoint_id=other, since=utcnow()) == 0
        assert services.replay_since(actor=actor_of(acme), endpoint_id=other, since=since) == 1
        with pytest.raises(ValidationFailed):
            services.replay_since(actor=actor_of(acme), endpoint_id=other, since=utcnow() + timedelta(minutes=1))


def test_of_a_delivery_that_is_replayed_endlessly_the_last_attempts_are_shown(
    acme: TenantView, endpoint_id: UUID
) -> None:
    tell(acme)
    (row,) = deliveries(acme)
    with in_tenant(acme):
        Attempt.objects.bulk_create(
            Attempt(delivery=row, number=number, started_at=utcnow(), duration_ms=1, status=500)
            for number in range(1, MOST_ATTEMPTS_SHOWN + 6)
        )
        found = selectors.get_delivery(actor=actor_of(acme), delivery_id=row.id)
    assert [each.number for each in found.log] == list(range(6, MOST_ATTEMPTS_SHOWN + 6))
