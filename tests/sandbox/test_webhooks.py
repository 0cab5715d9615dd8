"""Webhooks: signed, retried, held, reordered, duplicated."""

from __future__ import annotations

import pytest
import stripe

from sandbox.stripe.signing import signature_header
from tests.sandbox.process import Receiver, Sandbox, wait_for
from tests.sandbox.stories import complete, open_session

pytestmark = pytest.mark.over_http


def _quiet(sandbox: Sandbox) -> bool:
    return not sandbox.deliveries("pending")


def test_a_payment_is_told_signed_and_in_order(
    client: stripe.StripeClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    session = open_session(client, metadata={"invoice": "7"})
    complete(sandbox, session.id)
    wait_for(lambda: _quiet(sandbox), "all deliveries")
    assert receiver.types() == [
        "product.created",
        "price.created",
        "payment_intent.created",
        "charge.succeeded",
        "charge.updated",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]
    last = receiver.received[-1]
    event = stripe.Webhook.construct_event(last.body, last.signature, receiver.secret)
    assert event.api_version == stripe.api_version
    assert event.data.object["id"] == session.id
    assert event.data.object["metadata"]["invoice"] == "7"
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(last.body, last.signature, "whsec_other")
    assert client.v1.events.retrieve(event.id).pending_webhooks == 0


def test_a_failing_receiver_is_tried_again(client: stripe.StripeClient, sandbox: Sandbox, receiver: Receiver) -> None:
    receiver.answers = [500, 503]
    client.v1.customers.create({})
    wait_for(lambda: _quiet(sandbox), "the third attempt")
    assert receiver.types() == ["customer.created"] * 3
    assert len({item.event["id"] for item in receiver.received}) == 1
    [delivery] = sandbox.deliveries()
    assert (delivery["state"], delivery["attempts"], delivery["last_status"]) == ("delivered", 3, 200)


def test_one_failure_does_not_block_what_follows(
    client: stripe.StripeClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    receiver.answers = [500]
    client.v1.customers.create({})
    client.v1.products.create({"name": "P"})
    wait_for(lambda: _quiet(sandbox), "all deliveries")
    assert sorted(receiver.types()) == ["customer.created", "customer.created", "product.created"]


def test_only_wanted_types_go_to_an_endpoint(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    receiver = Receiver()
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.deleted"]})
    customer = client.v1.customers.create({})
    client.v1.customers.delete(customer.id)
    wait_for(lambda: receiver.received and _quiet(sandbox), "the delivery")
    client.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    client.v1.customers.delete(client.v1.customers.create({}).id)
    assert _quiet(sandbox)
    assert receiver.types() == ["customer.deleted"]
    receiver.close()


def test_the_secret_is_shown_once(client: stripe.StripeClient) -> None:
    created = client.v1.webhook_endpoints.create({"url": "https://example.com/hook", "enabled_events": ["*"]})
    assert created.secret is not None and created.secret.startswith("whsec_")
    assert "secret" not in client.v1.webhook_endpoints.retrieve(created.id)
    [listed] = client.v1.webhook_endpoints.list().data
    assert listed.id == created.id and "secret" not in listed
    changed = client.v1.webhook_endpoints.update(
        created.id, {"enabled_events": ["charge.succeeded"], "description": "d", "metadata": {"k": "v"}}
    )
    assert (changed.enabled_events, changed.description) == (["charge.succeeded"], "d")
    assert client.v1.webhook_endpoints.delete(created.id).deleted is True


@pytest.mark.parametrize("events", [[], ["Charge"], ["charge succeeded"]])
def test_wrong_endpoints_are_refused(client: stripe.StripeClient, events: list[str]) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.webhook_endpoints.create({"url": "https://example.com/", "enabled_events": events})  # type: ignore[typeddict-item]


def test_a_deleted_endpoint_gets_nothing_more(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    sandbox.control("POST", "deliveries/hold")
    endpoint = client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    client.v1.customers.create({})
    client.v1.webhook_endpoints.delete(endpoint.id)
    sandbox.control("POST", "deliveries/release")
    wait_for(lambda: _quiet(sandbox), "the delivery to be dropped")
    assert [delivery["state"] for delivery in sandbox.deliveries()] == ["dropped"]


def test_held_deliveries_wait_and_can_be_reversed(
    client: stripe.StripeClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.control("POST", "deliveries/hold")
    complete(sandbox, open_session(client).id)
    assert sandbox.control("GET", "deliveries")["held"] is True
    assert len(sandbox.deliveries("pending")) == 7 and receiver.received == []
    assert sandbox.control("POST", "deliveries/release", {"order": "reverse"})["released"] == 7
    wait_for(lambda: _quiet(sandbox), "all deliveries")
    assert receiver.types()[0] == "checkout.session.completed" and receiver.types()[-1] == "product.created"
    sandbox.control("POST", "deliveries/release", {"order": "random"}, status=400)


def test_an_event_can_be_sent_again(client: stripe.StripeClient, sandbox: Sandbox, receiver: Receiver) -> None:
    client.v1.customers.create({})
    wait_for(lambda: receiver.received and _quiet(sandbox), "the delivery")
    event = receiver.received[0].event["id"]
    for _ in range(3):
        sandbox.control("POST", f"events/{event}/resend")
    wait_for(lambda: len(receiver.received) == 4 and _quiet(sandbox), "the duplicates")
    assert {item.event["id"] for item in receiver.received} == {event}
    assert [delivery["origin"] for delivery in sandbox.deliveries()] == ["event", "resend", "resend", "resend"]
    sandbox.control("POST", "events/evt_none/resend", status=404)
    sandbox.control("POST", f"events/{event}/resend", {"webhook_endpoint": "we_none"}, status=400)


def test_an_endpoint_can_be_put_with_a_chosen_secret(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    receiver = Receiver()
    wanted = {"url": receiver.url, "secret": "whsec_chosen", "enabled_events": ["customer.created"]}
    first = sandbox.control("PUT", "webhook_endpoints", wanted)
    again = sandbox.control("PUT", "webhook_endpoints", {"url": receiver.url})
    assert (first["id"], first["secret"], again["secret"]) == (again["id"], "whsec_chosen", "whsec_chosen")
    assert again["enabled_events"] == ["*"]
    client.v1.customers.create({})
    wait_for(lambda: receiver.received, "the delivery")
    stripe.Webhook.construct_event(receiver.received[0].body, receiver.received[0].signature, "whsec_chosen")
    for wrong in (
        {},
        {"url": "ftp://x"},
        {"url": receiver.url, "secret": "x"},
        {"url": receiver.url, "enabled_events": 1},
    ):
        sandbox.control("PUT", "webhook_endpoints", wrong, status=400)
    receiver.close()


def test_events_that_were_not_taken_can_be_listed(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    client.v1.customers.create({})
    client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    client.v1.products.create({"name": "P"})
    missed = client.v1.events.list({"delivery_success": False})
    assert [event.type for event in missed] == ["product.created"]
    assert missed.data[0].pending_webhooks == 1
    assert [event.type for event in client.v1.events.list({"delivery_success": True})] == ["customer.created"]


def test_the_signature_is_over_time_and_payload() -> None:
    header = signature_header('{"id": "evt_1"}', ["whsec_test"], 1_700_000_000)
    assert header == "t=1700000000,v1=" + header.split("v1=")[1]
    assert stripe.WebhookSignature.verify_header('{"id": "evt_1"}', header, "whsec_test", tolerance=None)
