"""What ``manage.py check --deploy`` asks of the edge beside Django's own questions."""

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from apps.edge.proxies import UNIX

MIDDLEWARE = "apps.edge.middleware.EdgeMiddleware"


def stands_first(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """The edge is around everything, or there are answers without it."""
    if settings.MIDDLEWARE[:1] == [MIDDLEWARE]:
        return []
    return [Error(f"{MIDDLEWARE} must stand first in MIDDLEWARE.", id="edge.E001")]


def networks_are_written_well(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """A network that cannot be read would refuse every request."""
    found: list[CheckMessage] = []
    for name in ("TRUSTED_PROXIES", "METRICS_NETWORKS"):
        for text in getattr(settings, name):
            try:
                network = ip_network("::" if text == UNIX else text, strict=False)
            except ValueError:
                found.append(Error(f"{name}: {text!r} is neither an address, a network nor {UNIX!r}.", id="edge.E002"))
                continue
            if network.prefixlen == 0:
                found.append(Error(f"{name}: {text!r} is everybody.", id="edge.E003"))
    return found


def knows_its_proxy(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Only a proxy can say that a request came over HTTPS; an unknown one is not believed."""
    if settings.SECURE_SSL_REDIRECT and settings.SECURE_PROXY_SSL_HEADER and not settings.TRUSTED_PROXIES:
        told = "TRUSTED_PROXIES is empty, so nobody can say that a request came over HTTPS: all will be redirected."
        return [Warning(told, hint="Name the address or network of your proxy.", id="edge.W001")]
    return []
