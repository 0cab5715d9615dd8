"""Failures on demand."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.process import RecordingClient, Sandbox

pytestmark = pytest.mark.over_http


def test_the_next_calls_fail_then_it_works_again(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    sandbox.control("POST", "faults", {"count": 2, "status": 500})
    for _ in range(2):
        with pytest.raises(stripe.APIError) as failed:
            client.v1.customers.list()
        assert failed.value.http_status == 500
    assert client.v1.customers.list().data == []


def test_the_rate_limit_answer(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    sandbox.control("POST", "faults", {"status": 429})
    with pytest.raises(stripe.RateLimitError) as failed:
        client.v1.customers.list()
    assert failed.value.error.code == "rate_limit"


def test_faults_can_be_narrowed_and_forgotten(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    sandbox.control("POST", "faults", {"count": 5, "status": 503, "path": "/v1/refunds", "method": "POST"})
    assert client.v1.customers.list().data == []
    assert client.v1.refunds.list().data == []
    with pytest.raises(stripe.APIError):
        client.v1.refunds.create({"charge": "ch_x"})
    [left] = sandbox.control("GET", "faults")["data"]
    assert left["count"] == 4
    assert sandbox.control("DELETE", "faults")["data"] == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"charge": "ch_x"})


def test_a_client_that_waits_too_long_gives_up(sandbox: Sandbox) -> None:
    sandbox.control("POST", "faults", {"status": "timeout", "seconds": 30})
    impatient = stripe.RequestsClient(timeout=0.2)
    with pytest.raises(stripe.APIConnectionError):
        sandbox.client(impatient).v1.customers.list()
    sandbox.control("DELETE", "faults")


def test_a_lost_answer_is_found_by_its_key(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    sandbox.control("POST", "faults", {"status": 500, "when": "after"})
    with pytest.raises(stripe.APIError):
        client.v1.customers.create({"name": "Made"}, {"idempotency_key": "k1"})
    again = client.v1.customers.create({"name": "Made"}, {"idempotency_key": "k1"})
    assert [item.id for item in client.v1.customers.list()] == [again.id]


def test_the_sdk_retries_through_a_short_failure(sandbox: Sandbox) -> None:
    sandbox.control("POST", "faults", {"count": 1, "status": 500})
    http = RecordingClient()
    assert sandbox.client(http, max_network_retries=2).v1.customers.create({"name": "Kept"}).name == "Kept"
    assert len(http.answers) == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"status": 200},
        {"status": 500, "count": 0},
        {"status": 500, "count": True},
        {"status": 500, "when": "never"},
        {"status": "timeout", "seconds": 10_000},
        {"status": 500, "path": 7},
    ],
)
def test_nonsense_is_refused(sandbox: Sandbox, body: dict[str, object]) -> None:
    assert "message" in sandbox.control("POST", "faults", body, status=400)["error"]
