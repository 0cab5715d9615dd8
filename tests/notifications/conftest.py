"""The realtime process as it runs in production, on a Valkey of its own."""

import json
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest
from django.db import transaction
from django.test import Client
from rest_framework.test import APIClient
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from apps.notifications import push
from apps.notifications.models import Notification, NotificationCursor
from apps.tenancy.selectors import TenantView
from devserver.layout import prepare_layout
from devserver.valkey import Valkey
from tests.factories.notifications import tell
from tests.fixtures.plain import PLAIN
from tests.fixtures.processes import free_port, process, product_environment, wait_until
from tests.fixtures.tenants import PASSWORD

NewTenant = Callable[[str], TenantView]
BrowserFor = Callable[..., Client]


class Realtime:
    """The running process: opens sockets to it."""

    def __init__(self, port: int, valkey: Valkey) -> None:
        self.port, self.valkey = port, valkey

    @contextmanager
    def open(
        self,
        host: str,
        *,
        cookie: str = "",
        cursor: int | str | None = None,
        origin: str | None = None,
        path: str = "/ws/notifications/",
    ) -> Iterator[ClientConnection]:
        """A socket to `host`, which need not resolve: the connection goes to the process's port."""
        query = f"?{urlencode({'cursor': cursor})}" if cursor is not None else ""
        headers = {"Cookie": f"sessionid={cookie}"} if cookie else {}
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        url = f"ws://{host}:{self.port}{path}{query}"
        with connect(url, sock=plain, origin=origin, additional_headers=headers, open_timeout=60) as opened:  # type: ignore[arg-type]
            yield opened


@pytest.fixture(scope="session")
def realtime_process(
    standing_tenants: Any, database_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Realtime]:
    """One process for the session's tests."""
    folder: Path = tmp_path_factory.mktemp("realtime")
    layout, port = prepare_layout(folder / "data"), free_port()
    valkey = Valkey(layout)
    valkey.start()
    valkey.wait_ready()
    environment = product_environment(database_name) | {"REDIS_URL": valkey.url}
    arguments = ("uvicorn", "config.asgi:application", "--host", "127.0.0.1", "--port", str(port))
    options = ("--log-level", "warning", "--ws-max-size", "65536", "--timeout-graceful-shutdown", "1")
    try:
        with process(sys.executable, "-m", *arguments, *options, env=environment, log=folder / "log.txt"):
            url = f"http://127.0.0.1:{port}/health/live"
            wait_until(lambda: httpx.get(url, verify=PLAIN).status_code == 200, what="the realtime process")
            yield Realtime(port, valkey)
    finally:
        valkey.stop()
        layout.remove()


@pytest.fixture
def realtime(realtime_process: Realtime, committed: NewTenant, settings: Any) -> Iterator[Realtime]:
    """The process with Valkey up; what this test process pushes goes there, and everything is committed."""
    if realtime_process.valkey.process is None or realtime_process.valkey.process.poll() is not None:
        realtime_process.valkey.start()
        realtime_process.valkey.wait_ready()
    layer = settings.CHANNEL_LAYERS["default"]
    hosts = [{**layer["CONFIG"]["hosts"][0], "address": realtime_process.valkey.url}]
    settings.CHANNEL_LAYERS = {"default": {**layer, "CONFIG": {**layer["CONFIG"], "hosts": hosts}}}
    yield realtime_process
    Notification.objects.all().delete()
    NotificationCursor.objects.all().delete()


def heard(opened: ClientConnection) -> dict[str, Any]:
    """The next message; waits up to a minute."""
    message: dict[str, Any] = json.loads(opened.recv(timeout=60))
    return message


def say(opened: ClientConnection, **message: Any) -> None:
    """Send one message."""
    opened.send(json.dumps(message))


@pytest.fixture
def tenant(realtime: Realtime, committed: NewTenant) -> TenantView:
    return committed(f"Harbour {uuid4().hex[:6]}")


@pytest.fixture
def standing(realtime: Realtime, standing_tenants: tuple[TenantView, TenantView]) -> TenantView:
    """A host to knock at, for those who do not get in."""
    return standing_tenants[0]


@pytest.fixture
def neighbour(realtime: Realtime, committed: NewTenant) -> TenantView:
    return committed(f"Quay {uuid4().hex[:6]}")


@pytest.fixture
def session(browser_client: BrowserFor) -> Callable[..., str]:
    """``session(tenant, role)``: the session cookie of that member's browser."""
    return lambda tenant, role="OWNER": str(browser_client(tenant, role).cookies["sessionid"].value)


@pytest.fixture
def token(anonymous_api: APIClient) -> Callable[..., str]:
    """``token(tenant, role)``: that member's access token."""

    def of(tenant: TenantView, role: str = "OWNER") -> str:
        body = {"email": f"{role.lower()}@{tenant.slug}.test", "password": PASSWORD, "tenant": tenant.key}
        return str(anonymous_api.post("/api/v1/auth/signin", body).json()["access"])

    return of


def announce(tenant: TenantView, title: str, roles: tuple[str, ...] = ("OWNER",)) -> None:
    """What a handler does: tell in a transaction, push when it commits."""
    with transaction.atomic():
        push.poke(tenant.id, tell(tenant, title, roles=roles))


def close_code(opened: ClientConnection) -> int | None:
    """The code with which the server closes; what it says before is skipped."""
    try:
        while True:
            heard(opened)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None
