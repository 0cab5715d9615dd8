"""Where a request came from, believing only the proxies that are configured."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

from apps.core import correlation
from apps.core.actor import Origin

Network = IPv4Network | IPv6Network


def origin_of(request: HttpRequest, source: str) -> Origin:
    """The request's origin for the audit trail; `source` is ``WEB`` or ``API``."""
    return Origin(
        source=source,
        ip=client_ip(request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", "")),
        user_agent=request.headers.get("User-Agent", "").replace("\x00", "")[:300],
        correlation_id=correlation.current(),
    )


def client_ip(peer: str, forwarded_for: str) -> str | None:
    """The client's address. `forwarded_for` counts only as far as trusted proxies wrote it: from right to left.

    ``TRUSTED_PROXIES`` holds addresses, networks, and ``unix`` for a peer without an address.
    """
    address = _parse(peer)
    if not _is_trusted(address, _networks(tuple(settings.TRUSTED_PROXIES))):
        return str(address) if address else None
    for hop in reversed(forwarded_for.split(",") if forwarded_for else []):
        found = _parse(hop.strip())
        if found is None:
            break
        address = found
        if not _is_trusted(address, _networks(tuple(settings.TRUSTED_PROXIES))):
            break
    return str(address) if address else None


def _is_trusted(address: IPv4Address | IPv6Address | None, networks: tuple[Network, ...]) -> bool:
    if address is None:
        return "unix" in settings.TRUSTED_PROXIES
    return any(address in network for network in networks)


@lru_cache(maxsize=8)
def _networks(proxies: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(proxy, strict=False) for proxy in proxies if proxy != "unix")


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A dual-stack socket shows IPv4 peers as ::ffff:a.b.c.d.
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
