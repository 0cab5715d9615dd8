"""Routes of the realtime process: sockets, and just enough HTTP for health checks."""

import json

from channels.routing import ProtocolTypeRouter
from django.conf import settings

from apps.edge.sockets import AsgiApplication, EdgeGate, Receive, Scope, Send
from apps.notifications.consumers import NotificationConsumer
from apps.notifications.sockets import host_of, host_of_origin

SOCKETS: dict[str, AsgiApplication] = {"/ws/notifications/": NotificationConsumer.as_asgi()}


class OriginGate:
    """Refuses sockets that a foreign page opens (403 at the handshake).

    Pages of the platform's host, of its sub-domains and of the socket's own host pass. Programs send no Origin;
    they have no cookies that a foreign page could ride on.
    """

    def __init__(self, inner: AsgiApplication) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass or refuse one handshake."""
        headers = dict(scope["headers"])
        origin = headers.get(b"origin")
        host = host_of(headers.get(b"host", b"").decode("latin1"))
        if origin is None or _is_ours(host_of_origin(origin.decode("latin1")), host):
            await self._inner(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})


async def sockets(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a socket by its path; an unknown one is refused at the handshake."""
    if route := SOCKETS.get(scope["path"]):
        await route(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": 1008})


async def plain_http(scope: Scope, receive: Receive, send: Send) -> None:
    """``/health/live`` for supervisors and load balancers; everything else belongs to the web process."""
    alive = scope["path"] == "/health/live"
    body = json.dumps({"status": "ok" if alive else "not found"}).encode()
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200 if alive else 404, "headers": headers})
    await send({"type": "http.response.body", "body": body if scope["method"] != "HEAD" else b""})


async def lifespan(scope: Scope, receive: Receive, send: Send) -> None:
    """Start and stop: nothing to prepare."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _is_ours(origin_host: str, host: str) -> bool:
    platform = settings.PLATFORM_HOST
    return bool(origin_host) and (origin_host in (platform, host) or origin_host.endswith(f".{platform}"))


application = ProtocolTypeRouter({"websocket": EdgeGate(OriginGate(sockets)), "http": plain_http, "lifespan": lifespan})
