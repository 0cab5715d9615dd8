"""Ids go along: into tasks, sockets and calls to the outside, and out of the handshake's answer."""

import asyncio
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from celery.signals import before_task_publish, task_postrun, task_prerun

from apps.core import correlation, logs, tracing
from apps.edge.sockets import EdgeGate
from apps.payments.gateways.traced import TracedClient

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def working() -> tracing.Span:
    """A request at work."""
    correlation.bind("travels-1")
    return tracing.bind(f"00-{TRACE}-b7ad6b7169203331-01", "vendor=1")


def test_a_task_belongs_to_what_asked_for_it(working: tracing.Span) -> None:
    headers: dict[str, Any] = {}
    before_task_publish.send(sender="any.task", headers=headers)
    correlation.bind(None)
    tracing.bind(None)
    task = SimpleNamespace(name="any.task", request=SimpleNamespace(is_eager=False, **headers))
    task_prerun.send(sender="any.task", task=task, task_id="t-1")
    line = structlog.contextvars.merge_contextvars(None, "", {})
    line = logs.add_context(None, "", line)
    assert (line["correlation_id"], line["trace_id"], line["task"]) == ("travels-1", TRACE, "any.task")
    span = tracing.current()
    assert span and (span.parent_id, span.state) == (working.span_id, "vendor=1")
    task_postrun.send(sender="any.task", task=task, task_id="t-1")
    assert "task" not in structlog.contextvars.get_contextvars()


def test_a_task_that_nobody_asked_for_begins_a_trace(working: tracing.Span) -> None:
    task = SimpleNamespace(name="a.sweep", request=SimpleNamespace(is_eager=False))
    task_prerun.send(sender="any.task", task=task, task_id="t-2")
    span = tracing.current()
    assert correlation.current() != "travels-1" and span and span.trace_id != TRACE
    task_postrun.send(sender="any.task", task=task, task_id="t-2")


def test_a_socket_has_its_ids_and_says_them(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    seen: dict[str, Any] = {}
    sent: list[dict[str, Any]] = []

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope, line=logs.add_context(None, "", structlog.contextvars.merge_contextvars(None, "", {})))
        await send({"type": "websocket.accept", "subprotocol": None})

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [
        (b"x-correlation-id", b"socket-1"),
        (b"traceparent", f"00-{TRACE}-b7ad6b7169203331-01".encode()),
        (b"x-user-id", b"7"),
        (b"x-forwarded-for", b"6.6.6.6, 198.51.100.7"),
    ]
    scope = {"type": "websocket", "path": "/ws/notifications/", "headers": headers, "client": ("127.0.0.1", 1)}
    asyncio.run(EdgeGate(serve)(scope, receive, send))
    told = dict(sent[0]["headers"])
    assert told[b"x-correlation-id"] == b"socket-1"
    assert told[b"traceparent"].startswith(f"00-{TRACE}-".encode())
    assert seen["client_ip"] == "198.51.100.7"
    assert b"x-user-id" not in dict(seen["headers"])
    assert (seen["line"]["correlation_id"], seen["line"]["socket"]) == ("socket-1", "/ws/notifications/")


@pytest.fixture
def outside() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server somewhere else: its address, and the headers of what it was asked."""
    asked: list[dict[str, str]] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing of it is of interest."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", asked
    server.shutdown()
    server.server_close()


def test_stripe_is_told_which_call_asks(working: tracing.Span, outside: tuple[str, list[dict[str, str]]]) -> None:
    url, asked = outside
    assert TracedClient(timeout=60).request("get", url, {"Stripe-Version": "x"})[1] == 200
    assert (asked[0]["x-correlation-id"], asked[0]["traceparent"]) == ("travels-1", working.header)
    assert (asked[0]["tracestate"], asked[0]["stripe-version"]) == ("vendor=1", "x")
