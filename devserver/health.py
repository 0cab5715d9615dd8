"""Asking a process over the network whether it is ready."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable

PATIENCE_SECONDS = 5.0

Check = Callable[[], bool]


def answers_http(port: int, path: str, *, host: str = "localhost") -> Check:
    """A check that passes when GET on this loopback port answers 200; `host` is the Host header's name."""

    def check() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", path, headers={"Host": f"{host}:{port}"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return check


def accepts_connections(port: int) -> Check:
    """A check that passes when something listens on this loopback port."""

    def check() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS).close()
        except OSError:
            return False
        return True

    return check
