"""Asking servers that a tenant named: never a private address, never longer or larger than agreed, no redirects.

The address is looked up once and the connection made to exactly what was looked at, so that a name cannot change its
meaning in between (DNS rebinding). `settings.OUTBOUND_PRIVATE_ADDRESSES` opens loopback and plain http for development
and tests. Source: OWASP, Server-Side Request Forgery Prevention.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import httpcore
from django.conf import settings

from apps.core import tracing

CONNECT_SECONDS, TOTAL_SECONDS = 5.0, 10.0
MOST_BYTES = 512 * 1024
_PIECE = 16 * 1024
_NAT64 = IPv6Network("64:ff9b::/96")
# The only addresses given out as global unicast (RFC 4291, 2.4); whatever else looks global leads into some network's
# own translation (IPv4-compatible, SIIT, local NAT64, site-local).
_GLOBAL_UNICAST = IPv6Network("2000::/3")


class FetchFailed(Exception):
    """The other side cannot be asked, or did not answer as agreed; the text names no internals."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Names of headers are in lower case, in the order of the answer; a name may come twice."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = field(default=(), compare=False)


def fetch(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    most_bytes: int = MOST_BYTES,
    total_seconds: float = TOTAL_SECONDS,
    cut: bool = False,
) -> Answer:
    """One request and its whole answer, whatever its status; a redirect is an answer like any other.

    `cut`: of an answer beyond `most_bytes` the beginning is enough.

    Raises:
        FetchFailed: the address may not be asked, nobody answers in time, or the answer is too large.
    """
    require_public_form(url)
    target, authority = _parts_of(url)
    deadline = time.monotonic() + total_seconds
    timeouts = {"connect": CONNECT_SECONDS, "read": total_seconds, "write": total_seconds, "pool": total_seconds}
    sent: dict[str, str] = {
        **{"Host": authority, "Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "Insula"},
        **(headers or {}),
        **tracing.outbound_headers(),
    }
    try:
        with (
            httpcore.ConnectionPool(
                ssl_context=_trust(), network_backend=_GuardedBackend(deadline), max_connections=1
            ) as pool,
            pool.stream(
                method, target, headers=list(sent.items()), content=content, extensions={"timeout": timeouts}
            ) as response,
        ):
            body = bytearray()
            for piece in response.iter_stream():
                body += piece
                if len(body) > most_bytes:
                    if cut:
                        break
                    raise FetchFailed("The answer is too large.")
            return Answer(response.status, bytes(body[:most_bytes]), _readable(response.headers))
    except (httpcore.TimeoutException, TimeoutError) as error:
        raise FetchFailed("The server took too long.") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError) as error:
        raise FetchFailed("The server cannot be reached.") from error


@cache
def _trust() -> ssl.SSLContext:
    """Whom we believe. Reading all certificates takes longer than most calls."""
    return ssl.create_default_context()


def _parts_of(url: str) -> tuple[httpcore.URL, str]:
    """Where to ask, and as whom to address it.

    Httpcore, reading `url` itself, would drop what follows a semicolon in the path and the brackets of an IPv6 host.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    asked = httpcore.URL(scheme=parts.scheme, host=parts.hostname or "", port=parts.port, target=target)
    return asked, parts.netloc


def _readable(headers: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)


def require_public_form(url: str) -> None:
    """Check that `url` is one that may be asked, as far as its text says: https, a host, no credentials.

    Raises:
        FetchFailed: it is not.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise FetchFailed("This is not an address.") from error
    schemes = {"https", "http"} if settings.OUTBOUND_PRIVATE_ADDRESSES else {"https"}
    if parts.scheme not in schemes or not parts.hostname or parts.username is not None or port == 0:
        raise FetchFailed("The address must begin with https:// and a host.")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise FetchFailed("This is not an address.")


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, also when it is wrapped into IPv6."""
    found: IPv4Address | IPv6Address = ip_address(address)
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            inner = IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            found = inner
        elif found not in _GLOBAL_UNICAST:
            return False
    return found.is_global and not found.is_multicast


class _GuardedBackend(httpcore.NetworkBackend):
    """Looks a name up, refuses it when any of its addresses is private, and connects to the first that answers."""

    def __init__(self, deadline: float) -> None:
        self._inner, self._deadline = httpcore.SyncBackend(), deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to `host` by an address that was looked at."""
        addresses = _addresses_of(host, port, _left(timeout, self._deadline))
        if not settings.OUTBOUND_PRIVATE_ADDRESSES and not all(is_public(address) for address in addresses):
            raise FetchFailed("The server cannot be reached.")
        for address in addresses[:-1]:
            try:
                return self._connect(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._connect(addresses[-1], port, timeout, local_address, socket_options)

    def _connect(
        self, address: str, port: int, timeout: float | None, local_address: str | None, options: Iterable[Any] | None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, self._deadline)
        return _TimedStream(self._inner.connect_tcp(address, port, left, local_address, options), self._deadline)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        """Never."""
        raise FetchFailed("The server cannot be reached.")


class _TimedStream(httpcore.NetworkStream):
    """A stream whose every step ends by one moment: a server that sends one byte at a time gains no time by it."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come."""
        return self._inner.read(max_bytes, _left(timeout, self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of `buffer`."""
        # The inner stream gives each piece that goes out the whole time anew.
        for start in range(0, len(buffer), _PIECE):
            self._inner.write(buffer[start : start + _PIECE], _left(timeout, self._deadline))

    def close(self) -> None:
        """Hang up."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same, encrypted."""
        left = _left(timeout, self._deadline)
        return _TimedStream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """What is known of the connection."""
        return self._inner.get_extra_info(info)


def _addresses_of(host: str, port: int, seconds: float) -> list[str]:
    """What a name stands for now, in the resolver's order.

    A resolver waits as long as it likes, and who owns a name may let it wait: it has a thread of its own, which is left
    to itself when the time is over.
    """
    found: SimpleQueue[list[str]] = SimpleQueue()

    def look_up() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            entries = []
        found.put(list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in entries)))

    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    try:
        addresses = found.get(timeout=seconds)
    except Empty:
        raise FetchFailed("The server took too long.") from None
    if not addresses:
        raise httpcore.ConnectError("The name is not known.")
    return addresses


def _left(timeout: float | None, deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise FetchFailed("The server took too long.")
    return left if timeout is None else min(timeout, left)
