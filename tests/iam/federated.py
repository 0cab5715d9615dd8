"""A workspace with a provider, and a browser on its way through it."""

from typing import Any
from urllib.parse import urlsplit

import httpx
from django.test import Client

from apps.core.clock import utcnow
from apps.iam.sso import connections
from apps.iam.sso.models import MailDomain, MailDomainState
from apps.tenancy.selectors import TenantView
from tests.fixtures.tenants import actor_of
from tests.iam.idp import CLIENT_ID, CLIENT_SECRET, Idp


def prove_domain(tenant: TenantView, domain: str = "") -> MailDomain:
    """A mail domain that DNS has confirmed: ``<slug>.test`` unless another is named."""
    return MailDomain.objects.create(
        tenant_id=tenant.id,
        domain=domain or f"{tenant.slug}.test",
        token="t",
        state=MailDomainState.VERIFIED,
        verified_at=utcnow(),
    )


def connect(tenant: TenantView, idp: Idp, *, role: str = "OWNER", **values: Any) -> None:
    """The provider as the tenant's, set up by its member in `role`."""
    connections.save_connection(
        actor=actor_of(tenant, role),
        values={
            "name": "Acme ID",
            "issuer": idp.issuer,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "is_enabled": True,
            **values,
        },
    )


def go(client: Client, path: str = "/sign-in/sso/") -> Any:
    """Walk to the provider and back; the answer of the callback."""
    there = client.get(path)
    assert there.status_code == 302, there.content
    return back(client, there["Location"])


def back(client: Client, location: str) -> Any:
    """From the provider's address back to the callback."""
    home = httpx.get(location, follow_redirects=False)
    assert home.status_code == 302
    parts = urlsplit(home.headers["location"])
    return client.get(f"{parts.path}?{parts.query}")


def reason(answer: Any) -> str:
    """Why the page of a refusal says no."""
    assert answer.status_code in (400, 403, 502), answer.status_code
    error = answer.context["error"]
    return str(error.extra.get("reason", error.code))
