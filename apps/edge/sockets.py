"""The edge of the realtime process: the same hygiene and ids for sockets, whose lines then carry them throughout."""

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from django.conf import settings

from apps.core import correlation, tracing
from apps.edge import hygiene
from apps.edge.proxies import client_ip, is_within

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
AsgiApplication = Callable[[Scope, Receive, Send], Awaitable[None]]

logger = structlog.get_logger(__name__)


class EdgeGate:
    """Around every socket: strips what only we may say, binds the ids, tells them in the handshake's answer.

    ``scope["client_ip"]`` is the client's address as `apps.edge.proxies` knows it.
    """

    def __init__(self, inner: AsgiApplication) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket."""
        peer = scope["client"][0] if scope.get("client") else ""
        trusted = is_within(peer, tuple(settings.TRUSTED_PROXIES))
        headers = hygiene.kept(scope["headers"], believes_peer=trusted)
        given = {name.lower(): value.decode("latin1") for name, value in headers}
        correlation_id = correlation.bind(given.get(b"x-correlation-id"))
        span = tracing.bind(given.get(b"traceparent"), given.get(b"tracestate"))
        ids = [(b"x-correlation-id", correlation_id.encode()), (b"traceparent", span.header.encode())]

        async def tell(message: dict[str, Any]) -> None:
            if message["type"] == "websocket.accept":
                message = {**message, "headers": [*message.get("headers", ()), *ids]}
            elif message["type"] == "websocket.close":
                logger.info("socket.closed", code=message.get("code", 1000))
            await send(message)

        address = client_ip(peer, given.get(b"x-forwarded-for", ""))
        with structlog.contextvars.bound_contextvars(socket=scope["path"][:100]):
            await self._inner({**scope, "headers": headers, "client_ip": address}, receive, tell)
