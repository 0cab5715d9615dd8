"""API keys of the standing tenants, and programs that use them."""

from typing import Any

from rest_framework.test import APIClient

from apps.iam import api_keys
from apps.tenancy.selectors import TenantView
from tests.fixtures.tenants import actor_of


def program(secret: str, **defaults: Any) -> APIClient:
    """A program that sends `secret`, on the platform's host unless told otherwise."""
    client = APIClient(**{"SERVER_NAME": "localhost", "raise_request_exception": False, **defaults})
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def made(tenant: TenantView, *scopes: str, role: str = "OWNER", **options: Any) -> api_keys.NewSecret:
    """A key of the tenant's member in `role`; with all his permissions where no scope is named."""
    actor = actor_of(tenant, role)
    wanted = scopes or tuple(sorted(actor.permissions & api_keys.SCOPES))
    return api_keys.create_api_key(actor=actor, name="Robot", scopes=wanted, **options)
