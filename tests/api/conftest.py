"""What most tests here ask for: the owner as caller, and the OpenAPI document."""

import json
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from apps.tenancy.selectors import TenantView
from tests.fixtures.clients import ApiFor


@pytest.fixture
def client(acme: TenantView, api: ApiFor) -> APIClient:
    """Acme's owner."""
    return api(acme)


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """The OpenAPI document as programs get it."""
    made: dict[str, Any] = json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True), default=str))
    return made
