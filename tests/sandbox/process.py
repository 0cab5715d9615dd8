"""The sandbox as a process of its own, and what else the tests run beside it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import stripe

from tests.fixtures.plain import PLAIN

REPOSITORY = Path(__file__).resolve().parents[2]
KEY = "sk_test_" + "insula0sandbox1tests2own3"
WAIT_SECONDS = 60.0


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Return the first true value of the condition; fail when none comes in time."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"still waiting for {what}")
        time.sleep(0.01)


def free_port() -> int:
    """Return a loopback port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RecordingClient(stripe.RequestsClient):
    """The SDK's own client, which also keeps the answers so that the tests can look at every one."""

    def __init__(self) -> None:
        super().__init__(timeout=30)
        self.answers: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []

    def request(self, method: str, url: str, headers: Any, post_data: Any = None) -> Any:
        """Send as the SDK does."""
        content, status, answered = super().request(method, url, headers, post_data)
        self.answers.append(json.loads(content))
        self.headers.append(dict(answered))
        return content, status, answered


@dataclass
class Sandbox:
    """One sandbox process on its file."""

    data: Path
    options: tuple[str, ...] = ("--retry-base", "0.05", "--delivery-timeout", "30")
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """The address without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process's number."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> Sandbox:
        """Start the process and wait until it answers."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.stripe", "--port", str(self.port), "--data", str(self.data), *self.options],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        wait_for(self._healthy, "the sandbox to answer")
        return self

    def _healthy(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"the sandbox ended: {self._process.communicate()[0]}")
        try:
            return httpx.get(f"{self.url}/_sandbox/health", trust_env=False, verify=PLAIN).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    def stop(self) -> int:
        """Ask the process to end; return its exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=WAIT_SECONDS)
        return self._process.returncode

    def control(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, status: int = 200
    ) -> dict[str, Any]:
        """Call the control API; the status must be as expected."""
        answer = httpx.request(method, f"{self.url}/_sandbox/{path}", json=body, trust_env=False, verify=PLAIN)
        assert answer.status_code == status, answer.text
        decoded: dict[str, Any] = answer.json()
        return decoded

    def http_client(self) -> stripe.HTTPClient:
        """Return a transport of the SDK that keeps the answers."""
        return RecordingClient()

    def client(self, http: stripe.HTTPClient | None = None, **options: Any) -> stripe.StripeClient:
        """Return the SDK's client pointed here."""
        options.setdefault("max_network_retries", 0)
        return stripe.StripeClient(
            KEY, base_addresses={"api": self.url}, http_client=http or self.http_client(), **options
        )

    def deliveries(self, *states: str) -> list[dict[str, Any]]:
        """Return the deliveries in any of the states, oldest first."""
        found = self.control("GET", "deliveries")["data"]
        return [delivery for delivery in reversed(found) if not states or delivery["state"] in states]


@dataclass
class Received:
    """One webhook as it arrived."""

    body: bytes
    signature: str

    @property
    def event(self) -> dict[str, Any]:
        """The event it carries."""
        decoded: dict[str, Any] = json.loads(self.body)
        return decoded


class Receiver:
    """A webhook endpoint on a loopback port that answers as it is told."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: list[int] = []
        self.secret = ""
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    # The sender was killed halfway: nothing has arrived.
                    return
                status = receiver.take(Received(body, self.headers["Stripe-Signature"]))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where to send webhooks."""
        return f"http://127.0.0.1:{self._server.server_port}/hook"

    def take(self, received: Received) -> int:
        """Keep a webhook; return the status to answer with."""
        with self._lock:
            self.received.append(received)
            return self.answers.pop(0) if self.answers else 200

    def types(self) -> list[str]:
        """Return the types of what arrived, in order."""
        with self._lock:
            return [item.event["type"] for item in self.received]

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
