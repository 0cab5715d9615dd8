"""A sandbox process, the SDK pointed at it, and a look at every answer it gave."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.sandbox import annotations, openapi
from tests.sandbox.inside import InsideClient, InsideSandbox
from tests.sandbox.process import Receiver, RecordingClient, Sandbox


@pytest.fixture(scope="session")
def _process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox") / "sandbox.sqlite3").start()
    yield sandbox
    assert sandbox.stop() == 0


@pytest.fixture(scope="session")
def _inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = InsideSandbox(tmp_path_factory.mktemp("sandbox") / "sandbox.sqlite3").start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """A sandbox in which nothing has happened yet: in this process, or as one of its own over HTTP.

    Tests marked `over_http` use a process; with `SANDBOX_OVER_HTTP=1` all of them do.
    """
    over_http = os.environ.get("SANDBOX_OVER_HTTP") == "1" or request.node.get_closest_marker("over_http")
    running: Sandbox = request.getfixturevalue("_process" if over_http else "_inside")
    running.control("POST", "reset")
    return running


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox that the test may kill and start again."""
    sandbox = Sandbox(tmp_path / "sandbox.sqlite3").start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def http(sandbox: Sandbox) -> RecordingClient | InsideClient:
    """The SDK's transport, keeping the answers."""
    client = sandbox.http_client()
    assert isinstance(client, (RecordingClient, InsideClient))
    return client


@pytest.fixture
def client(sandbox: Sandbox, http: RecordingClient | InsideClient) -> Iterator[stripe.StripeClient]:
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


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known that asks for a process of its own."""
    config.addinivalue_line("markers", "over_http: the sandbox is a process and is called over HTTP")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say when Stripe's own description was not there to compare with."""
    if not openapi.present():
        terminalreporter.write_line(f"Stripe's OpenAPI document is absent ({openapi.SPECIFICATION}); not compared.")
