"""What a crash must not lose."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import stripe

from tests.sandbox.process import Receiver, Sandbox, wait_for
from tests.sandbox.stories import complete, open_session


def test_no_delivery_is_lost_over_a_kill(own_sandbox: Sandbox) -> None:
    receiver = Receiver()
    client = own_sandbox.client()
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})
    acknowledged: list[str] = []

    def create() -> None:
        while True:
            try:
                acknowledged.append(client.v1.customers.create({}).id)
            except stripe.APIConnectionError:
                return

    writer = threading.Thread(target=create)
    writer.start()
    wait_for(lambda: len(acknowledged) > 40 and len(receiver.received) > 5, "some work")
    own_sandbox.kill()
    writer.join()
    own_sandbox.start()
    wait_for(lambda: not own_sandbox.deliveries("pending"), "what was owed")
    kept = {item.id for item in own_sandbox.client().v1.customers.list({"limit": 100}).auto_paging_iter()}
    assert set(acknowledged) <= kept
    assert {item.event["data"]["object"]["id"] for item in receiver.received} == kept
    receiver.close()


def test_nothing_is_lost_however_often_it_is_killed(own_sandbox: Sandbox) -> None:
    """Kills at moments that differ; every customer that was acknowledged is kept and told at least once."""
    receiver = Receiver()
    endpoint = {"url": receiver.url, "enabled_events": ["customer.created"]}
    own_sandbox.client().v1.webhook_endpoints.create(endpoint)  # type: ignore[arg-type]
    acknowledged: list[str] = []

    def create() -> None:
        client = own_sandbox.client()
        while True:
            try:
                acknowledged.append(client.v1.customers.create({}).id)
            except stripe.APIConnectionError:
                return

    for further in (3, 17, 7):
        wanted = len(acknowledged) + further
        writers = [threading.Thread(target=create) for _ in range(3)]
        for writer in writers:
            writer.start()
        wait_for(lambda wanted=wanted: len(acknowledged) >= wanted, "some work")
        own_sandbox.kill()
        for writer in writers:
            writer.join()
        own_sandbox.start()
    wait_for(lambda: not own_sandbox.deliveries("pending"), "what was owed")
    kept = {item.id for item in own_sandbox.client().v1.customers.list({"limit": 100}).auto_paging_iter()}
    assert set(acknowledged) <= kept
    assert {item.event["data"]["object"]["id"] for item in receiver.received} == kept
    receiver.close()


def test_many_at_once_are_all_answered(own_sandbox: Sandbox) -> None:
    client = own_sandbox.client()
    customer = client.v1.customers.create({}).id

    def work(number: int) -> int:
        mine = own_sandbox.client().v1
        mine.customers.update(customer, {"metadata": {f"k{number % 40}": str(number)}})
        mine.customers.create({"name": str(number)})
        return len(mine.customers.list({"limit": 100}).data)

    with ThreadPoolExecutor(12) as pool:
        assert len(list(pool.map(work, range(60)))) == 60
    assert len(client.v1.customers.list({"limit": 100}).data) == 61
    assert len(client.v1.customers.retrieve(customer).metadata.to_dict()) == 40


def test_state_keys_and_held_deliveries_survive_a_restart(own_sandbox: Sandbox) -> None:
    client = own_sandbox.client()
    session = open_session(client)
    receiver = Receiver()
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["checkout.session.completed"]})
    own_sandbox.control("POST", "deliveries/hold")
    complete(own_sandbox, session.id)
    made = client.v1.customers.create({"name": "Once"}, {"idempotency_key": "k"})
    own_sandbox.kill()
    own_sandbox.start()
    client = own_sandbox.client()
    assert client.v1.checkout.sessions.retrieve(session.id).status == "complete"
    assert client.v1.customers.create({"name": "Once"}, {"idempotency_key": "k"}).id == made.id
    assert own_sandbox.control("GET", "health")["deliveries_held"] is True and receiver.received == []
    own_sandbox.control("POST", "deliveries/release")
    wait_for(lambda: receiver.received, "the delivery")
    receiver.close()


def test_attempts_end_after_the_last_one(tmp_path: object, own_sandbox: Sandbox) -> None:
    own_sandbox.stop()
    own_sandbox.options = ("--retry-base", "0.01", "--max-attempts", "3")
    own_sandbox.start()
    client = own_sandbox.client()
    client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    client.v1.customers.create({})
    wait_for(lambda: own_sandbox.deliveries("failed"), "the end of the attempts")
    [delivery] = own_sandbox.deliveries()
    assert delivery["attempts"] == 3 and "ConnectError" in delivery["last_error"]


def test_a_slow_receiver_does_not_hold_up_another(own_sandbox: Sandbox) -> None:
    own_sandbox.stop()
    own_sandbox.options = ("--delivery-timeout", "20")
    own_sandbox.start()
    client = own_sandbox.client()
    quick, slow, let_go = Receiver(), Receiver(), threading.Event()
    take = slow.take
    slow.take = lambda received: (let_go.wait(20), take(received))[1]  # type: ignore[method-assign,func-returns-value]
    for receiver in (slow, quick):
        client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    client.v1.customers.create({})
    wait_for(lambda: quick.received, "the quick one")
    assert slow.received == []
    let_go.set()
    wait_for(lambda: slow.received, "the slow one")
    quick.close()
    slow.close()


def test_a_term_signal_ends_it_cleanly_with_a_call_waiting(own_sandbox: Sandbox) -> None:
    own_sandbox.control("POST", "faults", {"status": "timeout", "seconds": 60})
    headers = {"Authorization": "Bearer sk_test_" + "a" * 24}
    answers: list[int] = []

    def call() -> None:
        url = f"{own_sandbox.url}/v1/customers"
        answers.append(httpx.post(url, headers=headers, timeout=30, trust_env=False).status_code)

    caller = threading.Thread(target=call)
    caller.start()
    wait_for(lambda: own_sandbox.control("GET", "health")["waiting"] == 1, "the call to wait")
    assert own_sandbox.stop() == 0
    caller.join()
    assert answers == [200]


def test_a_directory_will_do_for_the_data(own_sandbox: Sandbox) -> None:
    own_sandbox.stop()
    own_sandbox.data = own_sandbox.data.parent / "folder"
    own_sandbox.start()
    assert (own_sandbox.data / "sandbox.sqlite3").exists()
