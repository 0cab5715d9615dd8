"""The sandbox inside the test's own process: the SDK calls it without sockets, pages and webhooks go over loopback."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import stripe
from werkzeug.test import Client

from sandbox.stripe.application import Application
from sandbox.stripe.configuration import Configuration
from sandbox.stripe.server import Handler, Server
from tests.sandbox.process import Sandbox, free_port


class InsideClient(stripe.HTTPClient):
    """The SDK's transport as a function call; keeps the answers as `RecordingClient` does."""

    name = "inside"

    def __init__(self, application: Application) -> None:
        super().__init__()
        self._client = Client(application, use_cookies=False)
        self.answers: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []

    def request(self, method: str, url: str, headers: Any, post_data: Any = None) -> Any:
        """Ask the application."""
        parts = urlsplit(url)
        answer = self._client.open(
            parts.path,
            method=method.upper(),
            query_string=parts.query,
            headers=dict(headers or {}),
            data=post_data,
            base_url=f"{parts.scheme}://{parts.netloc}",
            # Closes the answer; unclosed, the call counts as under way and stopping waits for it.
            buffered=True,
        )
        content = answer.get_data(as_text=True)
        self.answers.append(json.loads(content))
        self.headers.append(dict(answer.headers))
        return content, answer.status_code, answer.headers

    def close(self) -> None:
        """Do nothing: no connection was made."""


class InsideSandbox(Sandbox):
    """A sandbox as threads of this process."""

    def __init__(self, data: Path) -> None:
        super().__init__(data, port=free_port())
        configuration = Configuration(data, self.url, retry_base=0.05, delivery_timeout=30)
        self.application = Application(configuration)
        self._server = Server("127.0.0.1", self.port, self.application, Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def start(self) -> InsideSandbox:
        """Start the threads."""
        self.application.start()
        self._thread.start()
        return self

    def stop(self) -> int:
        """End the threads."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.application.stop()
        return 0

    def http_client(self) -> InsideClient:
        """Return a transport without sockets."""
        return InsideClient(self.application)
