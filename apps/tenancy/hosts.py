"""Host names: as people write them, as requests carry them, and which of them can belong to a tenant."""

import re
from ipaddress import ip_address

import idna
from django.conf import settings
from django.http.request import split_domain_port
from django.utils.translation import gettext as _

from apps.core.errors import ValidationFailed

LONGEST = 253
# DNS needs room for the label that proves a domain.
LONGEST_CLAIM = LONGEST - len("_insula.")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# Names that lead nowhere in the public DNS, or to each machine itself (RFC 6761, RFC 6762, RFC 8375, ICANN).
_PRIVATE = frozenset({"localhost", "local", "internal", "invalid", "onion", "arpa", "lan", "home", "corp"})


def of_request(raw: str) -> str | None:
    """The host that a ``Host`` header names: lower case, without port and final dot; None when it is no host name.

    Whoever tells something else beside the name (a user, a path, a port that does not exist) is refused.
    """
    if len(raw) > LONGEST + len(".:65535"):
        return None
    host, port = split_domain_port(raw)
    if not host or len(host) > LONGEST or (port and not 0 < int(port) < 65536):
        return None
    return host


def claimable(typed: str) -> str:
    """The domain that somebody typed, in the form that DNS knows (IDNA 2008).

    Raises:
        ValidationFailed: an address, a port, a path; a name of the platform's; or no name of the public DNS.
    """
    text = typed.strip().removesuffix(".")
    if not text:
        raise _refused("required", _("Enter a domain."))
    if any(sign in text for sign in "/:@?#\\*_ \t\r\n\x00"):
        raise _refused("invalid", _("Enter the name alone, such as billing.example.com: no https://, path or port."))
    if len(text) > LONGEST_CLAIM:
        raise _refused("max_length", _("This name is too long."))
    if _is_address(text):
        raise _refused("address", _("Enter a name; an IP address cannot be used."))
    try:
        name = idna.encode(text, uts46=True, std3_rules=True, transitional=False).decode()
    except (idna.IDNAError, UnicodeError) as error:
        raise _refused("invalid", _("This is not a domain name.")) from error
    labels = name.split(".")
    if len(name) > LONGEST_CLAIM or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused("invalid", _("This is not a domain name."))
    if len(labels) < 2 or labels[-1] in _PRIVATE or labels[-1].isdigit() or _is_address(name):
        raise _refused("not_public", _("Enter a name of the public internet, such as billing.example.com."))
    if _is_platforms(name):
        raise _refused("reserved", _("This name belongs to the platform."))
    return name


def readable(name: str) -> str:
    """A domain in its own script: ``bücher.example`` for ``xn--bcher-kva.example``."""
    try:
        return idna.decode(name)
    except (idna.IDNAError, UnicodeError):
        return name


def _is_platforms(name: str) -> bool:
    platform = str(settings.PLATFORM_HOST).lower()
    return name == platform or name.endswith(f".{platform}") or platform.endswith(f".{name}")


def _is_address(text: str) -> bool:
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def _refused(code: str, detail: str) -> ValidationFailed:
    return ValidationFailed.one("domain", code, detail)
