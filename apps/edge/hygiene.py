"""Headers that only the platform itself, or a proxy of its own, may write are taken off whatever comes in."""

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

# As WSGI spells them. X-Tenant-ID stays: it may repeat the token's tenant, and a mismatch is refused.
_OURS = (
    "HTTP_X_USER_", "HTTP_X_TENANT_", "HTTP_X_ORGANIZATION_ID", "HTTP_X_PLAN_CODE", "HTTP_X_AUDIT_",
)  # fmt: skip
_KEPT = "HTTP_X_TENANT_ID"
_OF_PROXIES = ("HTTP_X_FORWARDED_", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_CLIENT_")
_ALL = (*_OURS, *_OF_PROXIES)
_SIGNS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED", "HTTP_VIA")
# Set where a proxy that is not configured has spoken: the peer's address is then nobody's in particular.
RELAYED = "insula.relayed"


def strip(environ: MutableMapping[str, Any], *, believes_peer: bool) -> None:
    """Remove them from a WSGI environment; what proxies write stays when the peer is one that is believed."""
    unwanted = _OURS if believes_peer else _ALL
    found = [name for name in environ if name.startswith(unwanted) and name != _KEPT]
    for name in found:
        del environ[name]
        if name.startswith(_OF_PROXIES):
            environ[RELAYED] = True


def came_directly(environ: Mapping[str, Any]) -> bool:
    """Whether no proxy passed the request on, as far as it says: who came by one has the proxy's address."""
    return RELAYED not in environ and not any(name in environ for name in _SIGNS)


def kept(headers: Iterable[tuple[bytes, bytes]], *, believes_peer: bool) -> list[tuple[bytes, bytes]]:
    """The same for the headers of an ASGI scope."""
    unwanted = _OURS if believes_peer else _ALL
    return [(name, value) for name, value in headers if not _is_unwanted(name, unwanted)]


def _is_unwanted(name: bytes, unwanted: tuple[str, ...]) -> bool:
    spelled = "HTTP_" + name.decode("latin1").upper().replace("-", "_")
    return spelled.startswith(unwanted) and spelled != _KEPT
