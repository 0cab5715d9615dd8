"""A sandbox process, the SDK pointed at it, and a look at every answer it gave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.sandbox import annotations, openapi
from tests.sandbox.process import Receiver, RecordingClient, Sandbox


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox") / "sandbox.sqlite3").start()
    yield sandbox
    assert sandbox.stop() == 0


@pytest.fixture
def sandbox(_running: Sandbox) -> Sandbox:
    """A sandbox in which nothing has happened yet."""
    _running.control("POST", "reset")
    return _running


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox that the test may kill and start again."""
    sandbox = Sandbox(tmp_path / "sandbox.sqlite3").start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def http() -> RecordingClient:
    """The SDK's HTTP client, keeping the answers."""
    return RecordingClient()


@pytest.fixture
def client(sandbox: Sandbox, http: RecordingClient) -> Iterator[stripe.StripeClient]:
    """The SDK's client; afterwards all that it was answered is held against Stripe's descriptions."""
    yield sandbox.client(http)
    problems = sorted({problem for answer in http.answers for problem in faults_of(answer)})
    assert not problems, "\n".join(problems)


def faults_of(answer: dict[str, Any]) -> list[str]:
    """Return how an answer departs from the SDK's classes and from Stripe's schema."""
    if "error" in answer:
        inner = [answer["error"][name] for name in ("payment_intent", "payment_method") if name in answer["error"]]
        return [problem for body in inner for problem in faults_of(body)]
    if answer.get("object") == "list":
        return [problem for item in answer["data"] for problem in faults_of(item)]
    return annotations.findings(answer) + (openapi.findings(answer) if openapi.present() else [])


@pytest.fixture
def receiver(sandbox: Sandbox, client: stripe.StripeClient) -> Iterator[Receiver]:
    """A webhook endpoint registered for every event."""
    receiver = Receiver()
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    receiver.secret = endpoint.secret or ""
    yield receiver
    receiver.close()
    problems = sorted({problem for item in receiver.received for problem in faults_of(item.event)})
    assert not problems, "\n".join(problems)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say when Stripe's own description was not there to compare with."""
    if not openapi.present():
        terminalreporter.write_line(f"Stripe's OpenAPI document is absent ({openapi.SPECIFICATION}); not compared.")
