"""Disturbed deliveries, secrets that roll, and objects that are browsed."""

from __future__ import annotations

import httpx
import pytest
import stripe

from tests.sandbox.process import Receiver, Sandbox, wait_for
from tests.sandbox.stories import open_session, pay

pytestmark = pytest.mark.over_http


def _quiet(sandbox: Sandbox) -> bool:
    return not sandbox.deliveries("pending")


def _create(client: stripe.StripeClient, *names: str) -> None:
    for name in names:
        client.v1.customers.create({"name": name})


def _names(receiver: Receiver) -> list[str]:
    return [item.event["data"]["object"]["name"] for item in receiver.received]


def test_the_next_deliveries_are_dropped(client: stripe.StripeClient, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.control("POST", "disturbances", {"action": "drop", "count": 2, "type": "customer.created"})
    _create(client, "a", "b", "c")
    wait_for(lambda: _quiet(sandbox) and receiver.received, "the third")
    assert _names(receiver) == ["c"]
    assert [item["state"] for item in sandbox.deliveries()] == ["dropped", "dropped", "delivered"]
    first = sandbox.deliveries()[0]["id"]
    sandbox.control("POST", f"deliveries/{first}/retry")
    wait_for(lambda: len(receiver.received) == 2, "the one that was dropped")
    assert _names(receiver) == ["c", "a"]


def test_the_next_deliveries_come_twice(client: stripe.StripeClient, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.control("POST", "disturbances", {"action": "duplicate"})
    _create(client, "a", "b")
    wait_for(lambda: len(receiver.received) == 3, "the duplicate")
    assert _names(receiver) == ["a", "a", "b"]
    assert len({item.event["id"] for item in receiver.received}) == 2


def test_a_delivery_is_overtaken_by_the_next(client: stripe.StripeClient, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.control("POST", "disturbances", {"action": "reorder"})
    _create(client, "a")
    assert receiver.received == []
    _create(client, "b")
    wait_for(lambda: len(receiver.received) == 2, "both")
    assert _names(receiver) == ["b", "a"]


def test_what_is_corrupted_does_not_fit_its_signature(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    receiver = Receiver()
    secret = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]}).secret or ""
    sandbox.control("POST", "disturbances", {"action": "corrupt"})
    _create(client, "a")
    wait_for(lambda: receiver.received, "the delivery")
    [received] = receiver.received
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(received.body.decode(), received.signature, secret)
    receiver.close()


def test_a_delayed_delivery_waits_and_can_be_sent_now(
    client: stripe.StripeClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.control("POST", "disturbances", {"action": "delay", "seconds": 3600})
    _create(client, "a", "b")
    wait_for(lambda: receiver.received, "the second")
    assert _names(receiver) == ["b"]
    [waiting] = sandbox.deliveries("pending")
    sandbox.control("POST", f"deliveries/{waiting['id']}/retry")
    wait_for(lambda: len(receiver.received) == 2, "the first")


def test_single_deliveries_are_disturbed(client: stripe.StripeClient, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.control("POST", "deliveries/hold")
    _create(client, "a", "b", "c")
    first, second, _ = sandbox.deliveries("pending")
    assert sandbox.control("POST", f"deliveries/{first['id']}/drop")["delivery"]["state"] == "dropped"
    sandbox.control("POST", f"deliveries/{first['id']}/delay", status=400)
    sandbox.control("POST", f"deliveries/{second['id']}/duplicate")
    sandbox.control("POST", f"deliveries/{second['id']}/vanish", status=404)
    sandbox.control("POST", "deliveries/999999/drop", status=404)
    sandbox.control("POST", "deliveries/release")
    wait_for(lambda: len(receiver.received) == 3, "the rest")
    assert _names(receiver) == ["b", "c", "b"]


def test_disturbances_are_listed_checked_and_forgotten(sandbox: Sandbox) -> None:
    for wrong in ({}, {"action": "lose"}, {"action": "drop", "count": 0}, {"action": "delay", "seconds": -1}):
        sandbox.control("POST", "disturbances", wrong, status=400)
    sandbox.control("POST", "disturbances", {"action": "drop", "type": "charge.succeeded"})
    [waiting] = sandbox.control("GET", "disturbances")["data"]
    assert (waiting["action"], waiting["count"], waiting["type"]) == ("drop", 1, "charge.succeeded")
    assert sandbox.control("DELETE", "disturbances")["data"] == []


def test_both_secrets_sign_while_one_is_rolled(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    receiver = Receiver()
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    rolled = sandbox.control("POST", f"webhook_endpoints/{endpoint.id}/roll", {"expires_in": 3600})
    _create(client, "a")
    wait_for(lambda: receiver.received, "the first")
    again = sandbox.control("POST", f"webhook_endpoints/{endpoint.id}/roll")
    _create(client, "b")
    wait_for(lambda: len(receiver.received) == 2, "the second")
    first, second = receiver.received
    for secret in (endpoint.secret, rolled["secret"]):
        stripe.Webhook.construct_event(first.body, first.signature, secret)
    stripe.Webhook.construct_event(second.body, second.signature, again["secret"])
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(second.body, second.signature, rolled["secret"])
    sandbox.control("POST", "webhook_endpoints/we_none/roll", status=404)
    receiver.close()


def test_objects_are_browsed(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    charge = pay(client).latest_charge
    open_session(client)
    assert sandbox.control("GET", "objects")["kinds"]["charge"] == 1
    assert [item["id"] for item in sandbox.control("GET", "objects?kind=charge")["data"]] == [charge]
    shown = sandbox.control("GET", f"objects/{charge}")
    assert shown["object"]["id"] == charge
    assert [event["type"] for event in shown["events"]] == ["charge.updated", "charge.succeeded"]
    sandbox.control("GET", "objects/ch_none", status=404)
    for path, text in (
        ("/objects", "checkout.session"),
        ("/objects?kind=charge", charge),
        (f"/objects/{charge}", "Dispute"),
    ):
        page = httpx.get(f"{sandbox.url}{path}", trust_env=False)
        assert page.status_code == 200 and text in page.text
    assert httpx.get(f"{sandbox.url}/objects/ch_none", trust_env=False).status_code == 404
    pressed = httpx.post(
        f"{sandbox.url}/panel/charges/{charge}/dispute", data={"back": f"/objects/{charge}"}, trust_env=False
    )
    assert pressed.headers["location"] == f"/objects/{charge}"
    assert client.v1.charges.retrieve(charge).disputed


def test_what_is_called_is_counted(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    def counted() -> int:
        found = sandbox.control("GET", "coverage")["data"]
        return int(next(item["calls"] for item in found if item["endpoint"] == "GET /v1/balance"))

    before = counted()
    client.v1.balance.retrieve()
    assert counted() == before + 1


def test_a_clock_is_moved_by_control(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": 1_800_000_000})
    moved = sandbox.control("POST", f"test_clocks/{clock.id}/advance", {"seconds": 86_400})
    assert (moved["frozen_time"], moved["status"]) == (1_800_086_400, "ready")
    sandbox.control("POST", f"test_clocks/{clock.id}/advance", {"seconds": "long"}, status=400)
    sandbox.control("POST", "test_clocks/clock_none/advance", {"seconds": 1}, status=404)
