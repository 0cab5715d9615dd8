"""Asking DNS whether a domain names a token: the TXT records of ``_insula.<domain>``."""

from enum import Enum

import dns.exception
import dns.name
import dns.nameserver
import dns.resolver
from django.conf import settings

LABEL, KEY = "_insula", "insula-verify"


class Proof(Enum):
    """What DNS said. `SILENT` says nothing about the domain: no server answered in time, or one was broken."""

    PROVEN = "PROVEN"
    ABSENT = "ABSENT"
    SILENT = "SILENT"


def record_name(domain: str) -> str:
    """Where the TXT record stands."""
    return f"{LABEL}.{domain}"


def record_value(token: str) -> str:
    """What the TXT record says."""
    return f"{KEY}={token}"


def ask(domain: str, token: str) -> Proof:
    """Look the record up; takes at most ``DNS_TIMEOUT`` seconds. Other records beside it do no harm."""
    try:
        answer = _resolver().resolve(record_name(domain), "TXT", search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.name.LabelTooLong, dns.name.NameTooLong):
        return Proof.ABSENT
    except (dns.exception.DNSException, OSError):
        return Proof.SILENT
    wanted = record_value(token).encode()
    said = (b"".join(record.strings).strip() for record in answer)
    return Proof.PROVEN if wanted in said else Proof.ABSENT


def _resolver() -> dns.resolver.Resolver:
    servers: list[str] = settings.DNS_NAMESERVERS
    resolver = dns.resolver.Resolver(configure=not servers)
    if servers:
        resolver.nameservers = [_nameserver(server) for server in servers]
    resolver.lifetime = settings.DNS_TIMEOUT
    resolver.timeout = settings.DNS_TIMEOUT / 2
    resolver.cache = None
    return resolver


def _nameserver(address: str) -> dns.nameserver.Do53Nameserver:
    host, _, port = address.partition("#")
    return dns.nameserver.Do53Nameserver(host, int(port or 53))
