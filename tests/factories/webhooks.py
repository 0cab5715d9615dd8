"""Endpoints, facts and receivers for tests of webhooks."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

from apps.core.clock import utcnow
from apps.core.tenants import tenant_scope
from apps.tenancy.selectors import TenantView
from apps.webhooks import sending, services
from apps.webhooks.models import Delivery, Endpoint
from apps.webhooks.services import NewEndpoint
from tests.factories.invoices import make_client
from tests.fixtures.tenants import actor_of, in_tenant

PATIENCE = 60.0  # seconds; conditions hold long before


@dataclass
class Call:
    """What reached a receiver."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The envelope."""
        return dict(json.loads(self.body))


@dataclass
class Receiver:
    """A program that listens for webhooks on this machine: keeps what came and answers as it is told.

    `answers` are statuses for the calls to come, 204 after them. `act`, if given, answers instead.
    """

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    act: Callable[[BaseHTTPRequestHandler], None] | None = None
    came: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, number: int) -> list[Call]:
        """The calls, once there are that many."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.calls) >= number, PATIENCE), f"{len(self.calls)} calls came."
            return list(self.calls)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver at work."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with receiver.came:
                receiver.calls.append(Call(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                status = receiver.answers.pop(0) if receiver.answers else 204
                receiver.came.notify_all()
            with suppress(OSError):
                if receiver.act is not None:
                    receiver.act(self)
                    return
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(receiver.body)))
                self.end_headers()
                self.wfile.write(receiver.body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        receiver.url = f"http://127.0.0.1:{server.server_port}"
        yield receiver
        server.shutdown()


def make_endpoint(tenant: TenantView, url: str = "https://example.com/hook", **values: Any) -> NewEndpoint:
    """An endpoint that listens to everything unless told otherwise."""
    with in_tenant(tenant):
        return services.create_endpoint(actor=actor_of(tenant), url=url, **({"event_types": ["*"]} | values))


def deliveries(tenant: TenantView, **filters: Any) -> list[Delivery]:
    """The tenant's deliveries with their endpoints and messages, oldest first."""
    with in_tenant(tenant):
        return list(Delivery.objects.select_related("endpoint", "message").filter(**filters).order_by("pk"))


def stored(tenant: TenantView, endpoint_id: UUID) -> Endpoint:
    """The endpoint's row as it is now."""
    with in_tenant(tenant):
        return Endpoint.objects.get(pk=endpoint_id)


def turn(tenant: TenantView, endpoint_id: UUID, **values: Any) -> bool:
    """What a worker does when it is woken for an endpoint."""
    with tenant_scope(tenant.scope):
        return sending.take_turn(endpoint_id=endpoint_id, **values)


def owe(tenant: TenantView, url: str, number: int = 1) -> UUID:
    """An endpoint that is owed so many messages; its id."""
    endpoint_id = make_endpoint(tenant, url, event_types=["client.created"]).endpoint.id
    tell(tenant, number)
    return endpoint_id


def tell(tenant: TenantView, number: int = 1) -> None:
    """So many clients are added."""
    with in_tenant(tenant):
        for _ in range(number):
            make_client(actor_of(tenant))


def make_due(tenant: TenantView, **values: Any) -> None:
    """Time passes: what waits is due."""
    with in_tenant(tenant):
        Delivery.objects.filter(next_attempt_at__isnull=False).update(next_attempt_at=utcnow(), **values)


def states(tenant: TenantView, **filters: Any) -> list[str]:
    """The states of the tenant's deliveries, oldest first."""
    return [row.state for row in deliveries(tenant, **filters)]
