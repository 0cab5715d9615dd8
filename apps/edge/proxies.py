"""Whose word about a request counts: the configured proxies', and nobody else's."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings

Network = IPv4Network | IPv6Network
# Stands for a peer without an address: a proxy on this machine that connects by a socket file.
UNIX = "unix"


def client_ip(peer: str, forwarded_for: str) -> str | None:
    """The client's address. `forwarded_for` counts only as far as trusted proxies wrote it: from right to left.

    ``TRUSTED_PROXIES`` holds addresses, networks, and ``unix`` for a peer without an address.
    """
    proxies = tuple(settings.TRUSTED_PROXIES)
    address = parse(peer)
    if not _is_in(address, proxies):
        return str(address) if address else None
    for hop in reversed(forwarded_for.split(",") if forwarded_for else []):
        found = parse(hop.strip())
        if found is None:
            break
        address = found
        if not _is_in(address, proxies):
            break
    return str(address) if address else None


@lru_cache(maxsize=1024)
def is_within(peer: str, networks: tuple[str, ...]) -> bool:
    """Whether the address `peer` (empty: a socket file) lies in one of `networks`."""
    return _is_in(parse(peer), networks)


@lru_cache(maxsize=1024)
def parse(text: str) -> IPv4Address | IPv6Address | None:
    """The address that `text` writes, None when it writes none."""
    if len(text) > 64:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A dual-stack socket shows IPv4 peers as ::ffff:a.b.c.d.
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


@lru_cache(maxsize=1024)
def subscriber(address: str) -> str:
    """Whom an address stands for: an IPv6 subscriber chooses freely within a network of 64 bits (RFC 4291)."""
    found = parse(address)
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else address


def _is_in(address: IPv4Address | IPv6Address | None, networks: tuple[str, ...]) -> bool:
    if address is None:
        return UNIX in networks
    return any(address in network for network in _parsed(networks))


@lru_cache(maxsize=8)
def _parsed(networks: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(network, strict=False) for network in networks if network != UNIX)
