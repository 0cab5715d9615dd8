"""A browser that has signed in nowhere yet."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from apps.iam.sso import patience, providers
from apps.tenancy.selectors import TenantView
from tests.iam import federated, idp
from tests.iam.idp import Idp


@pytest.fixture
def platform() -> Client:
    """A browser on the platform's host."""
    return Client(SERVER_NAME=settings.PLATFORM_HOST)


@pytest.fixture
def visitor(acme: TenantView) -> Client:
    """A browser on Acme's host."""
    return Client(SERVER_NAME=acme.host)


@pytest.fixture(scope="session")
def listening_idp() -> Iterator[Idp]:
    """One provider for all tests."""
    with idp.running() as running:
        yield running


@pytest.fixture
def provider(listening_idp: Idp, acme: TenantView, settings: Any) -> Idp:
    """The provider that Acme uses, truthful at first, which knows Acme's MEMBER; Acme's domain is proved."""
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    listening_idp.be_truthful()
    listening_idp.person["email"] = f"member@{acme.slug}.test"
    for kind, what in (("metadata", listening_idp.issuer), ("keys", f"{listening_idp.issuer}/keys")):
        key = providers._key(kind, what)
        cache.delete_many([key, f"{key}:relearnt"])
    for path in ("/.well-known/openid-configuration", "/keys", "/token", "/userinfo"):
        patience.breaker_of(f"{listening_idp.issuer}{path}").reset()
    federated.prove_domain(acme)
    federated.connect(acme, listening_idp)
    return listening_idp
